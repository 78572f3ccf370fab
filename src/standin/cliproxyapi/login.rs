//! Logins of Codex through the management API (`facts/cliproxyapi.md` 4.2, 4.4;
//! `facts/real-stack.md`, OAuth). The provider is played too: a code that begins with `good` is
//! exchanged for tokens, one that begins with `offline` meets no network, others are refused.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::config::Config;
use super::edition::{Edition, HTML, JSON, PLAIN};
use crate::standin::http::{Request, Response};
use crate::standin::scene::Scene;
use crate::standin::server::{App, Server, bind};
use crate::sys::hex::random_id;
use crate::sys::read;

/// The real port, unless a test says otherwise.
const CALLBACK_PORT: &str = "FLOWGATE_STANDIN_CALLBACK_PORT";

/// Milliseconds that a login waits for its browser; 5 minutes of the real program.
const LIMIT: &str = "FLOWGATE_STANDIN_LOGIN_LIMIT_MS";

/// How often it looks for the file of the browser.
const PAUSE: Duration = Duration::from_millis(500);

/// A browser's answer is far smaller, in bytes.
const LONGEST: u64 = 64 * 1024;

const PAGE: &str = "<html><head><meta charset=\"utf-8\"><title>Authentication successful</title></head><body><h1>Authentication successful!</h1><p>You can close this window.</p></body></html>";

/// What became of a login.
enum State {
    Waiting,
    Failed(String),
    /// Mainline remembers it for a minute.
    Done(Instant),
}

/// All logins of one run; a restart forgets them.
pub(super) struct Logins {
    edition: Edition,
    scene: Scene,
    port: u16,
    limit: Duration,
    states: Mutex<BTreeMap<String, State>>,
    /// What listens on the callback port, with the login that began it.
    forwarder: Mutex<Option<(String, Server)>>,
}

impl Logins {
    pub fn new(edition: Edition, scene: &Scene) -> Arc<Self> {
        let number = |name| scene.variable(name).and_then(|text| text.parse().ok());
        Arc::new(Self {
            edition,
            port: number(CALLBACK_PORT).map_or(1455, |port| u16::try_from(port).unwrap_or(1455)),
            limit: Duration::from_millis(number(LIMIT).unwrap_or(300_000)),
            scene: scene.clone(),
            states: Mutex::default(),
            forwarder: Mutex::default(),
        })
    }

    /// `GET codex-auth-url`
    pub fn begin(self: &Arc<Self>, request: &Request, config: &Config) -> Response {
        let refuse = |why: &str| Response::json(500, JSON, &json!({"error": why}));
        self.scene
            .console
            .out("Initializing Codex authentication...\n");
        let state = format!("{}{}", random_id(), random_id());
        let is_webui = request.parameter("is_webui").is_some_and(|value| {
            ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
        });
        if is_webui {
            let Ok(port @ 1..) = u16::try_from(config.port) else {
                return refuse("callback server unavailable");
            };
            if let Err(why) = self.forward(&state, port) {
                // Plus drops the reason (`facts/real-stack.md` 2.17).
                let text = match self.edition {
                    Edition::Plus => "failed to start codex callback forwarder".to_owned(),
                    Edition::Mainline => {
                        format!("failed to start codex callback forwarder error={why}")
                    }
                };
                self.log("error", "auth_files.go:1197", &text);
                return refuse("failed to start callback server");
            }
        }
        self.set(&state, State::Waiting);
        let (logins, dir, of) = (Arc::clone(self), config.auth_dir.clone(), state.clone());
        thread::spawn(move || {
            logins.wait(&of, &dir);
            if is_webui {
                logins.stop_forwarding(&of);
            }
        });
        let url = format!(
            "https://auth.openai.com/oauth/authorize?client_id=app_standin&code_challenge=c&code_challenge_method=S256&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&response_type=code&state={state}"
        );
        Response::json(
            200,
            JSON,
            &json!({"state": state, "status": "ok", "url": url}),
        )
    }

    /// `GET get-auth-status`
    pub fn status(&self, request: &Request) -> Response {
        let Ok(mut states) = self.states.lock() else {
            return Response::new(500, PLAIN, "");
        };
        let state = request.parameter("state").unwrap_or_default();
        let is_mainline = self.edition == Edition::Mainline;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if is_mainline && !state.bytes().all(is_plain) {
            return Response::json(
                400,
                JSON,
                &json!({"error": "invalid state", "status": "error"}),
            );
        }
        let answer = match states.get(state) {
            Some(State::Waiting) => json!({"status": "wait"}),
            Some(State::Failed(why)) => json!({"error": why, "status": "error"}),
            Some(State::Done(at)) if at.elapsed() < Duration::from_secs(60) => {
                json!({"status": "ok"})
            }
            Some(State::Done(_)) | None if is_mainline && !state.is_empty() => {
                json!({"error": "unknown or expired state", "status": "error"})
            }
            // Plus says so of every login that it does not know.
            Some(State::Done(_)) | None => json!({"status": "ok"}),
        };
        // And it tells an error once.
        if !is_mainline && answer["status"] == "error" {
            states.remove(state);
        }
        Response::json(200, JSON, &answer)
    }

    /// The page to which the browser is sent on: always a success, whatever it brings.
    pub fn page(&self, request: &Request, config: &Config) -> Response {
        let value = |name| decoded(request.parameter(name).unwrap_or_default());
        let state = value("state");
        if !state.is_empty() && state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.write_callback(&state, &value("code"), &value("error"), &config.auth_dir);
        }
        Response::new(200, HTML, PAGE)
    }

    /// `POST oauth-callback` of mainline, which says whether it fits.
    pub fn deliver(&self, request: &Request, config: &Config) -> Response {
        let refuse = |status, why: &str| {
            Response::json(status, JSON, &json!({"error": why, "status": "error"}))
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (state, code, error) = (text("state"), text("code"), text("error"));
        if state.is_empty() {
            return refuse(400, "state is required");
        }
        if code.is_empty() && error.is_empty() {
            return refuse(400, "code or error is required");
        }
        if text("provider") != "codex" {
            return refuse(400, "unsupported provider");
        }
        match self
            .states
            .lock()
            .as_deref()
            .map(|states| states.get(&state).map(is_waiting))
        {
            Ok(Some(true)) => {}
            Ok(Some(false)) => return refuse(409, "oauth flow is not pending"),
            Ok(None) | Err(_) => return refuse(404, "unknown or expired state"),
        }
        self.write_callback(&state, &code, &error, &config.auth_dir);
        Response::json(200, JSON, &json!({"status": "ok"}))
    }

    /// Errors are ignored, as by the program.
    fn write_callback(&self, state: &str, code: &str, error: &str, dir: &Path) {
        let text = json!({"code": code, "error": error, "state": state}).to_string();
        let opened = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(callback_file(dir, state));
        if let Ok(mut file) = opened {
            let _ = file.write_all(text.as_bytes());
        }
    }

    /// The part behind the scenes: from the file of the browser to the token file.
    fn wait(&self, state: &str, dir: &Path) {
        let deadline = Instant::now() + self.limit;
        let file = callback_file(dir, state);
        let answer: Value = loop {
            if Instant::now() >= deadline {
                self.log(
                    "error",
                    "auth_files.go:1215",
                    "Authentication timed out. Please try again.",
                );
                return self.set(
                    state,
                    State::Failed("Timeout waiting for OAuth callback".into()),
                );
            }
            if let Ok(bytes) = read::whole(&file, LONGEST) {
                let _ = fs::remove_file(&file);
                break serde_json::from_slice(&bytes).unwrap_or_default();
            }
            thread::park_timeout(PAUSE.min(self.limit / 4));
        };
        if answer["error"]
            .as_str()
            .is_some_and(|error| !error.is_empty())
        {
            self.log(
                "error",
                "auth_files.go:1225",
                "Authentication was cancelled or denied.",
            );
            return self.set(state, State::Failed("Bad Request".into()));
        }
        let code = answer["code"].as_str().unwrap_or_default();
        match self.exchange(code, dir) {
            Ok(path) => {
                let text = format!(
                    "Authentication successful! Token saved to {}\n",
                    path.display()
                );
                self.scene.console.out(&text);
                match self.edition {
                    Edition::Plus => self.forget(state),
                    Edition::Mainline => self.set(state, State::Done(Instant::now())),
                }
            }
            Err(why) => {
                self.log("error", "auth_files.go:1263", &why);
                self.set(state, State::Failed(why));
            }
        }
    }

    /// What the provider makes of a code, and where the tokens go: with the modes of `os.Create`.
    fn exchange(&self, code: &str, dir: &Path) -> Result<PathBuf, String> {
        if code.starts_with("offline") {
            return Err("Failed to exchange authorization code for tokens".into());
        }
        if !code.starts_with("good") {
            return Err("Token exchange failed with status 403".into());
        }
        let (email, rest) = ("bo@example.com", code.trim_start_matches("good"));
        let token = json!({
            "access_token": format!("at-standin{rest}"), "account_id": "acct-2", "email": email,
            "expired": "2099-01-01T00:00:00Z", "id_token": "", "last_refresh": "2026-11-24T10:00:00Z",
            "refresh_token": format!("rt-standin{rest}"), "type": "codex",
        });
        let name = match self.edition {
            Edition::Plus => format!("codex-{email}.json"),
            Edition::Mainline => format!("codex-6d15beaa-{email}-plus.json"),
        };
        save(&dir.join(name), &token).map_err(|_| "Failed to save authentication tokens".into())
    }

    /// Listens on the callback port in the place of whoever did.
    ///
    /// # Errors
    /// The words of Go's net package.
    fn forward(&self, state: &str, to: u16) -> Result<(), String> {
        let mut held = self.forwarder.lock().map_err(|_| "poisoned".to_owned())?;
        *held = None;
        let shown = match self.edition {
            Edition::Plus => "127.0.0.1",
            Edition::Mainline => "0.0.0.0",
        };
        let busy = |_| {
            format!(
                "failed to listen on {shown}:{0}: listen tcp {shown}:{0}: bind: address already in use",
                self.port
            )
        };
        let mut listeners = vec![bind(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port).map_err(busy)?];
        if self.edition == Edition::Mainline {
            // It listens on all addresses, which are the two of loopback here.
            listeners.push(bind(IpAddr::V6(Ipv6Addr::LOCALHOST), self.port).map_err(busy)?);
        }
        let server = Server::start(listeners, Arc::new(Forwarder { to })).map_err(busy)?;
        *held = Some((state.to_owned(), server));
        let text = format!(
            "callback forwarder for codex listening on {shown}:{}",
            self.port
        );
        self.log("info", "auth_files.go:214", &text);
        Ok(())
    }

    /// Plus closes whatever listens there, also for another login.
    fn stop_forwarding(&self, state: &str) {
        let Ok(mut held) = self.forwarder.lock() else {
            return;
        };
        let is_own = held.as_ref().is_some_and(|(of, _)| of == state);
        if is_own || self.edition == Edition::Plus {
            *held = None;
            let text = format!("callback forwarder on port {} stopped", self.port);
            self.log("info", "auth_files.go:247", &text);
        }
    }

    fn set(&self, state: &str, now: State) {
        if let Ok(mut states) = self.states.lock() {
            states.insert(state.to_owned(), now);
        }
    }

    fn forget(&self, state: &str) {
        if let Ok(mut states) = self.states.lock() {
            states.remove(state);
        }
    }

    fn log(&self, level: &str, place: &str, text: &str) {
        self.scene
            .console
            .out(&self.edition.log_line(level, place, text));
    }
}

/// Saves a token as the program does at a first login: readable as the umask has it.
pub(super) fn save(path: &Path, token: &Value) -> std::io::Result<PathBuf> {
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)?;
    file.write_all(token.to_string().as_bytes())?;
    Ok(path.to_owned())
}

fn is_waiting(state: &State) -> bool {
    matches!(state, State::Waiting)
}

fn callback_file(dir: &Path, state: &str) -> PathBuf {
    dir.join(format!(".oauth-codex-{state}.oauth"))
}

/// The value of a query parameter.
fn decoded(text: &str) -> String {
    let url = format!("http://localhost/?v={text}");
    reqwest::Url::parse(&url)
        .ok()
        .and_then(|url| {
            url.query_pairs()
                .next()
                .map(|(_, value)| value.into_owned())
        })
        .unwrap_or_default()
}

/// Sends every path on to the program itself.
struct Forwarder {
    to: u16,
}

impl App for Forwarder {
    fn answer(&self, request: &Request) -> Response {
        let query = match request.query.as_str() {
            "" => String::new(),
            query => format!("?{query}"),
        };
        let to = format!("http://127.0.0.1:{}/codex/callback{query}", self.to);
        Response::new(302, HTML, "")
            .with("Location", to)
            .with("Cache-Control", "no-store")
    }

    fn note(&self, _: &Request, _: &Response, _: SocketAddr, _: Duration) {}

    fn malformed(&self) -> Response {
        Response::new(400, PLAIN, "400 Bad Request")
    }
}
