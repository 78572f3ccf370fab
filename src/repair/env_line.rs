//! One variable of an env file: another value in the place of the old one, and nothing else.

use std::ops::Range;

/// The text with another value of a variable, wherever it is given one; none when it is given none,
/// or the value could not stand there.
pub fn replaced(text: &str, name: &str, value: &str) -> Option<String> {
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\' | '#' | '$' | '`');
    if value.is_empty() || !value.chars().all(is_plain) {
        return None;
    }
    let mut spans = spans(text)
        .filter(|(found, _)| *found == name)
        .map(|(_, span)| span)
        .collect::<Vec<_>>();
    if spans.is_empty() {
        return None;
    }
    let mut out = text.to_owned();
    spans.reverse();
    for span in spans {
        out.replace_range(span, value);
    }
    Some(out)
}

/// The variables of an env file whose value is this one.
pub fn holding<'a>(text: &'a str, value: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = spans(text)
        .filter(|(_, span)| text.get(span.clone()) == Some(value))
        .map(|(name, _)| name)
        .collect();
    names.dedup();
    names
}

/// Each name with the place of its value, quotes left out, as the supervisor reads such a file.
fn spans(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut start = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let at = start;
        start += line.len();
        let (before, value) = line.split_once('=')?;
        let name = before.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        let trimmed = value.trim();
        let from = at + before.len() + 1 + value.find(trimmed).unwrap_or_default();
        let is_quoted = ['"', '\''].into_iter().any(|quote| {
            trimmed.len() >= 2 && trimmed.starts_with(quote) && trimmed.ends_with(quote)
        });
        let inset = usize::from(is_quoted);
        Some((name, from + inset..from + trimmed.len() - inset))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_changes_and_every_other_byte_stays() {
        let text = "# keys\r\nA=1\r\nexport B = 'old' \r\nB=\"old\"\nC=old\n\nBB=old";
        assert_eq!(
            replaced(text, "B", "new").unwrap(),
            "# keys\r\nA=1\r\nexport B = 'new' \r\nB=\"new\"\nC=old\n\nBB=old"
        );
        assert_eq!(holding(text, "old"), ["B", "C", "BB"]);
        assert_eq!(replaced(text, "D", "new"), None);
        for bad in ["", "two words", "a'b", "a\nb", "$(x)"] {
            assert_eq!(replaced(text, "B", bad), None, "{bad}");
        }
        assert_eq!(replaced("A=", "A", "x").as_deref(), Some("A=x"));
    }

    proptest! {
        #[test]
        fn the_other_lines_are_left_alone(
            lines in prop::collection::vec("[A-C]{1,2}=['\"]?[a-z]{0,5}['\"]?|# x|export A=y||=|é=1", 0..8)
        ) {
            let text = lines.join("\n");
            if let Some(new) = replaced(&text, "A", "zzzzzzzz") {
                prop_assert_eq!(new.lines().count(), text.lines().count());
                for (old, new) in text.lines().zip(new.lines()) {
                    let is_a = old.split('=').next().is_some_and(|name| {
                        let name = name.trim();
                        name.strip_prefix("export ").unwrap_or(name).trim() == "A"
                    });
                    prop_assert!(is_a || old == new);
                }
                prop_assert!(holding(&new, "zzzzzzzz").contains(&"A"));
            }
        }
    }
}
