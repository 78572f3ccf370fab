//! One redactor over all text of a snapshot.

use std::collections::BTreeMap;

use flowgate_checks::model::{Observed, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::sys::redact::Redactor;

/// Takes every known secret out of a snapshot.
///
/// What can be long is cleaned item by item, so that the tree of JSON values, many times the size of
/// the data, is never there as a whole.
///
/// # Errors
/// When a part does not survive as JSON.
pub fn clean(mut snapshot: Snapshot, redactor: &Redactor) -> Result<Snapshot, serde_json::Error> {
    let configs = &mut snapshot.configs;
    let entries = [
        &mut configs.flowgate,
        &mut configs.litellm,
        &mut configs.cliproxyapi,
    ]
    .map(|config| std::mem::take(&mut config.entries));
    let files = std::mem::take(&mut snapshot.files);
    let tokens = std::mem::take(&mut snapshot.credentials.files);
    // Addresses, numbers and pids: nothing in them could hold a secret.
    let sockets = match &mut snapshot.sockets {
        Observed::Known(sockets) => std::mem::take(sockets),
        _ => BTreeMap::new(),
    };

    let mut snapshot = part(snapshot, redactor)?;
    let [flowgate, litellm, cliproxyapi] = entries;
    snapshot.configs.flowgate.entries = items(flowgate, redactor)?;
    snapshot.configs.litellm.entries = items(litellm, redactor)?;
    snapshot.configs.cliproxyapi.entries = items(cliproxyapi, redactor)?;
    snapshot.files = items(files, redactor)?;
    snapshot.credentials.files = items(tokens, redactor)?;
    if let Observed::Known(place) = &mut snapshot.sockets {
        *place = sockets;
    }
    Ok(snapshot)
}

fn part<T: Serialize + DeserializeOwned>(
    part: T,
    redactor: &Redactor,
) -> Result<T, serde_json::Error> {
    let mut value = serde_json::to_value(part)?;
    redactor.clean_json(&mut value);
    serde_json::from_value(value)
}

fn items<T: Serialize + DeserializeOwned>(
    map: BTreeMap<String, T>,
    redactor: &Redactor,
) -> Result<BTreeMap<String, T>, serde_json::Error> {
    map.into_iter()
        .map(|(key, item)| {
            let mut key = Value::String(key);
            redactor.clean_json(&mut key);
            Ok((serde_json::from_value(key)?, part(item, redactor)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use flowgate_checks::model::{CredentialFile, CredentialState, Entry, EntryValue, Position};
    use jiff::Timestamp;
    use secrecy::SecretString;

    use super::*;

    /// The same as over the whole, wherever the secret stands.
    #[test]
    fn no_secret_is_left_in_any_part() {
        let secret = "planted-in-a-name-01";
        let mut snapshot = Snapshot::new(Timestamp::UNIX_EPOCH);
        snapshot.paths.root = format!("/home/{secret}");
        let entry = Entry {
            value: EntryValue::Text(format!("http://x/{secret}")),
            raw: Some(format!("'http://x/{secret}'")),
            position: Position { line: 1, column: 1 },
            alias_of: None,
            is_anchored: false,
            is_flow: false,
        };
        let configs = &mut snapshot.configs;
        for config in [
            &mut configs.flowgate,
            &mut configs.litellm,
            &mut configs.cliproxyapi,
        ] {
            config.entries.insert(format!("a.{secret}"), entry.clone());
        }
        let file = CredentialFile {
            dir: flowgate_checks::model::AuthDirRole::Service,
            state: CredentialState::Unreadable {
                why: secret.to_owned(),
            },
            modified_at: None,
        };
        snapshot
            .credentials
            .files
            .insert(format!("{secret}.json"), file);
        snapshot
            .files
            .insert(format!("{secret}.json"), Observed::unknown(secret));
        snapshot.sockets = Observed::unknown(secret);
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from(secret));
        let whole = part(snapshot.clone(), &redactor).unwrap();
        let cleaned = clean(snapshot, &redactor).unwrap();
        assert_eq!(cleaned, whole);
        assert!(!serde_json::to_string(&cleaned).unwrap().contains(secret));
    }
}
