//! A document as the flat, redacted tree of the snapshot.

use std::collections::{BTreeMap, BTreeSet};

use flowgate_checks::model::{Entry, EntryValue};
use secrecy::SecretString;

use super::allow::{self, FileKind, Step};
use super::document::{Document, Node, NodeValue};
use super::{path, secrets};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::redact::Redactor;

/// The largest number of entries of one file; the largest real config seen has some hundreds.
/// What comes later in the file is left out, its parent still tells how much there is.
const MOST: usize = 20_000;

/// The longest path in bytes; deeper entries are left out.
const LONGEST_PATH: usize = 1_000;

/// The longest text that is shown; no setting is longer.
const LONGEST: usize = 1_000;

/// Every mapping, list and scalar by path; text of listed paths as text, everything else
/// fingerprinted. Secrets are given to the redactor.
pub fn flatten(
    document: &Document,
    kind: FileKind,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> BTreeMap<String, Entry> {
    let mut walk = Walk {
        kind,
        fingerprinter,
        redactor,
        entries: BTreeMap::new(),
        hidden: Vec::new(),
        shown: BTreeSet::new(),
    };
    walk.node("", &mut Vec::new(), &document.root, None);
    walk.learn();
    walk.entries
}

/// The digest of every scalar: what a start records of a config, and what a look compares with it.
///
/// A key is `<kind>:<path>`, the kind `flowgate`, `litellm` or `cliproxyapi`:
/// `litellm:model_list[0].litellm_params.api_base`. A value is the fingerprint of the scalar's text;
/// of nothing (`null`) that of the empty text. Comments, order of keys and spelling of quotes do not
/// count. Digests can be compared only where the key of the fingerprints is a kept one.
pub fn digests(
    document: &Document,
    kind: FileKind,
    fingerprinter: &Fingerprinter,
) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    digest("", &document.root, fingerprinter, &mut digests);
    digests
        .into_iter()
        .map(|(path, digest)| (format!("{}:{path}", kind.name()), digest))
        .collect()
}

fn digest(
    at: &str,
    node: &Node,
    fingerprinter: &Fingerprinter,
    digests: &mut BTreeMap<String, String>,
) {
    if digests.len() >= MOST || at.len() > LONGEST_PATH {
        return;
    }
    match &node.value {
        NodeValue::Map(pairs) => {
            for (key, value) in pairs {
                // A key that is a secret itself must not stand in a record.
                let name = if secrets::has_secret_form(&key.text) {
                    fingerprinter.of(&key.text)
                } else {
                    key.text.clone()
                };
                digest(&path::key(at, &name), value, fingerprinter, digests);
            }
        }
        NodeValue::List(items) => {
            for (index, item) in items.iter().enumerate() {
                digest(&path::index(at, index), item, fingerprinter, digests);
            }
        }
        _ if at.is_empty() => {}
        _ => {
            let text = node.scalar_text().unwrap_or_default();
            digests.insert(at.to_owned(), fingerprinter.of(&text));
        }
    }
}

struct Walk<'a> {
    kind: FileKind,
    fingerprinter: &'a Fingerprinter,
    redactor: &'a Redactor,
    entries: BTreeMap<String, Entry>,
    hidden: Vec<(String, String)>,
    shown: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn node<'n>(
        &mut self,
        at: &str,
        steps: &mut Vec<Step<'n>>,
        node: &'n Node,
        before: Option<&Node>,
    ) {
        if self.entries.len() >= MOST || at.len() > LONGEST_PATH {
            return;
        }
        if !at.is_empty() {
            let entry = self.entry(steps, node, before);
            self.entries.insert(at.to_owned(), entry);
        }
        match &node.value {
            NodeValue::Map(pairs) => {
                for (key, value) in pairs {
                    // A key that is a secret itself: `api-keys: {sk-…}` is an easy mistake.
                    let name = if secrets::has_secret_form(&key.text) {
                        self.hidden.push(("key".into(), key.text.clone()));
                        path::key(at, crate::sys::redact::REDACTED)
                    } else {
                        path::key(at, &key.text)
                    };
                    steps.push(Step::Key(&key.text));
                    self.node(&name, steps, value, None);
                    steps.pop();
                }
            }
            NodeValue::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    steps.push(Step::Index(index));
                    let before = index.checked_sub(1).and_then(|before| items.get(before));
                    self.node(&path::index(at, index), steps, item, before);
                    steps.pop();
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, steps: &[Step<'_>], node: &Node, before: Option<&Node>) -> Entry {
        let value = match &node.value {
            NodeValue::Null => EntryValue::Null,
            NodeValue::Bool(truth) => EntryValue::Bool(*truth),
            NodeValue::Map(pairs) => EntryValue::Map(pairs.len()),
            NodeValue::List(items) => EntryValue::List(items.len()),
            NodeValue::Int(number) if self.is_plain_number(steps, &number.to_string()) => {
                EntryValue::Int(*number)
            }
            NodeValue::Number(text) if self.is_plain_number(steps, text) => {
                EntryValue::Number(text.clone())
            }
            NodeValue::Text(text) if self.is_plain_text(steps, text, before) => {
                secrets::learn_url(text, self.redactor);
                let text = secrets::plain_url(text);
                self.shown.insert(text.clone());
                EntryValue::Text(text)
            }
            NodeValue::Int(_) | NodeValue::Number(_) | NodeValue::Text(_) => {
                let text = node.scalar_text().unwrap_or_default();
                let secret = EntryValue::Secret {
                    fingerprint: self.fingerprinter.of(&text),
                    class: secrets::class(&text),
                };
                self.hidden.push((name_of(steps).to_owned(), text));
                secret
            }
        };
        Entry {
            raw: raw_of(node, &value),
            value,
            position: node.position,
            alias_of: node.alias_of,
            is_anchored: node.anchored,
            is_flow: node.is_flow,
        }
    }

    fn is_plain_text(&self, steps: &[Step<'_>], text: &str, before: Option<&Node>) -> bool {
        if let Some(name) = secrets::environment_reference(text) {
            // Only what can be a variable; anything may follow the prefix.
            return name.len() <= 128
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        }
        let is_listed = match allow::is_argument(self.kind, steps) {
            true => is_plain_argument(text, before),
            false => allow::is_shown(self.kind, steps),
        };
        is_listed
            && text.len() <= LONGEST
            && !text.contains(['\n', '\r'])
            && !secrets::has_secret_form(&secrets::plain_url(text))
    }

    /// A number is shown unless it stands where a secret stands, or is as long as one.
    fn is_plain_number(&self, steps: &[Step<'_>], text: &str) -> bool {
        let is_short = text.trim_start_matches('-').len() < 8;
        !secrets::is_secret_name(name_of(steps)) && (is_short || allow::is_shown(self.kind, steps))
    }

    /// Learns what is hidden here, except what is shown elsewhere in the file: a model name does
    /// not become a secret because it stands in an unknown place too.
    fn learn(&self) {
        for (name, text) in &self.hidden {
            secrets::learn_url(text, self.redactor);
            if secrets::is_worth_hiding(name, text) && !self.shown.contains(text) {
                self.redactor.learn(&SecretString::from(text.as_str()));
            }
        }
    }
}

/// The name under which a value stands: the innermost key.
fn name_of<'n>(steps: &[Step<'n>]) -> &'n str {
    steps
        .iter()
        .rev()
        .find_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        })
        .unwrap_or("")
}

/// An argument is shown unless it is, or follows, an option of a secret name.
fn is_plain_argument(text: &str, before: Option<&Node>) -> bool {
    let is_secret_option = |option: &str| {
        option.starts_with('-') && secrets::is_secret_name(option.trim_start_matches('-'))
    };
    let follows_one = before
        .and_then(Node::as_text)
        .is_some_and(|before| !before.contains('=') && is_secret_option(before));
    let holds_one = text
        .split_once('=')
        .is_some_and(|(option, _)| is_secret_option(option) || secrets::is_secret_name(option));
    !follows_one && !holds_one
}

/// The spelling, when it says more than the value and gives nothing away.
fn raw_of(node: &Node, value: &EntryValue) -> Option<String> {
    let raw = node.raw.as_ref().filter(|raw| raw.len() <= LONGEST)?;
    match (value, node.as_text()) {
        (EntryValue::Secret { .. }, _) => None,
        (EntryValue::Text(shown), Some(text)) if shown != text => None,
        _ => Some(raw.clone()),
    }
}

#[cfg(test)]
#[path = "entries_tests.rs"]
mod tests;
