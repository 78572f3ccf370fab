//! The offending line of a file without what it holds: keys, indentation and small numbers only.

use flowgate_checks::model::Position;

use super::secrets;

/// The longest excerpt in characters.
const LONGEST: usize = 80;

/// The line at a place with its value blotted out; none when the line has no key.
///
/// Tabs are drawn as `→`, since they are what is wrong often enough.
pub fn of(text: &str, position: Option<Position>) -> Option<String> {
    let number = usize::try_from(position?.line).ok()?.checked_sub(1)?;
    let line = text.lines().nth(number)?.trim_start_matches('\u{feff}');
    let body = line.trim_start_matches([' ', '\t']);
    let indent = line[..line.len() - body.len()].replace('\t', "→");
    let (dash, body) = match body.strip_prefix("- ") {
        Some(rest) => ("- ", rest.trim_start()),
        None => ("", body),
    };
    if let Some(shown) = keyed(body) {
        let excerpt = format!("{indent}{dash}{shown}");
        return Some(excerpt.chars().take(LONGEST).collect());
    }
    // A line without a key is all value: only its start tells something, when that is a tab.
    (indent.contains('→') && indent.chars().count() <= LONGEST).then(|| format!("{indent}{dash}…"))
}

fn keyed(body: &str) -> Option<String> {
    let (key, value) = body.split_once(':')?;
    let name = key.trim().trim_matches(['"', '\'']);
    let is_key = !name.is_empty()
        && name.len() <= 40
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if !is_key || secrets::has_secret_form(name) {
        return None;
    }
    let value = value.trim().trim_end_matches(',').trim();
    let is_harmless = !secrets::is_secret_name(name)
        && (matches!(
            value,
            "" | "true" | "false" | "null" | "~" | "{" | "[" | "{}" | "[]"
        ) || is_small_number(value));
    Some(match (value.is_empty(), is_harmless) {
        (true, _) => format!("{}:", key.trim()),
        (false, true) => format!("{}: {value}", key.trim()),
        (false, false) => format!("{}: …", key.trim()),
    })
}

fn is_small_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_keys_and_small_numbers_only() {
        let at = |line| Some(Position { line, column: 1 });
        let text = "a: 1\n\t- \"sk-secret\"\n  port: 70000\n  api_key: 123\n  host: hunter2\nhunter2: x: y\n\"p\": {\n";
        let shown: Vec<Option<String>> = (1..=8).map(|line| of(text, at(line))).collect();
        let shown: Vec<Option<&str>> = shown.iter().map(Option::as_deref).collect();
        assert_eq!(
            shown,
            [
                Some("a: 1"),
                Some("→- …"),
                Some("  port: 70000"),
                Some("  api_key: …"),
                Some("  host: …"),
                Some("hunter2: …"),
                Some("\"p\": {"),
                None
            ]
        );
        assert_eq!(of(text, None), None);
    }
}
