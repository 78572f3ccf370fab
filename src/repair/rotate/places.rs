//! Every place that holds a key: configs, env files, and the clients of this user.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::config::document::{Document, Node};
use crate::config::file::rules;
use crate::config::path;
use crate::config::schema::FlowgateConfig;
use crate::repair::env_line;
use crate::repair::ground::Ground;
use crate::sys::read;

/// No such file is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// Where clients keep the key that they send, below the home of their user.
const CLIENTS: [&str; 2] = [".claude/settings.json", ".codex/config.toml"];

/// One place that holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as shown.
    pub file: String,
    /// The entry or the variable.
    pub entry: String,
}

/// Where a key stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Places that can be changed.
    pub places: Vec<Place>,
    /// Files that hold it in a form that flowgate does not change, as shown.
    pub by_hand: Vec<String>,
}

/// Searches every file of the gateway, and the clients of this user but those that are `written`
/// otherwise.
pub fn find(
    key: &SecretString,
    config: &FlowgateConfig,
    written: &[&Path],
    ground: &Ground,
) -> Found {
    let key = key.expose_secret();
    let mut found = Found::default();
    let mut env_files: Vec<&Path> = config
        .services
        .iter()
        .filter_map(|service| service.env_file.as_deref())
        .collect();
    env_files.sort();
    env_files.dedup();
    for file in env_files {
        let text = text_of(file).unwrap_or_default();
        let names = env_line::holding(&text, key);
        found.places.extend(names.into_iter().map(|name| Place {
            file: ground.root.show(file),
            entry: name.to_owned(),
        }));
    }
    let configs = [&ground.config, &ground.litellm, &ground.cliproxyapi];
    let clients: Vec<PathBuf> = std::env::home_dir()
        .into_iter()
        .flat_map(|home| CLIENTS.map(|below| home.join(below)))
        .filter(|client| !written.contains(&client.as_path()))
        .collect();
    for file in configs.into_iter().chain(&clients) {
        let shown = ground.root.show(file);
        let Some(text) = text_of(file).filter(|text| text.contains(key)) else {
            continue;
        };
        let places = in_config(&text, file, key, ground);
        if places.is_empty() {
            found.by_hand.push(shown);
            continue;
        }
        found.places.extend(places.into_iter().map(|entry| Place {
            file: shown.clone(),
            entry,
        }));
    }
    found.places.dedup();
    found
}

fn text_of(file: &Path) -> Option<String> {
    String::from_utf8(read::whole(file, LARGEST).ok()?).ok()
}

/// The entries of a config whose value is the key.
fn in_config(text: &str, file: &Path, key: &str, ground: &Ground) -> Vec<String> {
    let Ok(document) = Document::parse(text, rules(ground.kind(file))) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    collect(&document.root, "", key, &mut found);
    found
}

fn collect(node: &Node, here: &str, key: &str, found: &mut Vec<String>) {
    if let Some(pairs) = node.as_map() {
        for (name, below) in pairs {
            collect(below, &path::key(here, &name.text), key, found);
        }
    } else if let Some(items) = node.as_list() {
        for (index, below) in items.iter().enumerate() {
            collect(below, &path::index(here, index), key, found);
        }
    } else if node.scalar_text().as_deref() == Some(key) {
        found.push(here.to_owned());
    }
}
