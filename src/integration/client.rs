//! The clients that flowgate can point at the gateway, and what each is told.

use std::path::{Path, PathBuf};

use super::format::Format;
use super::gateway::Gateway;

/// What stands for a key until somebody writes one; no gateway accepts it.
pub const PLACEHOLDER: &str = "your-gateway-token";

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Codex CLI.
    Codex,
    /// Claude Code.
    ClaudeCode,
    /// Whatever reads `OPENAI_BASE_URL` and `OPENAI_API_KEY`.
    OpenaiEnv,
}

/// One value that a client is told.
pub struct Setting {
    /// Where it stands: `["env", "ANTHROPIC_BASE_URL"]`.
    pub path: &'static [&'static str],
    /// The value.
    pub value: String,
}

/// The key of a client: where it stands, and what else would give it one.
pub struct KeyPlace {
    /// Where flowgate writes it.
    pub path: &'static [&'static str],
    /// Entries that give the client a key as well; with one of them nothing is written.
    pub others: &'static [&'static [&'static str]],
}

impl Client {
    /// Every client.
    pub const ALL: [Self; 3] = [Self::Codex, Self::ClaudeCode, Self::OpenaiEnv];

    /// Its name: `codex`, `claude-code`, `openai-env`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codex => "codex",
            Self::ClaudeCode => "claude-code",
            Self::OpenaiEnv => "openai-env",
        }
    }

    /// The client of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.name() == name)
    }

    /// How its config is written.
    pub fn format(self) -> Format {
        match self {
            Self::Codex => Format::Toml,
            Self::ClaudeCode => Format::Json,
            Self::OpenaiEnv => Format::Lines,
        }
    }

    /// Its config file for a user. `variable` gives variables of the environment: Codex and Claude
    /// Code look for theirs where `CODEX_HOME` and `CLAUDE_CONFIG_DIR` say.
    pub fn config_file(self, home: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
        let folder = |name: &str, usual: &str| variable(name).unwrap_or_else(|| home.join(usual));
        match self {
            Self::Codex => folder("CODEX_HOME", ".codex").join("config.toml"),
            Self::ClaudeCode => folder("CLAUDE_CONFIG_DIR", ".claude").join("settings.json"),
            Self::OpenaiEnv => folder("XDG_CONFIG_HOME", ".config").join("flowgate/openai.env"),
        }
    }

    /// The base URL under which it asks a gateway: Claude Code adds `/v1` itself.
    pub fn base_url(self, gateway: &Gateway) -> String {
        match self {
            Self::ClaudeCode => gateway.root.clone(),
            Self::Codex | Self::OpenaiEnv => format!("{}/v1", gateway.root),
        }
    }

    /// What it is told of a gateway, its key left out (`facts/original.md` 4.11).
    pub fn settings(self, gateway: &Gateway) -> Vec<Setting> {
        let set = |path, value: &str| Setting {
            path,
            value: value.to_owned(),
        };
        let url = self.base_url(gateway);
        let (model, fast) = (&gateway.model, &gateway.fast_model);
        match self {
            Self::Codex => vec![
                set(&["model_provider"], "flowgate"),
                set(&["model"], model),
                set(&["model_providers", "flowgate", "name"], "FlowGate Local"),
                set(Self::CODEX_URL, &url),
                set(&["model_providers", "flowgate", "wire_api"], "responses"),
            ],
            Self::ClaudeCode => vec![
                set(Self::CLAUDE_URL, &url),
                set(&["env", "ANTHROPIC_MODEL"], model),
                set(&["env", "ANTHROPIC_DEFAULT_OPUS_MODEL"], model),
                set(&["env", "ANTHROPIC_DEFAULT_SONNET_MODEL"], model),
                set(&["env", "ANTHROPIC_DEFAULT_HAIKU_MODEL"], fast),
            ],
            Self::OpenaiEnv => vec![
                set(Self::OPENAI_URL, &url),
                set(&["OPENAI_API_BASE"], &url),
                set(&["OPENAI_MODEL"], model),
            ],
        }
    }

    /// Where flowgate gives Codex its base URL.
    pub const CODEX_URL: &'static [&'static str] = &["model_providers", "flowgate", "base_url"];
    /// Where Claude Code reads its base URL.
    pub const CLAUDE_URL: &'static [&'static str] = &["env", "ANTHROPIC_BASE_URL"];
    /// Where other tools read their base URL.
    pub const OPENAI_URL: &'static [&'static str] = &["OPENAI_BASE_URL"];

    /// Where its key stands.
    pub fn key_place(self) -> KeyPlace {
        match self {
            // With `env_key` Codex takes the key from that variable, and from nowhere else.
            Self::Codex => KeyPlace {
                path: &["model_providers", "flowgate", "experimental_bearer_token"],
                others: &[
                    &["model_providers", "flowgate", "env_key"],
                    &["model_providers", "flowgate", "auth"],
                ],
            },
            Self::ClaudeCode => KeyPlace {
                path: &["env", "ANTHROPIC_AUTH_TOKEN"],
                others: &[&["apiKeyHelper"]],
            },
            Self::OpenaiEnv => KeyPlace {
                path: &["OPENAI_API_KEY"],
                others: &[],
            },
        }
    }

    /// What a person writes by hand: a piece of TOML, or variables. It holds no key.
    pub fn printed(self, gateway: &Gateway) -> String {
        let url = self.base_url(gateway);
        let (model, fast) = (&gateway.model, &gateway.fast_model);
        match self {
            Self::Codex => {
                let text = |value: &str| toml_edit::Value::from(value).to_string();
                format!(
                    "model_provider = \"flowgate\"\nmodel = {}\n\n[model_providers.flowgate]\n\
                     name = \"FlowGate Local\"\nbase_url = {}\nenv_key = \"OPENAI_API_KEY\"\n\
                     wire_api = \"responses\"\n",
                    text(model),
                    text(&url)
                )
            }
            Self::ClaudeCode => format!(
                "ANTHROPIC_BASE_URL={url}\nANTHROPIC_AUTH_TOKEN={PLACEHOLDER}\n\
                 ANTHROPIC_MODEL={model}\nANTHROPIC_DEFAULT_OPUS_MODEL={model}\n\
                 ANTHROPIC_DEFAULT_SONNET_MODEL={model}\nANTHROPIC_DEFAULT_HAIKU_MODEL={fast}\n"
            ),
            Self::OpenaiEnv => format!(
                "OPENAI_BASE_URL={url}\nOPENAI_API_BASE={url}\nOPENAI_API_KEY={PLACEHOLDER}\n\
                 OPENAI_MODEL={model}\n"
            ),
        }
    }
}

/// Whether a key is none: empty, or what stands for one.
pub fn is_no_key(key: &str) -> bool {
    matches!(key.trim(), "" | PLACEHOLDER)
}
