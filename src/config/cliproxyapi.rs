//! The config of CLIProxyAPIPlus by type.

use std::path::Path;

use flowgate_checks::model::{ConfigProblem, Position};
use secrecy::SecretString;

use super::allow::FileKind;
use super::document::{Document, ParseFault};
use super::file::{Loaded, Reading};
use super::litellm::{KeyRef, KeyValue};
use super::path;
use super::section::{self, Field, Section};
use super::service::without_brackets;
use crate::sys::hash::is_bcrypt;

/// What flowgate needs to know of a CLIProxyAPIPlus config. No `Debug`: it holds keys.
///
/// Defaults are the program's (facts/cliproxyapi.md section 2.1).
#[derive(Clone, Default)]
pub struct CliproxyConfig {
    /// `host` as written; empty means every address. IPv6 needs brackets here.
    pub host: String,
    /// `port`; none when it is absent, 0 or no port: then the program takes a random one.
    pub port: Option<u16>,
    /// `tls`.
    pub tls: Tls,
    /// `auth-dir` as written; relative to the working directory of the program, `~` is its home.
    pub auth_dir: Option<String>,
    /// `api-keys`; an empty list lets everybody in.
    pub api_keys: Vec<KeyRef>,
    /// `remote-management.secret-key`.
    pub secret_key: SecretKey,
    /// `remote-management.allow-remote`.
    pub allow_remote: bool,
    /// Providers that are used by API key; those that the program drops are left out.
    pub api_key_providers: Vec<KeyProvider>,
    /// `proxy-url` as written; it may hold a password.
    pub proxy_url: Option<SecretString>,
    /// `logging-to-file`.
    pub logging_to_file: bool,
}

/// `tls` of CLIProxyAPIPlus; its files are relative to the working directory of the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether it speaks HTTPS.
    pub enable: bool,
    /// The certificate's file.
    pub cert: Option<String>,
    /// The key's file.
    pub key: Option<String>,
}

/// The management key as the file holds it.
#[derive(Debug, Clone, Default)]
pub enum SecretKey {
    /// Absent or empty: the management API is off.
    #[default]
    Absent,
    /// A bcrypt hash, which is no usable key.
    Hash(SecretString),
    /// In clear; the program hashes it in place at its next start.
    Plain(SecretString),
}

/// A provider that is used by API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProvider {
    /// The key at the top of the file: `openai-compatibility`, `codex-api-key`.
    pub kind: String,
    /// Its entry: `codex-api-key[0]`.
    pub entry: String,
    /// Where it stands.
    pub position: Position,
}

/// The lists of API-key providers, and whether an entry without `base-url` is dropped.
const PROVIDERS: [(&str, bool); 6] = [
    ("gemini-api-key", false),
    ("codex-api-key", true),
    ("claude-api-key", false),
    ("openai-compatibility", true),
    ("vertex-api-key", false),
    ("xai-api-key", true),
];

/// Reads a CLIProxyAPIPlus config; `path` is absolute.
///
/// Invalid is what the program itself cannot parse; unknown keys it ignores. An empty file is
/// valid, and all defaults.
pub fn load(path: &Path, reading: &Reading<'_>) -> Loaded<CliproxyConfig> {
    reading.load(
        path,
        FileKind::Cliproxyapi,
        |document, _: &mut Vec<ConfigProblem>| CliproxyConfig::read(document),
    )
}

impl CliproxyConfig {
    /// Reads a document.
    ///
    /// # Errors
    /// What the program cannot parse: a value of the wrong kind.
    pub fn read(document: &Document) -> Result<Self, ParseFault> {
        let root = &document.root;
        if root.as_map().is_none() && !root.is_null() {
            return Err(ParseFault::at(
                root.position,
                "is no mapping; expected keys such as port",
            ));
        }
        let top = Section::open("", root)?;
        let management = top.section("remote-management")?;
        let management = management.as_ref();
        let management_field = |key| management.and_then(|section| section.field(key));
        Ok(Self {
            host: text(top.field("host"))?.unwrap_or_default(),
            port: port(&top)?,
            tls: tls(&top)?,
            auth_dir: text(top.field("auth-dir"))?.filter(|dir| !dir.is_empty()),
            api_keys: api_keys(&top)?,
            secret_key: secret_key(management_field("secret-key"))?,
            allow_remote: flag(management_field("allow-remote"))?,
            api_key_providers: providers(&top)?,
            proxy_url: text(top.field("proxy-url"))?
                .filter(|url| !url.trim().is_empty())
                .map(SecretString::from),
            logging_to_file: flag(top.field("logging-to-file"))?,
        })
    }

    /// The host to ask it at, without brackets; none when it is none in particular.
    pub fn reachable_host(&self) -> Option<String> {
        let host = without_brackets(&self.host);
        (!matches!(host.as_str(), "" | "0.0.0.0" | "::")).then_some(host)
    }
}

fn port(top: &Section<'_>) -> Result<Option<u16>, ParseFault> {
    let Some(field) = top.field("port") else {
        return Ok(None);
    };
    // yaml.v3 takes no text for a number, not even "8317".
    let number = match field.node.as_text() {
        Some(_) => None,
        None => section::whole_number(field.node),
    };
    let number = number.ok_or_else(|| field.fault("must be a whole number"))?;
    Ok(u16::try_from(number).ok().filter(|port| *port != 0))
}

fn tls(top: &Section<'_>) -> Result<Tls, ParseFault> {
    let Some(tls) = top.section("tls")? else {
        return Ok(Tls::default());
    };
    let file = |key| text(tls.field(key)).map(|path| path.filter(|path| !path.trim().is_empty()));
    Ok(Tls {
        enable: flag(tls.field("enable"))?,
        cert: file("cert")?,
        key: file("key")?,
    })
}

fn api_keys(top: &Section<'_>) -> Result<Vec<KeyRef>, ParseFault> {
    let Some(field) = top.field("api-keys") else {
        return Ok(Vec::new());
    };
    let items = field
        .node
        .as_list()
        .ok_or_else(|| field.fault("must be a list"))?;
    let keys = items.iter().enumerate().map(|(index, node)| {
        let entry = path::index(&field.path, index);
        // Null is read as the empty text; `os.environ/` means nothing to this program.
        let text = node.scalar_text();
        if text.is_none() && !node.is_null() {
            return Err(ParseFault::at(
                node.position,
                format!("{entry} must be text"),
            ));
        }
        let value = match text.filter(|text| !text.is_empty()) {
            Some(text) => KeyValue::Literal(SecretString::from(text)),
            None => KeyValue::Empty,
        };
        Ok(KeyRef {
            value,
            entry,
            position: node.position,
        })
    });
    keys.collect()
}

/// The program hashes a key in clear with bcrypt, which takes 72 bytes and no more
/// (facts/cliproxyapi.md section 2.4).
fn secret_key(field: Option<Field<'_>>) -> Result<SecretKey, ParseFault> {
    const LONGEST: usize = 72;
    Ok(match text(field.clone())? {
        None => SecretKey::Absent,
        Some(text) if text.is_empty() => SecretKey::Absent,
        Some(text) if is_bcrypt(&text) => SecretKey::Hash(SecretString::from(text)),
        Some(text) => match field.filter(|_| text.len() > LONGEST) {
            Some(field) => {
                return Err(field.fault(&format!("is longer than {LONGEST} bytes")));
            }
            None => SecretKey::Plain(SecretString::from(text)),
        },
    })
}

fn providers(top: &Section<'_>) -> Result<Vec<KeyProvider>, ParseFault> {
    let mut found = Vec::new();
    for (kind, needs_base) in PROVIDERS {
        let Some(field) = top.field(kind) else {
            continue;
        };
        let items = field
            .node
            .as_list()
            .ok_or_else(|| field.fault("must be a list"))?;
        for (index, node) in items.iter().enumerate() {
            let entry = path::index(&field.path, index);
            let has_base = Section::open(entry.clone(), node)?
                .field("base-url")
                .and_then(|base| base.node.scalar_text())
                .is_some_and(|base| !base.trim().is_empty());
            if (has_base || !needs_base) && !node.is_null() {
                found.push(KeyProvider {
                    kind: kind.to_owned(),
                    entry,
                    position: node.position,
                });
            }
        }
    }
    Ok(found)
}

fn text(field: Option<Field<'_>>) -> Result<Option<String>, ParseFault> {
    let read = |field: Field<'_>| {
        let text = field.node.scalar_text();
        text.ok_or_else(|| field.fault("must be text"))
    };
    field.map(read).transpose()
}

fn flag(field: Option<Field<'_>>) -> Result<bool, ParseFault> {
    field.map_or(Ok(false), |field| field.flag())
}

#[cfg(test)]
#[path = "cliproxyapi_tests.rs"]
mod tests;
