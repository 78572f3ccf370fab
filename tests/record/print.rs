//! JSON for people: what fits on a line stands on one.

use serde_json::Value;

/// The longest line that is not broken.
const WIDTH: usize = 140;

/// A value as text, two blanks a level.
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    print(value, 0, &mut text);
    text.push('\n');
    text
}

fn print(value: &Value, level: usize, text: &mut String) {
    let flat = value.to_string();
    let is_short = flat.len() + 2 * level <= WIDTH && level > 1;
    match value {
        Value::Object(map) if !is_short && !map.is_empty() => {
            let items = map.iter().map(|(key, item)| (Some(key), item));
            block(['{', '}'], items.collect(), level, text);
        }
        Value::Array(list) if !is_short && !list.is_empty() => {
            let items = list.iter().map(|item| (None, item));
            block(['[', ']'], items.collect(), level, text);
        }
        _ => text.push_str(&flat),
    }
}

fn block(
    [open, close]: [char; 2],
    items: Vec<(Option<&String>, &Value)>,
    level: usize,
    text: &mut String,
) {
    text.push(open);
    let last = items.len() - 1;
    for (index, (key, item)) in items.into_iter().enumerate() {
        text.push('\n');
        text.push_str(&"  ".repeat(level + 1));
        if let Some(key) = key {
            text.push_str(&format!("{}: ", Value::from(key.as_str())));
        }
        print(item, level + 1, text);
        if index != last {
            text.push(',');
        }
    }
    text.push('\n');
    text.push_str(&"  ".repeat(level));
    text.push(close);
}

#[test]
fn what_is_printed_reads_as_the_same() {
    let value = serde_json::json!({
        "a": {"b": {"short": [1, 2]}, "long": vec!["word"; 60], "none": {}},
        "quoted \" key": null,
    });
    let text = json(&value);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    assert!(text.lines().all(|line| line.len() <= WIDTH + 20), "{text}");
}
