//! A rendered config as text: JSON, which every YAML reader takes for what it is.
//!
//! YAML 1.1, with which LiteLLM reads, takes unquoted `yes`, `12:30` or `2026-11-23` for something
//! else than text; in JSON all text is quoted. What is left are numbers and characters on which
//! JSON and `PyYAML` differ; those are spelled so that both agree.

use serde_json::Value;

use super::document::{Document, Rules};
use super::profiles::to_json;

/// The value as JSON text: two spaces of indent, keys sorted, a line break at the end.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

/// Whether a text reads as the value again, with the parser that also reads users' files.
pub fn reads_as(text: &str, value: &Value) -> bool {
    let rules = Rules {
        refuses_tabs: true,
        ..Rules::default()
    };
    Document::parse(text, rules).is_ok_and(|document| to_json(&document.root) == *value)
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let items = map.iter().map(|(key, value)| (Some(key.as_str()), value));
            block(items, ['{', '}'], depth, out);
        }
        Value::Array(list) if !list.is_empty() => {
            block(
                list.iter().map(|value| (None, value)),
                ['[', ']'],
                depth,
                out,
            );
        }
        Value::String(text) => quote(text, out),
        Value::Number(number) => out.push_str(&spell(&number.to_string())),
        other => out.push_str(&other.to_string()),
    }
}

fn block<'a>(
    items: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
    [open, close]: [char; 2],
    depth: usize,
    out: &mut String,
) {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    out.push(open);
    for (index, (key, value)) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(depth + 1, out);
        if let Some(key) = key {
            quote(key, out);
            out.push_str(": ");
        }
        write(value, depth + 1, out);
    }
    line(depth, out);
    out.push(close);
}

/// Text in quotes. `PyYAML` refuses DEL, C1 controls and noncharacters when they stand there as
/// they are, and takes NEL, LS and PS for line breaks; JSON escapes none of them by itself.
pub fn quote(text: &str, out: &mut String) {
    for c in Value::from(text).to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

/// `PyYAML` takes `1e16` for text: a float needs its point and the sign of its exponent, `1.0e+16`.
fn spell(number: &str) -> String {
    let Some((digits, exponent)) = number.split_once(['e', 'E']) else {
        return number.to_owned();
    };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{digits}{point}e{sign}{exponent}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::misread::MISREAD;
    use super::*;

    #[test]
    fn it_is_indented_json_with_sorted_keys() {
        let value = json!({"b": [1, {}, []], "a": {"y": "x", "t": true, "n": null}});
        assert_eq!(
            text(&value),
            "{\n  \"a\": {\n    \"n\": null,\n    \"t\": true,\n    \"y\": \"x\"\n  },\n  \"b\": [\n    1,\n    {},\n    []\n  ]\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text(&value)).unwrap(), value);
    }

    #[test]
    fn words_that_yaml_1_1_reads_otherwise_stay_text() {
        for word in MISREAD.into_iter().chain(["a\u{85}b\u{2028}c"]) {
            let value = json!({ word: word });
            let text = text(&value);
            assert!(text.matches('"').count() >= 4, "{text}");
            assert!(reads_as(&text, &value), "{text}");
        }
        assert!(text(&json!("a\u{85}b\u{7f}")).contains("a\\u0085b\\u007f"));
    }

    #[test]
    fn large_and_small_floats_stay_numbers_for_pyyaml() {
        for (value, spelled) in [
            (json!(1e16), "1.0e+16\n"),
            (json!(1.5e-7), "1.5e-7\n"),
            (json!(1e-7), "1.0e-7\n"),
            (json!(30), "30\n"),
            (json!(0.5), "0.5\n"),
        ] {
            assert_eq!(text(&value), spelled);
            assert!(reads_as(&text(&value), &value));
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_the_same_to_json_readers_whatever_it_holds(value in values()) {
            let text = text(&value);
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }

        #[test]
        fn text_that_a_config_may_hold_reads_back(
            value in prop::collection::btree_map("[ -~äß한\u{85}\u{2028}]{1,12}", "[ -~äß한\n\u{85}\u{2028}]{0,24}", 0..5)
        ) {
            let value = Value::from_iter(value.into_iter().map(|(key, text)| (key, Value::from(text))));
            prop_assert!(reads_as(&text(&value), &value), "{}", text(&value));
        }
    }
}
