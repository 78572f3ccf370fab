//! What the config of a client says: whom it asks, with which key, and for which models.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::client::{Client, is_no_key};
use super::format::FormatError;

/// What a client uses. No `Debug`: it may hold a key.
#[derive(Clone, Default)]
pub struct Used {
    /// Its base URL.
    pub url: Option<UsedText>,
    /// Its key.
    pub key: Option<UsedKey>,
    /// Its models, by entry.
    pub models: BTreeMap<String, UsedText>,
}

/// A value and its line, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedText {
    /// The value.
    pub text: String,
    /// Its line.
    pub line: u32,
}

/// A key, and where it stands.
#[derive(Clone)]
pub struct UsedKey {
    /// The key; none when a variable of the client holds it.
    pub secret: Option<SecretString>,
    /// That variable.
    pub variable: Option<String>,
    /// The line that says so, from 1.
    pub line: u32,
}

/// Reads the config of a client.
///
/// # Errors
/// [`FormatError`], when it does not parse.
pub fn look(client: Client, text: &str) -> Result<Used, FormatError> {
    client.format().check(text)?;
    let file = File { client, text };
    Ok(match client {
        Client::Codex => file.codex(),
        Client::ClaudeCode => Used {
            url: file.at(Client::CLAUDE_URL),
            key: file.key(client.key_place().path),
            models: file.models(&[
                &["env", "ANTHROPIC_MODEL"],
                &["env", "ANTHROPIC_DEFAULT_OPUS_MODEL"],
                &["env", "ANTHROPIC_DEFAULT_SONNET_MODEL"],
                &["env", "ANTHROPIC_DEFAULT_HAIKU_MODEL"],
            ]),
        },
        Client::OpenaiEnv => Used {
            url: file.at(Client::OPENAI_URL),
            key: file.key(client.key_place().path),
            models: file.models(&[&["OPENAI_MODEL"]]),
        },
    })
}

struct File<'a> {
    client: Client,
    text: &'a str,
}

impl File<'_> {
    fn at(&self, path: &[&str]) -> Option<UsedText> {
        let format = self.client.format();
        Some(UsedText {
            text: format.get(self.text, path).ok().flatten()?,
            line: format.line(self.text, path)?,
        })
    }

    fn key(&self, path: &[&str]) -> Option<UsedKey> {
        let found = self.at(path).filter(|found| !is_no_key(&found.text))?;
        Some(UsedKey {
            secret: Some(SecretString::from(found.text)),
            variable: None,
            line: found.line,
        })
    }

    fn models(&self, paths: &[&[&str]]) -> BTreeMap<String, UsedText> {
        paths
            .iter()
            .filter_map(|path| Some((path.join("."), self.at(path)?)))
            .collect()
    }

    /// A profile that the file chooses goes before what stands at its top.
    fn codex(&self) -> Used {
        let profile = self.at(&["profile"]);
        let of_profile = |key| {
            let profile = profile.as_ref()?;
            let path = ["profiles", profile.text.as_str(), key];
            Some((path.join("."), self.at(&path)?))
        };
        let chosen = |key: &'static str| {
            of_profile(key).or_else(|| Some((key.to_owned(), self.at(&[key])?)))
        };
        let Some((_, provider)) = chosen("model_provider") else {
            return Used {
                models: chosen("model").into_iter().collect(),
                ..Used::default()
            };
        };
        let below = |key| ["model_providers", provider.text.as_str(), key];
        let variable = self.at(&below("env_key")).map(|found| UsedKey {
            secret: None,
            variable: Some(found.text),
            line: found.line,
        });
        Used {
            url: self.at(&below("base_url")),
            key: variable.or_else(|| self.key(&below("experimental_bearer_token"))),
            models: chosen("model").into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_inside_a_profile_counts_only_when_that_profile_is_chosen() {
        let file = "model_provider = \"flowgate\"\nmodel = \"router-default\"\n\
                    [model_providers.flowgate]\nbase_url = \"http://127.0.0.1:4000/v1\"\n\
                    [model_providers.corp]\nbase_url = \"https://llm.example.net\"\nenv_key = \"CORP\"\n\
                    [profiles.work]\nmodel_provider = \"corp\"\n";
        let used = look(Client::Codex, file).unwrap();
        assert_eq!(used.url.unwrap().text, "http://127.0.0.1:4000/v1");
        let used = look(Client::Codex, &format!("profile = \"work\"\n{file}")).unwrap();
        assert_eq!(used.url.unwrap().text, "https://llm.example.net");
        assert_eq!(used.key.unwrap().variable.as_deref(), Some("CORP"));
        assert_eq!(used.models["model"].text, "router-default");
    }

    #[test]
    fn a_placeholder_is_no_key() {
        for (token, is_key) in [("your-gateway-token", false), ("", false), ("sk-1", true)] {
            let file = format!("{{\"env\": {{\"ANTHROPIC_AUTH_TOKEN\": \"{token}\"}}}}");
            let used = look(Client::ClaudeCode, &file).unwrap();
            assert_eq!(used.key.is_some(), is_key, "{token}");
        }
    }
}
