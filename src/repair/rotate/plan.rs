//! From a key to the steps that put another in its place, everywhere at once.

use std::path::{Path, PathBuf};

use flowgate_checks::clients;
use flowgate_checks::model::{
    ClientChange, ClientConfig, ConfigFile, EntryValue, Observed, Safety, SecretClass, SecretKind,
    ServiceKind, Snapshot, Step, Value,
};
use secrecy::{ExposeSecret, SecretString};

use super::RotateError;
use super::places::{self, Found};
use crate::config::in_use::{KeyKind, Keyring};
use crate::config::keys::SecretsDir;
use crate::config::schema::FlowgateConfig;
use crate::config::service::ServiceConfig;
use crate::repair::ground::Ground;
use crate::repair::order::ordered;
use crate::repair::plan::PlannedRun;
use crate::repair::services::Services;

/// The entry of the management key in the config of CLIProxyAPIPlus.
const SECRET_KEY: &str = "remote-management.secret-key";

/// Plans the rotation of a key.
///
/// # Errors
/// [`RotateError`], when the key is nowhere to be found, or stands where flowgate does not write.
pub fn plan(
    kind: KeyKind,
    config: &FlowgateConfig,
    snapshot: &Snapshot,
    ground: &Ground,
) -> Result<PlannedRun, RotateError> {
    let key_file = SecretsDir::beside(&ground.runtime).path(kind.file());
    let key_file = ground.root.show(&key_file);
    let mut steps = vec![Step::SetValue {
        file: key_file.clone(),
        path: String::new(),
        from: None,
        to: Value::Random(match kind {
            KeyKind::Litellm => SecretKind::MasterKey,
            KeyKind::Upstream => SecretKind::UpstreamKey,
            KeyKind::Management => SecretKind::ManagementKey,
        }),
    }];
    let clients = match kind {
        KeyKind::Litellm => of_clients(config, snapshot, ground)?,
        KeyKind::Upstream | KeyKind::Management => Vec::new(),
    };
    steps.extend(match kind {
        KeyKind::Management => of_management(&key_file, config, snapshot)?,
        KeyKind::Litellm | KeyKind::Upstream => {
            of_places(kind, &key_file, config, &clients, ground)?
        }
    });
    steps.extend(clients.into_iter().map(|(_, step)| step));
    let users: &[ServiceKind] = match kind {
        KeyKind::Litellm => &[ServiceKind::Litellm],
        KeyKind::Upstream => &[ServiceKind::Cliproxyapi, ServiceKind::Litellm],
        KeyKind::Management => &[ServiceKind::Cliproxyapi],
    };
    steps.extend(restarts(users, config, snapshot, ground)?);
    Ok(PlannedRun {
        roots: Vec::new(),
        symptoms: Vec::new(),
        fixes: vec!["rotate-key".into()],
        names: vec![format!("rotate-key:{}", kind.name())],
        title: format!(
            "put a new {} key in every place of the old one",
            kind.name()
        ),
        safety: Safety::Unsafe,
        steps: ordered(steps, snapshot),
    })
}

/// A new value in each place that holds the key which is in use; `clients` are written in their own
/// way.
fn of_places(
    kind: KeyKind,
    key_file: &str,
    config: &FlowgateConfig,
    clients: &[(PathBuf, Step)],
    ground: &Ground,
) -> Result<Vec<Step>, RotateError> {
    let old = in_use(kind, config, ground)?;
    let written: Vec<&Path> = clients.iter().map(|(path, _)| path.as_path()).collect();
    let Found { places, by_hand } = places::find(&old, config, &written, ground);
    if let Some(file) = by_hand.into_iter().next() {
        return Err(RotateError::ByHand { file });
    }
    if places.is_empty() {
        return Err(RotateError::NotUsed {
            key: kind.name(),
            file: key_file.to_owned(),
        });
    }
    Ok(places
        .into_iter()
        .map(|place| Step::SetValue {
            file: place.file,
            path: place.entry,
            from: None,
            to: Value::CopyOf {
                file: key_file.to_owned(),
                entry: None,
            },
        })
        .collect())
}

/// The new key in the config of each client that flowgate wrote and that sends the old one, with the
/// absolute path of that config.
fn of_clients(
    config: &FlowgateConfig,
    snapshot: &Snapshot,
    ground: &Ground,
) -> Result<Vec<(PathBuf, Step)>, RotateError> {
    let old = in_use(KeyKind::Litellm, config, ground)?;
    let old = ground.fingerprinter.of(old.expose_secret());
    let sends_it = |client: &ClientConfig| {
        let key = client.key.as_ref();
        key.is_some_and(|key| key.fingerprint.as_ref() == Some(&old))
    };
    Ok(clients::readable(snapshot)
        .filter(|(_, client)| sends_it(client))
        .map(|(name, client)| {
            let step = clients::step(name, client, ClientChange::PointWithKey);
            (ground.resolve(&client.path), step)
        })
        .collect())
}

/// The key that the services use, which decides; the one that is kept where no config tells.
fn in_use(
    kind: KeyKind,
    config: &FlowgateConfig,
    ground: &Ground,
) -> Result<SecretString, RotateError> {
    let keyring = Keyring {
        config,
        cwd: &ground.cwd,
        reading: ground.reading(),
    };
    if let Some(found) = keyring.in_use(kind) {
        return match found.from_shell {
            Some(variable) => Err(RotateError::FromShell { variable }),
            None => Ok(found.key),
        };
    }
    keyring
        .kept(kind)
        .map_err(|error| RotateError::Key(error.to_string()))?
        .ok_or(RotateError::Nowhere { key: kind.name() })
}

/// The hash of the new key in the place of the old one's, where the program has one of ours. Its
/// environment gets the key at the restart.
fn of_management(
    key_file: &str,
    config: &FlowgateConfig,
    snapshot: &Snapshot,
) -> Result<Vec<Step>, RotateError> {
    let management = &snapshot.credentials.management;
    let own = &snapshot.configs.cliproxyapi;
    let has_entry = has_secret_key(own);
    let is_auto = service(config, ServiceKind::Cliproxyapi)
        .is_some_and(|service| service.management_auto && service.managed);
    let is_ours = management.key_confirmed == Observed::Known(true);
    let by_environment = management.password_in_environment == Observed::Known(true);
    match (has_entry, is_ours) {
        // The one in the file is a person's own, and the program takes ours from its environment.
        _ if is_auto && (by_environment || !has_entry) => Ok(Vec::new()),
        (true, true) => Ok(vec![Step::SetValue {
            file: own.path.clone(),
            path: SECRET_KEY.into(),
            from: None,
            to: Value::HashOf {
                file: key_file.to_owned(),
            },
        }]),
        (true, false) => Err(RotateError::NotUsed {
            key: KeyKind::Management.name(),
            file: key_file.to_owned(),
        }),
        (false, _) => Err(RotateError::NoManagement),
    }
}

fn has_secret_key(own: &ConfigFile) -> bool {
    match own.entry(SECRET_KEY).map(|entry| &entry.value) {
        Some(EntryValue::Secret { class, .. }) => *class != SecretClass::Empty,
        Some(EntryValue::Text(text)) => !text.is_empty(),
        _ => false,
    }
}

fn service(config: &FlowgateConfig, kind: ServiceKind) -> Option<&ServiceConfig> {
    let mut services = config.services.iter();
    services.find(|service| service.kind == kind && service.enabled)
}

/// The services that run with the old key and have to be started with the new one.
fn restarts(
    users: &[ServiceKind],
    config: &FlowgateConfig,
    snapshot: &Snapshot,
    ground: &Ground,
) -> Result<Vec<Step>, RotateError> {
    let services = Services::of(ground);
    let mut steps = Vec::new();
    for kind in users {
        let Some(service) = service(config, *kind) else {
            continue;
        };
        let view = flowgate_checks::state::service_of(snapshot, *kind);
        let is_somebodys = view.is_some_and(|view| view.is_identified());
        let (is_running, _) = services.state(&service.name);
        if is_running && service.managed {
            steps.push(Step::RestartService {
                service: service.name.clone(),
            });
        } else if is_running || is_somebodys {
            return Err(RotateError::NotOurs {
                service: service.name.clone(),
            });
        }
    }
    Ok(steps)
}
