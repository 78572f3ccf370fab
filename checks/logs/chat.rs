//! A chat that went through, as CLIProxyAPI's request log shows it.

/// Whether a log line of CLIProxyAPI(Plus) shows a chat that was answered 2xx. Examples:
/// `[GIN] 2025/12/14 - 00:07:57 | 200 |  1.2s | 127.0.0.1 | POST    "/v1/chat/completions"` (Plus),
/// `200 | 50ms | 127.0.0.1 | POST "/v1/responses"` (mainline). `facts/cliproxyapi.md` 6.3.
pub fn proves_a_chat(line: &str) -> bool {
    const PATHS: [&str; 3] = [
        "\"/v1/chat/completions",
        "\"/v1/responses",
        "\"/v1/messages",
    ];
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let is_success = |column: &&str| {
        let status = column.rsplit(' ').next().unwrap_or_default();
        status.len() == 3
            && status.starts_with('2')
            && status.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_chat = |column: &&str| {
        column.starts_with("POST") && PATHS.iter().any(|path| column.contains(path))
    };
    columns.iter().any(is_success) && columns.last().is_some_and(is_chat)
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
