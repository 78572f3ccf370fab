//! How the path of an entry is written: `services.litellm.port`, `model_list[0].model_name`.

/// The path of a key below `parent`; the top of a file has the empty path.
///
/// A key that is empty or holds `.`, `[`, `"` or a control character is quoted as in JSON:
/// `profiles."gpt-4.1"`.
pub fn key(parent: &str, key: &str) -> String {
    let quoted;
    let key = if is_plain(key) {
        key
    } else {
        quoted = serde_json::Value::from(key).to_string();
        &quoted
    };
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

/// The path of a list item below `parent`.
pub fn index(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && !key.contains(|c: char| matches!(c, '.' | '[' | '"') || c.is_control())
}

#[cfg(test)]
mod tests {
    #[test]
    fn odd_keys_are_quoted() {
        assert_eq!(
            super::key("services.litellm", "port"),
            "services.litellm.port"
        );
        assert_eq!(super::key("", "a.b"), "\"a.b\"");
        assert_eq!(super::key("x", "a\"b"), "x.\"a\\\"b\"");
        assert_eq!(super::key("x", ""), "x.\"\"");
        assert_eq!(super::index("model_list", 2), "model_list[2]");
    }
}
