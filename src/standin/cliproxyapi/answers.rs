//! What CLIProxyAPI(Plus) answers (`facts/cliproxyapi.md` 3, `facts/real-stack.md` "HTTP").

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Management, refuse_client};
use super::config::Config;
use super::edition::{Edition, HTML, JSON, PLAIN, model};
use super::live::LiveConfig;
use super::login::Logins;
use super::tokens::{self, Token};
use crate::standin::console::Console;
use crate::standin::http::{Request, Response};
use crate::standin::journal::Journal;
use crate::standin::scene::Scene;
use crate::standin::server::App;

const IDENTITY: &str = r#"{"endpoints":["POST /v1/chat/completions","POST /v1/completions","GET /v1/models"],"message":"CLI Proxy API Server"}"#;

const SAFE_MODE_PAGE: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Example API key detected</title></head><body></body></html>";

/// The application behind the server.
pub(super) struct Proxy {
    live: LiveConfig,
    edition: Edition,
    management: Management,
    logins: Arc<Logins>,
    console: Console,
    journal: Journal,
}

impl Proxy {
    pub fn new(live: LiveConfig, edition: Edition, scene: &Scene) -> Self {
        Self {
            live,
            edition,
            management: Management::new(scene.variable("MANAGEMENT_PASSWORD"), edition),
            logins: Logins::new(edition, scene),
            console: scene.console.clone(),
            journal: scene.journal("cliproxyapi"),
        }
    }

    /// The config in force.
    pub fn config(&self) -> Config {
        self.live.current().unwrap_or_else(|| Config {
            host: String::new(),
            port: 0,
            auth_dir: Default::default(),
            keys: Some(vec![String::new()]),
            secret: None,
            allow_remote: false,
            compatible: Vec::new(),
        })
    }

    fn root(&self, config: &Config) -> Response {
        if self.edition == Edition::Mainline && config.has_template_keys() {
            Response::new(200, HTML, SAFE_MODE_PAGE)
        } else {
            Response::new(200, JSON, IDENTITY)
        }
    }

    fn models(&self, config: &Config) -> Response {
        let mut data: Vec<Value> = Vec::new();
        let tokens = tokens::read_all(&config.auth_dir, self.edition);
        let of_tokens = tokens
            .iter()
            .filter(|token| !token.is_disabled)
            .flat_map(|token| self.edition.models(&token.kind));
        let of_keys = config.compatible.iter().map(|(owner, id)| model(id, owner));
        for item in of_tokens.chain(of_keys) {
            if !data.iter().any(|known| known["id"] == item["id"]) {
                data.push(item);
            }
        }
        Response::json(200, JSON, &json!({"data": data, "object": "list"}))
    }

    fn manage(&self, request: &Request, config: &Config) -> Response {
        if !self.management.is_on(config) {
            return self.edition.not_found();
        }
        let name = request.path.trim_start_matches("/v0/management/");
        let is_mainline = self.edition == Edition::Mainline;
        // Mainline takes a browser's answer from whoever knows its state.
        if is_mainline && request.method == "POST" && name == "oauth-callback" {
            return self.edition.stamped(self.logins.deliver(request, config));
        }
        let routes = ["auth-files", "codex-auth-url", "get-auth-status"];
        let is_known = request.method == "GET" && routes.contains(&name);
        // Plus knows the route before it looks at the key, mainline the other way round.
        if !is_known && !is_mainline {
            return self.edition.not_found();
        }
        if let Some(refusal) = self.management.refuse(request, config) {
            return refusal;
        }
        let response = match name {
            "codex-auth-url" if is_known => self.logins.begin(request, config),
            "get-auth-status" if is_known => self.logins.status(request),
            "auth-files" if is_known => self.auth_files(config),
            _ => return self.edition.not_found(),
        };
        self.edition.stamped(response)
    }

    fn auth_files(&self, config: &Config) -> Response {
        let files: Vec<Value> = tokens::read_all(&config.auth_dir, self.edition)
            .iter()
            .enumerate()
            .map(|(index, token)| auth_file(index, token))
            .collect();
        Response::json(200, JSON, &json!({"files": files}))
    }
}

fn auth_file(index: usize, token: &Token) -> Value {
    let modified = std::fs::metadata(&token.path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| Timestamp::try_from(modified).ok())
        .map(|at| at.to_string());
    let status = if token.is_disabled {
        "disabled"
    } else {
        "active"
    };
    let mut file = json!({
        "account_type": "oauth", "auth_index": index, "created_at": modified,
        "disabled": token.is_disabled, "id": token.name, "modtime": modified, "name": token.name,
        "path": token.path.display().to_string(), "provider": token.kind, "runtime_only": false,
        "size": token.size, "source": "file", "status": status, "status_message": "",
        "type": token.kind, "unavailable": false, "updated_at": modified,
    });
    if let Some(email) = &token.email {
        for key in ["account", "email", "label"] {
            file[key] = Value::from(email.as_str());
        }
    }
    file
}

impl App for Proxy {
    fn answer(&self, request: &Request) -> Response {
        let config = self.config();
        let is_get = request.method == "GET";
        let response = match request.path.as_str() {
            _ if request.method == "OPTIONS" => Response::new(204, ("", ""), ""),
            "/" if is_get => self.root(&config),
            "/healthz"
                if self.edition == Edition::Mainline && (is_get || request.method == "HEAD") =>
            {
                Response::new(200, JSON, r#"{"status":"ok"}"#)
            }
            "/v1/models" if is_get => refuse_client(request, &config, self.edition)
                .unwrap_or_else(|| self.models(&config)),
            "/codex/callback" if is_get => self.logins.page(request, &config),
            path if path.starts_with("/v0/management/") => self.manage(request, &config),
            _ => self.edition.not_found(),
        };
        response.with("Access-Control-Allow-Origin", "*")
    }

    fn note(&self, request: &Request, response: &Response, peer: SocketAddr, took: Duration) {
        self.journal.note(request, response);
        let (method, path, status) = (&request.method, &request.path, response.status);
        let (took, peer) = (format!("{}ms", took.as_millis()), peer.ip().to_string());
        let level = match status {
            500.. => "error",
            400.. => "warn",
            _ => "info",
        };
        let text = format!("{status} | {took:>13} | {peer:>15} | {method:<7} \"{path}\"");
        let line = match self.edition {
            Edition::Plus => {
                let time = Timestamp::now().strftime("%Y/%m/%d - %H:%M:%S");
                let text = format!("[GIN] {time} | {text}");
                self.edition.log_line(level, "gin_logger.go:64", &text)
            }
            Edition::Mainline => self.edition.log_line(level, "gin_logger.go:97", &text),
        };
        self.console.out(&line);
    }

    fn malformed(&self) -> Response {
        Response::new(400, PLAIN, "400 Bad Request")
    }
}
