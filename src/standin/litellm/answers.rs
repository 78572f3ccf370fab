//! What LiteLLM answers (`facts/litellm.md` 6).

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::config::Config;
use crate::standin::console::Console;
use crate::standin::http::{Request, Response};
use crate::standin::journal::Journal;
use crate::standin::scene::Scene;
use crate::standin::server::App;

const JSON: (&str, &str) = ("content-type", "application/json");
const PLAIN: (&str, &str) = ("content-type", "text/plain; charset=utf-8");
const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");

const HOME: &str = "<!DOCTYPE html>\n<html>\n<head>\n<title>LiteLLM API - Swagger UI</title>\n</head>\n<body>\n<div id=\"swagger-ui\"></div>\n</body>\n</html>\n";

/// Routes that ask a model, by POST alone; how a model answers is not played.
const MODEL_ROUTES: [&str; 4] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
];

/// The application behind the server.
pub(super) struct Proxy {
    key: Option<String>,
    config: Config,
    console: Console,
    journal: Journal,
}

impl Proxy {
    pub fn new(key: Option<String>, config: Config, scene: &Scene) -> Self {
        Self {
            key,
            config,
            console: scene.console.clone(),
            journal: scene.journal("litellm"),
        }
    }

    /// The refusal of a request, when its key is not the master key.
    fn refuse(&self, request: &Request) -> Option<Response> {
        let wanted = self.key.as_deref()?;
        match request.any_key() {
            Some(key) if key == wanted => None,
            Some(_) => Some(Response::new(
                400,
                JSON,
                r#"{"error":{"message":"No connected db.","type":"no_db_connection","param":null,"code":"400"}}"#,
            )),
            None => {
                self.console.err(
                    "LiteLLM Proxy:ERROR: auth_exception_handler.py:197 - litellm.proxy.proxy_server.user_api_key_auth(): Exception occured - No api key passed in.\n",
                );
                Some(Response::new(500, PLAIN, "Internal Server Error"))
            }
        }
    }

    fn models(&self) -> Response {
        let data: Vec<_> = self
            .config
            .names()
            .into_iter()
            .map(|name| json!({"id": name, "object": "model", "created": 1_677_610_602, "owned_by": "openai"}))
            .collect();
        Response::json(200, JSON, &json!({"data": data, "object": "list"}))
    }

    /// Every deployment as healthy; the real one calls each model here.
    fn health(&self) -> Response {
        let healthy: Vec<_> = self
            .config
            .deployments
            .iter()
            .map(|deployment| json!({"api_base": deployment.api_base, "model": deployment.model}))
            .collect();
        let body = json!({
            "healthy_count": healthy.len(), "healthy_endpoints": healthy,
            "unhealthy_count": 0, "unhealthy_endpoints": [],
        });
        Response::json(200, JSON, &body)
    }
}

fn not_allowed() -> Response {
    Response::new(405, JSON, r#"{"detail":"Method Not Allowed"}"#)
}

impl App for Proxy {
    fn answer(&self, request: &Request) -> Response {
        let is_get = request.method == "GET" || request.method == "HEAD";
        match request.path.as_str() {
            "/" if is_get => Response::new(200, HTML, HOME),
            "/health/liveliness" | "/health/liveness" if is_get => {
                Response::new(200, JSON, "\"I'm alive!\"")
            }
            "/health/readiness" if is_get => {
                Response::new(200, JSON, r#"{"status":"healthy","db":"Not connected"}"#)
            }
            "/v1/models" | "/models" if is_get => {
                self.refuse(request).unwrap_or_else(|| self.models())
            }
            "/health" if is_get => self.refuse(request).unwrap_or_else(|| self.health()),
            "/" | "/v1/models" | "/models" | "/health" => not_allowed(),
            path if is_get && MODEL_ROUTES.contains(&path) => not_allowed(),
            _ => Response::new(404, JSON, r#"{"detail":"Not Found"}"#),
        }
    }

    fn note(&self, request: &Request, response: &Response, peer: SocketAddr, _took: Duration) {
        self.journal.note(request, response);
        let (method, path) = (&request.method, &request.path);
        let (status, reason) = (response.status, response.reason());
        self.console.out(&format!(
            "INFO:     {peer} - \"{method} {path} HTTP/1.1\" {status} {reason}\n"
        ));
    }

    fn malformed(&self) -> Response {
        Response::new(400, PLAIN, "Invalid HTTP request received.")
    }
}
