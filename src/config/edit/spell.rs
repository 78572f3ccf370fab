//! How a value is spelled so that every reader takes it for what it is.

use super::Scalar;
use crate::config::document::{Document, NodeValue, Rules};
use crate::config::render;

/// The style in which a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
}

impl Style {
    /// The style of a scalar as it stands in a file.
    pub fn of(raw: &str) -> Self {
        match raw.as_bytes().first() {
            Some(b'\'') => Self::Single,
            Some(b'"') => Self::Double,
            _ => Self::Plain,
        }
    }
}

/// The value in a style; in double quotes, which bear everything, when the style does not bear it.
pub fn spell(value: &Scalar, style: Style) -> String {
    let (text, is_typed) = match value {
        Scalar::Text(text) => (text.clone(), false),
        Scalar::Int(number) => (number.to_string(), true),
        Scalar::Bool(truth) => (truth.to_string(), true),
    };
    match style {
        Style::Plain if is_typed || is_safe_plain(&text) => text,
        Style::Single if text.chars().all(is_ordinary) => format!("'{}'", text.replace('\'', "''")),
        _ => double(&text),
    }
}

/// The text in double quotes, which YAML 1.1, YAML 1.2 and JSON read alike.
pub fn double(text: &str) -> String {
    let mut out = String::new();
    render::quote(text, &mut out);
    out
}

/// Whether a text can stand without quotes anywhere, and every reader takes it for this text.
pub fn is_safe_plain(text: &str) -> bool {
    let is_plain_char = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '.' | '_' | '/' | '-' | ':' | '@' | '+' | '?' | '=' | '&' | '%' | '~'
            )
    };
    text.starts_with(|c: char| c.is_alphanumeric() || c == '/' || c == '.')
        && text.chars().all(is_plain_char)
        && !text.ends_with(':')
        && text.chars().all(is_ordinary)
        && !is_misread(text)
}

/// Whether a reader of YAML 1.1 or 1.2 takes the bare text for something else than text:
/// `yes`, `12:30`, `1_000`, `2026-11-23`, `1e3`.
fn is_misread(text: &str) -> bool {
    let parsed = Document::parse(text, Rules::default());
    let is_text = parsed.is_ok_and(
        |document| matches!(&document.root.value, NodeValue::Text(read) if read == text),
    );
    let lower = text.to_ascii_lowercase();
    let is_word = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    // Numbers, base 60 and dates begin with a digit, a sign or a point, and have no letters but
    // those of an exponent, a base or a time.
    let is_like_a_number = lower
        .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))
        && lower.chars().all(|c| {
            c.is_ascii_hexdigit()
                || matches!(
                    c,
                    '.' | '-' | '+' | '_' | ':' | 'x' | 'o' | 't' | 'z' | 'i' | 'n'
                )
        })
        && !is_address(text);
    !is_text || is_word.contains(&lower.as_str()) || is_like_a_number
}

/// `127.0.0.1` and `127.0.0.1:4000`: three points make no number.
fn is_address(text: &str) -> bool {
    text.split(':')
        .next()
        .is_some_and(|host| host.parse::<std::net::Ipv4Addr>().is_ok())
}

/// Neither a control character nor one that a reader takes for a line break or refuses.
fn is_ordinary(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::misread::MISREAD;

    #[test]
    fn what_yaml_1_1_misreads_is_quoted() {
        for text in MISREAD.into_iter().chain([
            ".inf",
            ".5",
            "-",
            "4000",
            "2026-11-23T10:00:00Z",
            "a: b",
            "a #b",
            "#a",
            "[a",
            "{a",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "a,b",
            "a\nb",
            "\u{85}",
            "a:",
            "- a",
            "'a",
            "\"a",
            "?",
        ]) {
            let spelled = spell(&Scalar::Text(text.into()), Style::Plain);
            assert!(spelled.starts_with('"'), "{text:?} is spelled {spelled}");
        }
    }

    #[test]
    fn ordinary_text_stays_plain() {
        for text in [
            "sk-abc-0001",
            "http://127.0.0.1:8317/v1",
            "http://127.0.0.1:1/codex-auth-url?is_webui=true&state=%20",
            "127.0.0.1",
            "os.environ/KEY",
            "한국어",
            "./.router/auths",
            "gpt-5",
            "/health/readiness",
            "127.0.0.1:4000",
            "localhost",
        ] {
            assert_eq!(spell(&Scalar::Text(text.into()), Style::Plain), text);
        }
        assert_eq!(spell(&Scalar::Int(4001), Style::Plain), "4001");
        assert_eq!(spell(&Scalar::Int(4001), Style::Double), "\"4001\"");
        assert_eq!(
            spell(&Scalar::Text("it's".into()), Style::Single),
            "'it''s'"
        );
    }
}
