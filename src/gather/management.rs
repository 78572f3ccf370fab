//! The management API: a key that is proven right, then one request.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flowgate_checks::model::{Management, Observed, Unknown};
use secrecy::{ExposeSecret, SecretString};

use crate::gateway::auth_files;
use crate::gateway::client::ProbeClient;
use crate::gateway::cliproxyapi::VERSION_HEADER;
use crate::gateway::excerpt::one_line;
use crate::gateway::management::{Comparison, ConfirmedKey, confirm_equal, confirm_hash};
use crate::gateway::requests::Request;
use crate::gateway::target::LoopbackTarget;
use crate::sys::read::{self, ReadError};
use crate::sys::redact::Redactor;

/// Longest key file.
const KEY_FILE_LIMIT: u64 = 4096;

/// Longest version text that is taken, in characters.
const LONGEST_VERSION: usize = 40;

/// The management key that flowgate keeps.
#[derive(Debug, Clone)]
pub struct KeptKey {
    /// The file, as shown.
    pub from: String,
    /// The key.
    pub secret: SecretString,
}

/// What is known before anything is compared.
#[derive(Debug, Clone, Default)]
pub struct ManagementPlan {
    /// The key that flowgate keeps, when it keeps one.
    pub kept: Option<KeptKey>,
    /// `remote-management.secret-key` as it stands in the file, when it is there.
    pub stored: Option<SecretString>,
    /// `MANAGEMENT_PASSWORD` of the running service; known and none when it is not set.
    pub password: Observed<Option<SecretString>>,
}

/// What the comparison gave.
#[derive(Debug, Default)]
pub struct ConfirmedManagement {
    /// The part of the snapshot as far as it is known without a request.
    pub management: Management,
    key: Option<ConfirmedKey>,
}

impl ConfirmedManagement {
    /// Whether there is a key with which the one request may be sent.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// What the comparison gave, and the key when it is proven right.
    pub fn into_parts(self) -> (Management, Option<ConfirmedKey>) {
        (self.management, self.key)
    }
}

/// Reads the kept key; known and none when the file is not there or holds none.
pub fn read_kept_key(path: &Path, shown: &str, redactor: &Redactor) -> Observed<Option<KeptKey>> {
    match read::whole(path, KEY_FILE_LIMIT) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let secret = SecretString::from(text.trim());
            redactor.learn(&secret);
            let is_key = !secret.expose_secret().is_empty();
            Observed::Known(is_key.then(|| KeptKey {
                from: shown.to_owned(),
                secret,
            }))
        }
        Err(ReadError::Missing) => Observed::Known(None),
        Err(error) => Observed::Unknown(Unknown {
            why: format!("{shown}: {error}"),
            command: Some(format!("ls -l {shown}")),
        }),
    }
}

/// Compares the kept key with what the running service compares it with; nothing is sent.
///
/// Without a kept key `key_confirmed` stays not asked. The service's own password is a key too,
/// and the cheaper one: it is compared as text, the other with 0.1 s of bcrypt.
pub async fn confirm(plan: ManagementPlan) -> ConfirmedManagement {
    let password = plan.password.known().cloned().flatten();
    let mut confirmed = ConfirmedManagement {
        management: Management {
            key_from: plan.kept.as_ref().map(|kept| kept.from.clone()),
            password_in_environment: match &plan.password {
                Observed::Known(password) => Observed::Known(password.is_some()),
                Observed::Unknown(unknown) => Observed::Unknown(unknown.clone()),
                Observed::NotAsked => Observed::NotAsked,
            },
            ..Management::default()
        },
        key: None,
    };
    if let Some(kept) = plan.kept {
        let comparison = compare(kept.secret, plan.stored, password.clone(), &plan.password).await;
        confirmed.management.key_confirmed = match comparison {
            Comparison::Confirmed(key) => {
                confirmed.key = Some(key);
                Observed::Known(true)
            }
            Comparison::Different => Observed::Known(false),
            Comparison::Unknown(why) => Observed::unknown(why),
        };
    }
    if let (None, Some(password)) = (&confirmed.key, password) {
        let own = SecretString::from(password.expose_secret().trim());
        if let Comparison::Confirmed(key) = confirm_equal(&own, &password) {
            confirmed.key = Some(key);
        }
    }
    confirmed
}

async fn compare(
    key: SecretString,
    stored: Option<SecretString>,
    password: Option<SecretString>,
    seen: &Observed<Option<SecretString>>,
) -> Comparison {
    let equal = password.map(|password| confirm_equal(&key, &password));
    if let Some(equal @ Comparison::Confirmed(_)) = equal {
        return equal;
    }
    let hashed = match stored.filter(|stored| !stored.expose_secret().is_empty()) {
        None => Comparison::Different,
        Some(stored) => tokio::task::spawn_blocking(move || confirm_hash(&key, &stored))
            .await
            .unwrap_or_else(|_| Comparison::Unknown("the comparison was broken off".into())),
    };
    match (hashed, seen) {
        // It may still be the password of a service that cannot be looked into.
        (Comparison::Different, Observed::Unknown(unknown)) => {
            Comparison::Unknown(unknown.why.clone())
        }
        (hashed, _) => hashed,
    }
}

/// Sends the one management request, when there is a confirmed key and nothing forbids it.
///
/// `withheld` is why no key may go to that address ([`super::http::withheld`]).
pub async fn ask(
    confirmed: ConfirmedManagement,
    at: LoopbackTarget,
    certificate: Option<&[u8]>,
    withheld: Option<String>,
    deadline: Duration,
    redactor: &Arc<Redactor>,
) -> Management {
    let ConfirmedManagement {
        mut management,
        key,
    } = confirmed;
    let Some(key) = key else {
        return management;
    };
    if let Some(why) = withheld {
        management.answer = Observed::unknown(why);
        return management;
    }
    let client = match ProbeClient::new(deadline, certificate) {
        Ok(client) => client,
        Err(error) => {
            management.answer = Observed::unknown(error.to_string());
            return management;
        }
    };
    let exchange = client.ask(at, &Request::auth_files(&key), redactor).await;
    if exchange.answer.is_success() {
        management.auth_files = auth_files::parse(&exchange.body, redactor).map_or_else(
            || Observed::unknown("answer is no list of auth files"),
            Observed::Known,
        );
    }
    management.version = exchange
        .headers
        .get(VERSION_HEADER)
        .and_then(|version| version.to_str().ok())
        .map(|version| one_line(version, LONGEST_VERSION))
        .filter(|version| !version.is_empty());
    management.answer = Observed::Known(exchange.answer);
    management
}
