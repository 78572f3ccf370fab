//! What flowgate set in the config of a client, and what was there before.
//!
//! One file per client config in `integrations/` of the runtime dir, mode 0600 in a folder of mode
//! 0700: what was there before may have been a secret. What flowgate set is kept as a digest.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::client::Client;
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::hex::hex;
use crate::sys::read;

/// Version of the form.
const VERSION: u32 = 1;

/// No record is larger, in bytes.
const LARGEST: u64 = 8 << 20;

/// So many client configs are looked at.
const MOST: usize = 32;

/// What flowgate set in one config. No `Debug`: it may hold a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of this form.
    pub v: u32,
    /// The client.
    pub client: String,
    /// Its config, absolute.
    pub path: PathBuf,
    /// When it was written last.
    pub at: Timestamp,
    /// Key of the digests below, in hex.
    pub digest_key: String,
    /// The whole config as it was before; none when somebody else changed it in between.
    pub before: Option<Before>,
    /// Digest of the whole config as flowgate left it.
    pub after: String,
    /// The values.
    pub values: Vec<ValueRecord>,
}

/// A config as it was before flowgate changed it first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Before {
    /// It was not there.
    Absent,
    /// It held this.
    Text(String),
}

/// One value that flowgate set.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueRecord {
    /// Where it stands.
    pub path: Vec<String>,
    /// What stood there before; none when nothing did.
    pub before: Option<String>,
    /// Digest of what flowgate wrote; none when it took the value away.
    pub after: Option<String>,
}

impl Record {
    /// A record of nothing so far.
    pub fn new(client: Client, path: &Path) -> Self {
        let mut key = [0; 32];
        // Without randomness the digests say a little more; the file is closed to others.
        let _ = getrandom::fill(&mut key);
        Self {
            v: VERSION,
            client: client.name().into(),
            path: path.to_owned(),
            at: Timestamp::now(),
            digest_key: hex(&key),
            before: None,
            after: String::new(),
            values: Vec::new(),
        }
    }

    /// A record as its file holds it.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        (record.v == VERSION).then_some(record)
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The digest of a text under the key of this record.
    pub fn digest(&self, text: &str) -> String {
        let mut key = [0; 32];
        for (byte, digits) in key.iter_mut().zip(self.digest_key.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).unwrap_or_default();
            *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
        }
        Fingerprinter::fixed(key).of(text)
    }

    /// What it says of a place.
    pub fn value(&self, path: &[&str]) -> Option<&ValueRecord> {
        self.values.iter().find(|value| value.path == path)
    }

    /// Whether a value is still what flowgate made of it.
    pub fn is_ours(&self, value: &ValueRecord, now: Option<&str>) -> bool {
        value.after == now.map(|now| self.digest(now))
    }
}

/// The folder of the records of a runtime dir.
pub fn folder(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("integrations")
}

/// Every record of a runtime dir, with its name: that of the client, and a number behind it where it
/// has several configs.
pub fn all(runtime_dir: &Path) -> Vec<(String, Record)> {
    let entries = std::fs::read_dir(folder(runtime_dir)).into_iter().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            Some(name.strip_suffix(".json")?.to_owned())
        })
        .collect();
    names.sort();
    names.truncate(MOST);
    names
        .into_iter()
        .filter_map(|name| {
            let bytes = read::whole(&file(runtime_dir, &name), LARGEST).ok()?;
            Some((name, Record::parse(&bytes)?))
        })
        .collect()
}

/// The file of a record.
fn file(runtime_dir: &Path, name: &str) -> PathBuf {
    folder(runtime_dir).join(format!("{name}.json"))
}

/// The file in which a config of a client is recorded, or will be.
pub fn place(runtime_dir: &Path, client: Client, config: &Path) -> PathBuf {
    let known = all(runtime_dir);
    let own = known
        .iter()
        .find(|(_, record)| record.client == client.name() && record.path == config);
    if let Some((name, _)) = own {
        return file(runtime_dir, name);
    }
    let mut name = client.name().to_owned();
    let mut number = 2;
    while file(runtime_dir, &name).exists() {
        name = format!("{}-{number}", client.name());
        number += 1;
    }
    file(runtime_dir, &name)
}
