//! A chat that went through, as CLIProxyAPI's request log shows it.

/// Whether a log line of CLIProxyAPI(Plus) shows a chat that was answered 2xx. Examples:
/// `[GIN] 2025/12/14 - 00:07:57 | 200 |  1.2s | 127.0.0.1 | POST    "/v1/chat/completions"` (Plus),
/// `200 | 50ms | 127.0.0.1 | POST "/v1/responses"` (mainline). `facts/cliproxyapi.md` 6.3.
pub fn proves_a_chat(line: &str) -> bool {
    chat_status(line).is_some_and(|status| (200..300).contains(&status))
}

/// The status with which CLIProxyAPI answered a chat; none when the line shows no chat.
pub fn chat_status(line: &str) -> Option<u16> {
    const PATHS: [&str; 3] = [
        "\"/v1/chat/completions",
        "\"/v1/responses",
        "\"/v1/messages",
    ];
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let last = columns.last()?;
    let is_chat = last.starts_with("POST") && PATHS.iter().any(|path| last.contains(path));
    if !is_chat {
        return None;
    }
    columns.iter().find_map(|column| {
        let word = column.rsplit(' ').next().unwrap_or_default();
        let is_status = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        is_status.then(|| word.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answered_chat_is_a_proof() {
        assert!(proves_a_chat(
            r#"[2025-12-14 00:07:57] [info] [gin_logger.go:64] [GIN] 2025/12/14 - 00:07:57 | 200 |  1.2s |       127.0.0.1 | POST    "/v1/chat/completions""#
        ));
        assert!(proves_a_chat(
            r#"[t] [--------] [info ] [g.go:1] 200 | 50ms | 127.0.0.1 | POST "/v1/responses""#
        ));
        let limited =
            r#"[GIN] 2025/12/14 - 00:07:57 | 429 |  1ms | 127.0.0.1 | POST    "/v1/responses""#;
        assert_eq!(chat_status(limited), Some(429));
        for line in [
            r#"[GIN] 2025/12/14 - 00:07:57 | 401 |  1ms | 127.0.0.1 | POST    "/v1/chat/completions""#,
            r#"[GIN] 2025/12/14 - 00:07:57 | 200 |  1ms | 127.0.0.1 | GET     "/v1/models""#,
            "",
            "|||",
        ] {
            assert!(!proves_a_chat(line), "{line}");
        }
    }
}
