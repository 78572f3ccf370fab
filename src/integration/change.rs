//! What a client's config becomes, and what its record then says. Nothing is written here.

use std::path::Path;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use thiserror::Error;

use super::client::{Client, is_no_key};
use super::format::{Format, FormatError};
use super::gateway::Gateway;
use super::record::{Before, Record, ValueRecord};

/// The variable from which Codex takes its key where none can be written.
const CODEX_VARIABLE: &str = "OPENAI_API_KEY";

/// Why a config is not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// It cannot be edited.
    #[error("{path}: {why}")]
    Format {
        /// The config.
        path: String,
        /// Why.
        why: FormatError,
    },
}

/// A config and its record as they are to be. No `Debug`: they may hold keys.
pub struct Changed {
    /// The config; none when it is removed.
    pub text: Option<String>,
    /// The record; none when it is removed.
    pub record: Option<Record>,
    /// Whether the config holds a key then.
    pub holds_key: bool,
    /// What became of the key.
    pub key: KeyOutcome,
    /// Places that were changed by somebody else since, and are left as they are.
    pub left: Vec<String>,
}

/// What became of the key of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOutcome {
    /// It got the key of the gateway.
    Given,
    /// It has a key of its own, which stays.
    Kept,
    /// None could be read, so that it has none.
    Missing,
    /// What it had before it was pointed is there again.
    Restored,
}

/// Points a client at a gateway. `with_key` writes the key of the gateway over its own.
///
/// # Errors
/// [`ChangeError`]; nothing may be written then.
pub fn point(
    client: Client,
    gateway: &Gateway,
    path: &Path,
    old: Option<&str>,
    known: Option<&Record>,
    with_key: bool,
) -> Result<Changed, ChangeError> {
    let mut edit = Edit::begin(client, path, old, known);
    let done = edit
        .settings(gateway)
        .and_then(|()| edit.key(gateway, with_key));
    let key = done.map_err(|why| fault(path, why))?;
    Ok(edit.finish(key))
}

fn fault(path: &Path, why: FormatError) -> ChangeError {
    ChangeError::Format {
        path: path.display().to_string(),
        why,
    }
}

struct Edit<'a> {
    client: Client,
    format: Format,
    text: String,
    known: Option<&'a Record>,
    record: Record,
}

impl<'a> Edit<'a> {
    fn begin(client: Client, path: &Path, old: Option<&str>, known: Option<&'a Record>) -> Self {
        let mut record = known.cloned().unwrap_or_else(|| Record::new(client, path));
        // What stood there before flowgate came stays what is put back, as long as nobody else
        // changed anything in between.
        let is_untouched =
            known.is_some() && old.map(|old| record.digest(old)) == Some(record.after.clone());
        if !is_untouched {
            record.before = match (known, old) {
                (Some(_), _) => None,
                (None, Some(old)) => Some(Before::Text(old.to_owned())),
                (None, None) => Some(Before::Absent),
            };
        }
        let text = match old {
            Some(old) if !old.trim().is_empty() || client.format() != Format::Json => {
                old.to_owned()
            }
            _ if client.format() == Format::Json => "{}\n".to_owned(),
            _ => String::new(),
        };
        Self {
            client,
            format: client.format(),
            text,
            known,
            record,
        }
    }

    fn settings(&mut self, gateway: &Gateway) -> Result<(), FormatError> {
        for setting in self.client.settings(gateway) {
            self.put(setting.path, Some(&setting.value))?;
        }
        Ok(())
    }

    /// Sets or takes away one value, and records what was there.
    fn put(&mut self, path: &[&str], new: Option<&str>) -> Result<(), FormatError> {
        let now = self.format.get(&self.text, path)?;
        let recorded = self.known.and_then(|known| known.value(path));
        let is_ours = recorded.is_some_and(|value| self.record.is_ours(value, now.as_deref()));
        if now.as_deref() == new {
            return Ok(());
        }
        self.text = match new {
            Some(new) => self.format.set(&self.text, path, new)?,
            None => self.format.unset(&self.text, path)?,
        };
        let before = match recorded {
            Some(recorded) if is_ours => recorded.before.clone(),
            _ => now,
        };
        let value = ValueRecord {
            path: path.iter().map(|key| (*key).to_owned()).collect(),
            before,
            after: new.map(|new| self.record.digest(new)),
        };
        match self
            .record
            .values
            .iter_mut()
            .find(|other| other.path == value.path)
        {
            Some(other) => *other = value,
            None => self.record.values.push(value),
        }
        Ok(())
    }

    /// Gives the client a key where it has none, or where its own is to go.
    fn key(&mut self, gateway: &Gateway, with_key: bool) -> Result<KeyOutcome, FormatError> {
        let place = self.client.key_place();
        let now = self.format.get(&self.text, place.path)?;
        let given = self.known.and_then(|known| known.value(place.path));
        let is_ours = given.is_some_and(|value| self.record.is_ours(value, now.as_deref()));
        let has_own = now.as_deref().is_some_and(|key| !is_no_key(key)) && !is_ours;
        let has_other = place
            .others
            .iter()
            .any(|other| self.format.has(&self.text, other));
        if (has_own || has_other) && !with_key {
            return Ok(KeyOutcome::Kept);
        }
        let Some(key) = &gateway.key else {
            return self.without_key(has_own || has_other || is_ours);
        };
        for other in place.others {
            if self.format.get(&self.text, other)?.is_some() {
                self.put(other, None)?;
            }
        }
        self.put(place.path, Some(key.expose_secret()))?;
        Ok(KeyOutcome::Given)
    }

    fn without_key(&mut self, has_one: bool) -> Result<KeyOutcome, FormatError> {
        if has_one {
            return Ok(KeyOutcome::Kept);
        }
        if self.client == Client::Codex {
            let path = ["model_providers", "flowgate", "env_key"];
            self.put(&path, Some(CODEX_VARIABLE))?;
        }
        Ok(KeyOutcome::Missing)
    }

    fn finish(mut self, key: KeyOutcome) -> Changed {
        self.record.after = self.record.digest(&self.text);
        self.record.at = Timestamp::now();
        Changed {
            holds_key: holds_key(self.client, &self.text),
            text: Some(self.text),
            record: Some(self.record),
            key,
            left: Vec::new(),
        }
    }
}

fn holds_key(client: Client, text: &str) -> bool {
    let key = client.format().get(text, client.key_place().path);
    key.ok().flatten().is_some_and(|key| !is_no_key(&key))
}

/// Takes back what flowgate set: the whole file where nobody changed it since, else each value that
/// is still what flowgate wrote.
///
/// # Errors
/// [`ChangeError`]; nothing may be written then.
pub fn take_back(
    client: Client,
    old: Option<&str>,
    record: &Record,
) -> Result<Changed, ChangeError> {
    let mut left = Vec::new();
    let text = match (old, &record.before) {
        // What somebody removed is not made again.
        (None, _) => None,
        (Some(old), Some(before)) if record.digest(old) == record.after => match before {
            Before::Absent => None,
            Before::Text(text) => Some(text.clone()),
        },
        (Some(old), before) => {
            let text = one_by_one(client.format(), old, record, &mut left)
                .map_err(|why| fault(&record.path, why))?;
            let was_absent = before == &Some(Before::Absent);
            let is_empty = matches!(text.trim(), "" | "{}");
            (!(was_absent && is_empty)).then_some(text)
        }
    };
    Ok(Changed {
        holds_key: text.as_ref().is_some_and(|text| holds_key(client, text)),
        text,
        record: None,
        key: KeyOutcome::Restored,
        left,
    })
}

fn one_by_one(
    format: Format,
    old: &str,
    record: &Record,
    left: &mut Vec<String>,
) -> Result<String, FormatError> {
    let mut text = old.to_owned();
    for value in record.values.iter().rev() {
        let path: Vec<&str> = value.path.iter().map(String::as_str).collect();
        let now = match format.get(&text, &path) {
            Ok(now) => now,
            Err(why @ FormatError::Syntax { .. }) => return Err(why),
            Err(_) => {
                left.push(path.join("."));
                continue;
            }
        };
        if now == value.before {
            continue;
        }
        if !record.is_ours(value, now.as_deref()) {
            left.push(path.join("."));
            continue;
        }
        text = match &value.before {
            Some(before) => format.set(&text, &path, before)?,
            None => format.unset(&text, &path)?,
        };
    }
    Ok(text)
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
