//! LiteLLM's access log: which client asked for what, and how it was answered. Its lines hold neither
//! a user agent nor a time (`facts/clients.md`).

/// A request, as one line of the access log shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// The path without what follows a `?`.
    pub path: &'a str,
    /// The status.
    pub status: u16,
}

/// A request that a client sent, with what LiteLLM said between it and the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRequest<'a> {
    /// Which client sends such a request: `codex`, `claude-code`, `openai-env`.
    pub client: &'static str,
    /// The request.
    pub access: Access<'a>,
    /// Its line in the log.
    pub line: &'a str,
    /// The model that was refused beside it.
    pub unknown_model: Option<&'a str>,
    /// Whether a key was refused beside it.
    pub key_refused: bool,
}

/// The request of a line. Example: `INFO:     127.0.0.1:57122 - "POST /v1/responses HTTP/1.1" 400 Bad Request`.
pub fn access(line: &str) -> Option<Access<'_>> {
    let (before, after) = line.split_once(" HTTP/1.1\" ")?;
    let (_, request) = before.split_once(" - \"")?;
    let (method, target) = request.split_once(' ')?;
    Some(Access {
        method,
        path: target.split(['?', '#']).next().unwrap_or(target),
        status: after.get(..3)?.parse().ok()?,
    })
}

/// The client that asks for a path, with or without a `/v1` too much.
fn client_of(path: &str) -> Option<&'static str> {
    let mut rest = path;
    while let Some(shorter) = rest.strip_prefix("/v1") {
        rest = shorter;
    }
    match rest {
        "/messages" | "/messages/count_tokens" => Some("claude-code"),
        "/responses" => Some("codex"),
        "/chat/completions" => Some("openai-env"),
        _ => None,
    }
}

/// Every request with which clients ask for an answer, oldest first.
pub fn client_requests(lines: &[String]) -> Vec<ClientRequest<'_>> {
    let mut requests = Vec::new();
    let (mut unknown_model, mut key_refused) = (None, false);
    for line in lines {
        let Some(access) = access(line) else {
            unknown_model = refused_model(line).or(unknown_model);
            key_refused |=
                line.contains("No connected db.") || line.contains("No api key passed in");
            continue;
        };
        let client = client_of(access.path).filter(|_| access.method == "POST");
        if let Some(client) = client {
            let is_refused = (400..500).contains(&access.status);
            requests.push(ClientRequest {
                client,
                access,
                line,
                unknown_model: unknown_model.filter(|_| is_refused),
                key_refused: key_refused && matches!(access.status, 400 | 401),
            });
        }
        (unknown_model, key_refused) = (None, false);
    }
    requests
}

/// The model of `anthropic_messages: Invalid model name passed in model=NAME. Call …`.
fn refused_model(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Invalid model name passed in model=")?;
    let end = rest.find(". ").unwrap_or(rest.len());
    let end = rest.find(char::is_whitespace).map_or(end, |at| end.min(at));
    let name = rest[..end].trim_end_matches('.');
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_without_its_query() {
        let line = r#"INFO:     127.0.0.1:45030 - "POST /v1/v1/messages?beta=true HTTP/1.1" 404 Not Found"#;
        let read = access(line).unwrap();
        assert_eq!(
            (read.method, read.path, read.status),
            ("POST", "/v1/v1/messages", 404)
        );
        for odd in [
            "",
            "a - \"GET",
            r#" - "GET / HTTP/1.1" xx"#,
            r#" - "GET / HTTP/1.1" é"#,
        ] {
            assert_eq!(access(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_said_before_a_request_belongs_to_it_alone() {
        let lines: Vec<String> = [
            "ERROR: Exception occured - No connected db.",
            r#"INFO:     127.0.0.1:1 - "GET /v1/models HTTP/1.1" 400 Bad Request"#,
            r#"INFO:     127.0.0.1:1 - "POST /v1/messages HTTP/1.1" 400 Bad Request"#,
            "ERROR: anthropic_messages: Invalid model name passed in model=gpt-5.1-old. Call `/v1/models` to view",
            r#"INFO:     127.0.0.1:1 - "POST /v1/messages?beta=true HTTP/1.1" 400 Bad Request"#,
            "ERROR: No api key passed in.",
            r#"INFO:     127.0.0.1:1 - "POST /responses HTTP/1.1" 401 Unauthorized"#,
        ]
        .map(str::to_owned)
        .to_vec();
        let requests = client_requests(&lines);
        let told: Vec<_> = requests
            .iter()
            .map(|request| (request.client, request.unknown_model, request.key_refused))
            .collect();
        assert_eq!(
            told,
            [
                ("claude-code", None, false),
                ("claude-code", Some("gpt-5.1-old"), false),
                ("codex", None, true),
            ]
        );
    }
}
