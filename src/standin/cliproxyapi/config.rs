//! config.yaml, as far as it shows from outside (`facts/cliproxyapi.md` 2).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::edition::Edition;
use crate::standin::scene::Scene;
use crate::standin::yaml;
use crate::sys::hash::is_bcrypt;
use crate::sys::read::{self, ReadError};

/// Longest config file.
const LIMIT: u64 = 1024 * 1024;

/// Cost of the hashes that it writes; the program's own 10 takes 0.1 s per management request.
const COST: u32 = 4;

/// A config that was read.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub host: String,
    pub port: i64,
    pub auth_dir: PathBuf,
    /// None when the gateway is open.
    pub keys: Option<Vec<String>>,
    /// The bcrypt hash of `remote-management.secret-key`.
    pub secret: Option<String>,
    pub allow_remote: bool,
    /// The model names of `openai-compatibility`, by provider name.
    pub compatible: Vec<(String, String)>,
}

impl Config {
    /// # Errors
    /// The words after `failed to load config: `.
    pub fn load(path: &Path, shown: &str, edition: Edition, scene: &Scene) -> Result<Self, String> {
        let text = read_text(path, shown)?;
        let value = parse(&text)?;
        let mut config = Self::of_value(&value, &text, edition, scene)?;
        if let Some(secret) = config.secret.take() {
            config.secret = Some(hashed(&secret, path, &text)?);
        }
        Ok(config)
    }

    fn of_value(
        value: &Value,
        text: &str,
        edition: Edition,
        scene: &Scene,
    ) -> Result<Self, String> {
        let remote = value.get("remote-management");
        let secret = remote.and_then(|remote| remote.get("secret-key"));
        let keys = match value.get("api-keys") {
            None | Some(Value::Null) => None,
            Some(Value::Array(keys)) => Some(keys.iter().map(scalar).collect::<Vec<String>>()),
            Some(other) => return Err(wrong_type("api-keys", other, "[]string", text)),
        };
        let port = match value.get("port") {
            None | Some(Value::Null) => 0,
            Some(Value::Number(port)) if port.is_i64() => port.as_i64().unwrap_or(0),
            Some(other) => return Err(wrong_type("port", other, "int", text)),
        };
        let auth_dir = value.get("auth-dir").map(scalar).unwrap_or_default();
        Ok(Self {
            host: value.get("host").map(scalar).unwrap_or_default(),
            port,
            auth_dir: auth_dir_path(&auth_dir, edition, scene),
            keys: keys.filter(|keys| !keys.is_empty()),
            secret: secret.map(scalar).filter(|secret| !secret.is_empty()),
            allow_remote: remote.and_then(|remote| remote.get("allow-remote"))
                == Some(&Value::Bool(true)),
            compatible: compatible(value),
        })
    }

    /// Whether the keys are those of the template, which mainline refuses to serve.
    pub fn has_template_keys(&self) -> bool {
        self.keys.iter().flatten().any(|key| {
            matches!(
                key.as_str(),
                "your-api-key-1" | "your-api-key-2" | "your-api-key-3"
            )
        })
    }
}

fn read_text(path: &Path, shown: &str) -> Result<String, String> {
    let bytes = read::whole(path, LIMIT).map_err(|error| {
        let (verb, why) = match error {
            ReadError::Missing => ("open", "no such file or directory".to_owned()),
            ReadError::Directory => ("read", "is a directory".to_owned()),
            other => ("open", other.to_string()),
        };
        format!("failed to read config file: {verb} {shown}: {why}")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(text: &str) -> Result<Value, String> {
    const FAILED: &str = "failed to parse config file: yaml:";
    if let Some((line, key, before)) = duplicate_key(text) {
        return Err(format!(
            "{FAILED} unmarshal errors:\n  line {line}: mapping key \"{key}\" already defined at line {before}"
        ));
    }
    let value = yaml::parse(text).map_err(|fault| {
        // The reader of the program stops at the first tab that indents, and says one of two
        // things: behind a key whose value is still to come, or in the middle of a mapping.
        let lines: Vec<&str> = text.lines().collect();
        let tab = lines.iter().position(|line| line.starts_with('\t'));
        match tab {
            Some(index) => {
                let awaits_value = index > 0 && lines[index - 1].trim_end().ends_with(':');
                let what = if awaits_value {
                    "found character that cannot start any token"
                } else {
                    "found a tab character that violates indentation"
                };
                format!("{FAILED} line {}: {what}", index + 1)
            }
            None => format!("{FAILED} line {}: did not find expected key", fault.line),
        }
    })?;
    match value {
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        Value::Object(_) => Ok(value),
        Value::Array(_) => Err(format!(
            "{FAILED} unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.Config"
        )),
        other => Err(format!(
            "{FAILED} unmarshal errors:\n  line 1: cannot unmarshal !!str `{}` into config.Config",
            scalar(&other)
        )),
    }
}

/// A key that stands twice at the top level of a block mapping, with both lines.
fn duplicate_key(text: &str) -> Option<(usize, String, usize)> {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some((key, _)) = line.split_once(':') else {
            continue;
        };
        if !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        if let Some((key, before)) = seen.iter().find(|(known, _)| *known == key) {
            return Some((index + 1, (*key).to_owned(), *before));
        }
        seen.push((key, index + 1));
    }
    None
}

fn wrong_type(key: &str, value: &Value, wanted: &str, text: &str) -> String {
    let line = text
        .lines()
        .position(|line| line.trim_start().trim_start_matches('"').starts_with(key))
        .map_or(1, |index| index + 1);
    let found = match value {
        Value::Array(_) => "!!seq".to_owned(),
        Value::Object(_) => "!!map".to_owned(),
        Value::Number(_) => format!("!!float `{value}`"),
        other => format!("!!str `{}`", scalar(other)),
    };
    format!(
        "failed to parse config file: yaml: unmarshal errors:\n  line {line}: cannot unmarshal {found} into {wanted}"
    )
}

/// `~` is expanded; a relative path is relative to the folder, not to the file.
fn auth_dir_path(text: &str, edition: Edition, scene: &Scene) -> PathBuf {
    let home = || scene.path(scene.variable("HOME").unwrap_or("."));
    match (text, edition) {
        ("", Edition::Plus) => PathBuf::new(),
        ("", Edition::Mainline) => home().join(".cli-proxy-api"),
        (text, _) => match text.strip_prefix('~') {
            Some(rest) => home().join(rest.trim_start_matches('/')),
            None => scene.path(text),
        },
    }
}

/// An entry without `base-url` is dropped silently.
fn compatible(value: &Value) -> Vec<(String, String)> {
    let providers = value.get("openai-compatibility").and_then(Value::as_array);
    let mut names = Vec::new();
    for provider in providers.into_iter().flatten() {
        if provider
            .get("base-url")
            .map(scalar)
            .is_none_or(|url| url.is_empty())
        {
            continue;
        }
        let owner = provider.get("name").map(scalar).unwrap_or_default();
        let models = provider.get("models").and_then(Value::as_array);
        for model in models.into_iter().flatten() {
            let name = model.get("alias").or_else(|| model.get("name"));
            names.extend(name.map(|name| (owner.clone(), scalar(name))));
        }
    }
    names
}

/// A secret as a hash. A plain one is replaced in the file, in place; that this fails on a
/// read-only file is ignored (`facts/cliproxyapi.md` 2.2).
fn hashed(secret: &str, path: &Path, text: &str) -> Result<String, String> {
    if is_bcrypt(secret) {
        return Ok(secret.to_owned());
    }
    if secret.len() > 72 {
        return Err(
            "failed to hash remote management key: bcrypt: password length exceeds 72 bytes".into(),
        );
    }
    let hash = bcrypt::hash(secret, COST)
        .map_err(|_| "failed to hash remote management key".to_owned())?
        // The program writes this prefix.
        .replacen("$2b$", "$2a$", 1);
    if let Some(rewritten) = with_hash(text, secret, &hash) {
        let _ = rewrite(path, &rewritten);
    }
    Ok(hash)
}

fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// The text with the value of `secret-key` replaced, the rest kept.
fn with_hash(text: &str, secret: &str, hash: &str) -> Option<String> {
    let key = text.find("secret-key")?;
    let value = key + text.get(key..)?.find(secret)?;
    let end = value + secret.len();
    let is_quoted = text.get(..value)?.ends_with(['"', '\'']);
    let hash = if is_quoted {
        hash.to_owned()
    } else {
        format!("\"{hash}\"")
    };
    Some(format!("{}{hash}{}", &text[..value], &text[end..]))
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
