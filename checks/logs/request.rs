//! A request in the log of either program, answered in whatever way.

/// Whether a log line shows a request that was answered. Examples:
/// `INFO:     127.0.0.1:56014 - "GET /health/liveliness HTTP/1.1" 200 OK` (LiteLLM),
/// `[GIN] 2025/12/14 - 00:07:57 | 200 |  1.2s | 127.0.0.1 | GET     "/v1/models"` (Plus),
/// `200 | 50ms | 127.0.0.1 | POST "/v1/responses"` (mainline).
pub fn is_request(line: &str) -> bool {
    line.contains(" HTTP/1.1\" ") || is_gin(line)
}

fn is_gin(line: &str) -> bool {
    const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    columns.len() >= 4
        && columns.last().is_some_and(|last| {
            METHODS.iter().any(|method| last.starts_with(method)) && last.contains("\"/")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_from_what_a_start_says() {
        for line in [
            r#"INFO:     127.0.0.1:56014 - "GET /health/liveliness HTTP/1.1" 200 OK"#,
            r#"[t] [warning] [g.go:62] [GIN] 2026/11/23 - 03:02:03 | 404 |  0s | 127.0.0.1 | GET     "/healthz""#,
            r#"[t] [--------] [info ] [g.go:1] 200 | 50ms | 127.0.0.1 | POST "/v1/responses""#,
        ] {
            assert!(is_request(line), "{line}");
        }
        for line in [
            "INFO:     Uvicorn running on http://127.0.0.1:4000 (Press CTRL+C to quit)",
            "API server started successfully on: 127.0.0.1:8317",
            "|||",
            "",
        ] {
            assert!(!is_request(line), "{line}");
        }
    }
}
