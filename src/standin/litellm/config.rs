//! The config file of LiteLLM, as far as it shows from outside (`facts/litellm.md` 3).

use serde_json::Value;

use crate::standin::scene::Scene;
use crate::standin::yaml;
use crate::sys::read::{self, ReadError};

/// Longest config file.
const LIMIT: u64 = 1024 * 1024;

/// Providers whose prefix the stand-in knows; an entry with another one is dropped.
const PROVIDERS: [&str; 14] = [
    "openai",
    "azure",
    "anthropic",
    "gemini",
    "vertex_ai",
    "bedrock",
    "ollama",
    "openrouter",
    "groq",
    "deepseek",
    "mistral",
    "xai",
    "litellm_proxy",
    "github_copilot",
];

/// Some of the names that LiteLLM's table of prices knows, and so needs no prefix for (the real one,
/// asked); an unknown name without one is dropped.
const KNOWN_MODELS: [&str; 8] = [
    "gpt-5",
    "gpt-5-codex",
    "gpt-5.1-codex",
    "gpt-4o",
    "gpt-4o-mini",
    "o3",
    "claude-sonnet-4-5",
    "gemini-2.5-pro",
];

/// With it set, the proxy starts without a usable master key.
const PERMIT: &str = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY";

/// A config that was read.
#[derive(Debug, Default)]
pub(super) struct Config {
    settings: Value,
    /// The entries that are served, in their order.
    pub deployments: Vec<Deployment>,
}

/// One entry of `model_list`.
#[derive(Debug, Clone)]
pub(super) struct Deployment {
    pub name: String,
    /// `openai/gpt-5`
    pub model: String,
    pub api_base: Option<String>,
    pub api_key: Option<String>,
}

/// Why it does not start.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Before the server object exists: exit 1.
    Load(String),
    /// Inside the application: exit 3.
    Startup {
        /// The last line of the traceback.
        error: String,
        /// What is printed once the server has ended.
        explanation: String,
    },
}

impl Config {
    /// Reads the file and its `model_list`.
    pub fn load(path: Option<&str>, scene: &Scene) -> Result<Self, Refusal> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let value = read_yaml(path, scene)?;
        let settings = value.get("general_settings").cloned().unwrap_or_default();
        if settings.is_string() {
            return Err(Refusal::Load(
                "AttributeError: 'str' object has no attribute 'get'".into(),
            ));
        }
        let deployments = match value.get("model_list") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => {
                let read = entries.iter().map(|entry| Deployment::read(entry, scene));
                read.collect::<Result<Vec<_>, _>>()?
            }
            Some(_) => {
                return Err(startup("TypeError: string indices must be integers"));
            }
        };
        Ok(Self {
            settings,
            deployments: deployments.into_iter().flatten().collect(),
        })
    }

    /// The model names in their order, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for deployment in &self.deployments {
            if !names.contains(&deployment.name.as_str()) {
                names.push(&deployment.name);
            }
        }
        names
    }

    /// The master key; none when it is open to all by the override.
    pub fn settle_master_key(&self, scene: &Scene) -> Result<Option<String>, Refusal> {
        let (key, source) = match self.settings.get("master_key") {
            Some(Value::String(text)) => (expand(text, scene), "general_settings.master_key"),
            Some(Value::Number(_) | Value::Bool(_)) => {
                return Err(startup(
                    "AttributeError: 'int' object has no attribute 'startswith'",
                ));
            }
            _ => (
                scene.variables.get("LITELLM_MASTER_KEY").cloned(),
                "the LITELLM_MASTER_KEY environment variable",
            ),
        };
        let fault = match key.as_deref().map(str::trim) {
            None => {
                "no master key is set, so every request would be accepted without authentication."
            }
            Some("") => "the master key is empty.",
            Some("sk-1234") => "the master key is a publicly known default.",
            Some(_) => return Ok(key),
        };
        if scene.variable(PERMIT).is_some() {
            return Ok(None);
        }
        let origin = if key.is_none() {
            "Neither general_settings.master_key nor the LITELLM_MASTER_KEY environment variable is set.".to_owned()
        } else {
            format!("It comes from {source}.")
        };
        Err(Refusal::Startup {
            error: format!(
                "litellm.proxy.auth.master_key_boot_check.UnsafeMasterKeyError: LiteLLM proxy refused to start: {fault} The fix is printed once the server exits."
            ),
            explanation: format!("\nLiteLLM proxy refused to start: {fault}\n{origin}\n"),
        })
    }
}

impl Deployment {
    /// None for an entry that is dropped silently; a missing key ends the start.
    fn read(entry: &Value, scene: &Scene) -> Result<Option<Self>, Refusal> {
        let missing = |key: &str| startup(&format!("KeyError: '{key}'"));
        let name = entry
            .get("model_name")
            .and_then(Value::as_str)
            .ok_or_else(|| missing("model_name"))?;
        let params = entry
            .get("litellm_params")
            .ok_or_else(|| missing("litellm_params"))?;
        let model = params
            .get("model")
            .and_then(Value::as_str)
            .ok_or_else(|| missing("model"))?;
        let is_known = match model.split_once('/') {
            Some((provider, _)) => PROVIDERS.contains(&provider),
            None => KNOWN_MODELS.contains(&model),
        };
        let text = |key: &str| {
            params
                .get(key)
                .and_then(Value::as_str)
                .and_then(|text| expand(text, scene))
                .filter(|text| !text.is_empty())
        };
        Ok(is_known.then(|| Self {
            name: name.to_owned(),
            model: model.to_owned(),
            api_base: text("api_base"),
            api_key: text("api_key"),
        }))
    }
}

fn read_yaml(path: &str, scene: &Scene) -> Result<Value, Refusal> {
    let bytes = read::whole(&scene.path(path), LIMIT).map_err(|error| {
        Refusal::Load(match error {
            ReadError::Missing => format!("Exception: Config file not found: {path}"),
            ReadError::Directory => {
                format!("IsADirectoryError: [Errno 21] Is a directory: '{path}'")
            }
            ReadError::Denied => format!("PermissionError: [Errno 13] Permission denied: '{path}'"),
            other => format!("OSError: {other}: '{path}'"),
        })
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Refusal::Load("UnicodeDecodeError: 'utf-8' codec can't decode byte".into()))?;
    let value = yaml::parse(&text).map_err(|fault| {
        Refusal::Load(format!(
            "yaml.scanner.ScannerError: mapping values are not allowed here\n  in \"{path}\", line {}, column {}",
            fault.line, fault.column
        ))
    })?;
    match value {
        Value::Object(_) => Ok(value),
        Value::Null => Err(Refusal::Load(
            "Exception: Config cannot be None or Empty.".into(),
        )),
        _ => Err(Refusal::Load(
            "AttributeError: object has no attribute 'get'".into(),
        )),
    }
}

/// `os.environ/NAME` as the value of that variable; none when it is not set.
fn expand(text: &str, scene: &Scene) -> Option<String> {
    match text.strip_prefix("os.environ/") {
        Some(name) => scene.variables.get(name).cloned(),
        None => Some(text.to_owned()),
    }
}

fn startup(error: &str) -> Refusal {
    Refusal::Startup {
        error: error.to_owned(),
        explanation: String::new(),
    }
}
