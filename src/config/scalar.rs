//! What one scalar means.
//!
//! A value is an integer or a boolean here only when all readers in play agree on it: `PyYAML`
//! (YAML 1.1, LiteLLM), yaml.v3 (CLIProxyAPI) and JSON. Numbers on which they disagree (`010`,
//! `1_000`, `1e3`) keep their spelling, and words such as `yes` stay text.

use serde_saphyr::granit_parser::{ScalarStyle, Tag};

use super::document::NodeValue;

/// The value of a scalar as spelled, in the light of its style and tag.
pub fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> NodeValue {
    match tag.map(|tag| (tag.is_yaml_core_schema(), tag.suffix())) {
        None if style == ScalarStyle::Plain => plain(text),
        Some((true, "null" | "bool" | "int" | "float")) => plain(text),
        _ => NodeValue::Text(text.to_owned()),
    }
}

fn plain(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeValue::Null,
        "true" | "True" | "TRUE" => return NodeValue::Bool(true),
        "false" | "False" | "FALSE" => return NodeValue::Bool(false),
        _ => {}
    }
    if let Some(number) = agreed_integer(text) {
        NodeValue::Int(number)
    } else if is_number(text) {
        NodeValue::Number(text.to_owned())
    } else {
        NodeValue::Text(text.to_owned())
    }
}

fn agreed_integer(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        return is_hex.then(|| i64::from_str_radix(digits, 16).ok())?;
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_canonical = digits == "0" || !digits.starts_with('0');
    (is_decimal && is_canonical).then(|| text.parse().ok())?
}

/// Whether at least one reader takes the text for a number.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let starts = digits.starts_with(|c: char| c.is_ascii_digit())
        || digits
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    starts && (integer(text).is_some() || plain_float(digits))
}

fn plain_float(digits: &str) -> bool {
    let text: String = digits.chars().filter(|c| *c != '_').collect();
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.parse::<f64>().is_ok()
}

/// The integer that a spelling stands for, as `PyYAML` reads it: `010` is 8, `1_000` is 1000;
/// `0o10` is read too, as YAML 1.2 has it.
pub fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] if digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')) => {
            (8, &digits[1..])
        }
        _ => (10, digits.as_str()),
    };
    if digits.is_empty() || digits.starts_with(['-', '+']) {
        return None;
    }
    Some(sign * i64::from_str_radix(digits, radix).ok()?)
}

/// The boolean that a word stands for in YAML 1.1, which `PyYAML` and yaml.v3 read: `yes`, `off`.
pub fn word_as_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_all_readers_agree_on_is_typed() {
        for (text, value) in [
            ("4000", NodeValue::Int(4000)),
            ("-1", NodeValue::Int(-1)),
            ("0x1F", NodeValue::Int(31)),
            ("010", NodeValue::Number("010".into())),
            ("1_000", NodeValue::Number("1_000".into())),
            ("0o14", NodeValue::Number("0o14".into())),
            ("1e3", NodeValue::Number("1e3".into())),
            ("1.5", NodeValue::Number("1.5".into())),
            (".5", NodeValue::Number(".5".into())),
            (
                "99999999999999999999",
                NodeValue::Number("99999999999999999999".into()),
            ),
            ("yes", NodeValue::Text("yes".into())),
            ("127.0.0.1", NodeValue::Text("127.0.0.1".into())),
            ("12:30", NodeValue::Text("12:30".into())),
            ("2026-11-23", NodeValue::Text("2026-11-23".into())),
            ("::1", NodeValue::Text("::1".into())),
            (".", NodeValue::Text(".".into())),
            ("1-2", NodeValue::Text("1-2".into())),
            ("True", NodeValue::Bool(true)),
            ("", NodeValue::Null),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }

    #[test]
    fn odd_integers_are_read_as_the_gateway_reads_them() {
        assert_eq!(integer("010"), Some(8));
        assert_eq!(integer("1_000"), Some(1000));
        assert_eq!(integer("0o17"), Some(15));
        assert_eq!(integer("-4000"), Some(-4000));
        assert_eq!(integer("0b101"), Some(5));
        assert_eq!(integer("0x"), None);
        assert_eq!(integer("0x-1"), None);
        assert_eq!(integer("1e3"), None);
        assert_eq!(integer("_1"), None);
    }
}
