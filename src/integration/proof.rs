//! Whether a client reaches the gateway: asked as it would ask, with the URL, the key and the models
//! of its own config. No model is asked.

use std::time::Duration;

use flowgate_checks::model::{Outcome, Scheme};
use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::client::Client;
use super::look::{Used, UsedText};
use crate::gateway::as_client::{ClientAnswer, ClientRequest};
use crate::gateway::client::{ClientError, ProbeClient};
use crate::gateway::requests::ClientKey;
use crate::gateway::target::LoopbackTarget;

/// What came of one thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Good,
    /// It is not: why, as a sentence without a full stop.
    Bad(String),
    /// It was not asked, because something before it is wrong.
    NotAsked,
}

/// What a client reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Whether its URL leads to the gateway, and its path to a route of it.
    pub url: Verdict,
    /// Whether its key is accepted.
    pub key: Verdict,
    /// Whether its models are offered.
    pub model: Verdict,
    /// What was sent: `POST /v1/messages/count_tokens`.
    pub asked: Vec<String>,
}

impl Proof {
    /// Whether everything is as it should be.
    pub fn is_good(&self) -> bool {
        [&self.url, &self.key, &self.model]
            .into_iter()
            .all(|verdict| *verdict == Verdict::Good)
    }

    fn nothing_asked(url: String) -> Self {
        Self {
            url: Verdict::Bad(url),
            key: Verdict::NotAsked,
            model: Verdict::NotAsked,
            asked: Vec::new(),
        }
    }
}

/// Asks the gateway as a client would. `root` is the gateway: nobody else is sent a key. `secret` is
/// the key that the client sends, with the value of a variable that its config names.
///
/// # Errors
/// [`ClientError`], when nothing can be asked.
pub async fn prove(
    client: Client,
    used: &Used,
    secret: Option<&SecretString>,
    root: &str,
    deadline: Duration,
) -> Result<Proof, ClientError> {
    let Some(url) = &used.url else {
        return Ok(Proof::nothing_asked("it names no base URL".into()));
    };
    let (target, base) = match place(&url.text, root) {
        Ok(place) => place,
        Err(why) => return Ok(Proof::nothing_asked(why)),
    };
    let mut asking = Asking {
        probe: ProbeClient::new(deadline, None)?,
        target,
        client,
        base: &base,
        proof: Proof {
            url: Verdict::NotAsked,
            key: Verdict::NotAsked,
            model: Verdict::NotAsked,
            asked: Vec::new(),
        },
    };
    let key = match secret.and_then(ClientKey::new) {
        Some(key) => key,
        None => {
            asking.proof.key = Verdict::Bad(missing(used));
            asking.reach_without_key().await;
            return Ok(asking.proof);
        }
    };
    asking.all(key, used).await;
    Ok(asking.proof)
}

fn missing(used: &Used) -> String {
    match used.key.as_ref().and_then(|key| key.variable.as_deref()) {
        Some(name) => format!("its config takes the key from {name}, which is not set here"),
        None => "it has no key".into(),
    }
}

/// The address and the path of a base URL, when it leads to the gateway.
fn place(url: &str, root: &str) -> Result<(LoopbackTarget, String), String> {
    let elsewhere = || {
        format!(
            "it points at {}, and the gateway is {root}",
            crate::config::secrets::plain_url(url)
        )
    };
    let read = |text: &str| {
        let url = Url::parse(text).ok()?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let port = url.port_or_known_default()?;
        let target = LoopbackTarget::new(url.host_str()?, port, scheme)?;
        Some((target, url.path().trim_end_matches('/').to_owned()))
    };
    let (target, base) = read(url).ok_or_else(elsewhere)?;
    match read(root) {
        Some((gateway, _)) if gateway == target => Ok((target, base)),
        _ => Err(elsewhere()),
    }
}

struct Asking<'a> {
    probe: ProbeClient,
    target: LoopbackTarget,
    client: Client,
    base: &'a str,
    proof: Proof,
}

impl Asking<'_> {
    async fn send(&mut self, request: ClientRequest) -> Result<ClientAnswer, String> {
        self.proof.asked.push(request.describe());
        let answer = self.probe.ask_as_client(self.target, &request).await;
        answer.map_err(|outcome| format!("{}: {}", self.target, words(&outcome)))
    }

    async fn reach_without_key(&mut self) {
        let head = self.send(ClientRequest::head(self.base)).await;
        if let Err(why) = head {
            self.proof.url = Verdict::Bad(why);
        }
    }

    async fn all(&mut self, key: ClientKey, used: &Used) {
        if self.client == Client::ClaudeCode
            && let Err(why) = self.send(ClientRequest::head(self.base)).await
        {
            self.proof.url = Verdict::Bad(why);
            return;
        }
        let request = match self.client {
            Client::ClaudeCode => ClientRequest::count_tokens(self.base, key.clone()),
            Client::Codex => ClientRequest::route(self.base, "/responses", key.clone()),
            Client::OpenaiEnv => ClientRequest::route(self.base, "/chat/completions", key.clone()),
        };
        let path = request.path.clone();
        match self.send(request).await {
            Err(why) => {
                self.proof.url = Verdict::Bad(why);
                return;
            }
            Ok(answer) if answer.status == 404 => {
                self.proof.url = Verdict::Bad(format!("{path} is 404: {}", self.too_much()));
                return;
            }
            Ok(_) => self.proof.url = Verdict::Good,
        }
        // Claude Code adds the version itself.
        let base = match self.client {
            Client::ClaudeCode => format!("{}/v1", self.base),
            Client::Codex | Client::OpenaiEnv => self.base.to_owned(),
        };
        match self.send(ClientRequest::models(&base, key)).await {
            Err(why) => self.proof.key = Verdict::Bad(why),
            Ok(answer) if is_refusal(&answer) => {
                self.proof.key =
                    Verdict::Bad(format!("the gateway refuses its key ({})", answer.status));
            }
            Ok(answer) if !(200..300).contains(&answer.status) => {
                self.proof.key = Verdict::Bad(format!("GET /v1/models is {}", answer.status));
            }
            Ok(answer) => {
                self.proof.key = Verdict::Good;
                self.proof.model = models(&answer.body, used.models.values());
            }
        }
    }

    fn too_much(&self) -> String {
        match (self.client, self.base.ends_with("/v1")) {
            (Client::ClaudeCode, true) => {
                "its base URL has one /v1 too much, Claude Code adds that itself".into()
            }
            (_, _) if self.base.contains("/v1/v1") => "its base URL has one /v1 too much".into(),
            _ => format!("its base URL is not {}", self.client_base()),
        }
    }

    fn client_base(&self) -> &'static str {
        match self.client {
            Client::ClaudeCode => "the root of the gateway",
            Client::Codex | Client::OpenaiEnv => "that of the gateway with /v1",
        }
    }
}

/// LiteLLM without a database says 400 to a key that it does not know (`facts/litellm.md` 5).
fn is_refusal(answer: &ClientAnswer) -> bool {
    let is_unknown = |body: &[u8]| String::from_utf8_lossy(body).contains("no_db_connection");
    matches!(answer.status, 401 | 403) || answer.status == 400 && is_unknown(&answer.body)
}

fn models<'a>(body: &[u8], asked: impl Iterator<Item = &'a UsedText>) -> Verdict {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    let offered: Vec<&str> = list["data"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(|model| model["id"].as_str())
        .collect();
    if offered.is_empty() {
        return Verdict::Bad("the gateway offers no model".into());
    }
    let mut missing: Vec<&str> = asked
        .map(|model| model.text.as_str())
        .filter(|model| !offered.contains(model) && !offered.iter().any(|name| name.contains('*')))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let Some(first) = missing.first() else {
        return Verdict::Good;
    };
    let near = flowgate_checks::suggest::closest(first, &offered).or(offered.first().copied());
    Verdict::Bad(format!(
        "the gateway does not offer {}; it offers {}",
        missing.join(", "),
        near.unwrap_or_default()
    ))
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused => "nothing listens there".into(),
        Outcome::Timeout => "no answer in time".into(),
        Outcome::Reset => "the connection was reset".into(),
        Outcome::NotHttp => "what answers there speaks no HTTP".into(),
        Outcome::WrongScheme | Outcome::TlsRefused => "http and https do not match".into(),
        Outcome::Unreachable { why } => why.clone(),
        Outcome::Http { status, .. } => format!("answers {status}"),
    }
}
