//! `NAME=value` lines, as a shell reads them: `export`, quotes and comments are allowed.

use flowgate_checks::shell;

/// The value of a variable; the last line counts, as in a shell.
pub fn get(text: &str, path: &[&str]) -> Option<String> {
    let name = path.first()?;
    let (_, line) = assigned(text, name).last()?;
    let (_, value) = line.split_once('=')?;
    Some(unquoted(value.trim()))
}

/// Where the line of a variable begins.
pub fn start(text: &str, path: &[&str]) -> Option<usize> {
    Some(assigned(text, path.first()?).last()?.0)
}

/// The lines that give a variable a value, each with its place.
fn assigned<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(move |line| {
            let start = at;
            at += line.len();
            (start, line)
        })
        .filter(move |(_, line)| gives(line, name))
}

fn gives(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with('='))
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner.to_owned();
        }
    }
    value.to_owned()
}

/// The text with a variable set: in its last line, else in a new one at the end.
pub fn set(text: &str, path: &[&str], value: &str) -> String {
    let Some(name) = path.first() else {
        return text.to_owned();
    };
    let assignment = format!("{name}={}", shell::quote(value));
    let Some((at, line)) = assigned(text, name).last() else {
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        return format!("{text}{gap}{assignment}\n");
    };
    let indent = line.len() - line.trim_start().len();
    let export = match line.trim_start().starts_with("export ") {
        true => "export ",
        false => "",
    };
    let end = line.trim_end_matches(['\n', '\r']).len();
    format!(
        "{}{export}{assignment}{}",
        &text[..at + indent],
        &text[at + end..]
    )
}

/// The text without the lines of a variable.
pub fn unset(text: &str, path: &[&str]) -> String {
    let name = path.first().copied().unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| !gives(line, name))
        .collect()
}

/// The other lines.
pub fn without(text: &str, path: &[&str]) -> Vec<String> {
    unset(text, path).lines().map(str::to_owned).collect()
}
