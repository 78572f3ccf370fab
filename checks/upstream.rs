//! What LiteLLM sends where: its deployments with address and key, and what becomes of the key.

mod address;
mod base;
mod model;

pub use address::Address;
pub use base::Base;
pub use model::{default_model, listed_models, provider, sent_model};

use crate::by_hand::split_place;
use crate::model::{
    Answer, BodyClass, EntryValue, EnvFile, EnvVariable, KeyedAnswer, SecretClass, ServiceKind,
    Snapshot,
};
use crate::state::{View, service_of};

/// How LiteLLM refers to a variable of its environment.
const VARIABLE: &str = "os.environ/";

/// Most deployments that are looked at.
const LIMIT: usize = 500;

/// One entry of `model_list`.
pub struct Deployment<'a> {
    /// The path of its parameters: `model_list[0].litellm_params`.
    pub path: String,
    /// `model_name`, when it can be read.
    pub model: Option<&'a str>,
    /// What its `api_base` says.
    pub base: Base<'a>,
    /// The address that its `api_base` names, when it names one.
    pub address: Option<Address>,
    /// The key that is sent there.
    pub key: Key<'a>,
}

/// The key that LiteLLM sends to a deployment.
#[derive(Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// A value, by its fingerprint.
    Given(&'a str),
    /// A variable whose value the snapshot does not know.
    Variable(&'a str),
    /// A variable that the running process does not have, or that is empty.
    Unset(&'a str),
    /// None, or the empty text.
    Absent,
}

/// Every deployment of the active LiteLLM config, in its order.
pub fn deployments(snapshot: &Snapshot) -> Vec<Deployment<'_>> {
    let config = &snapshot.configs.litellm;
    let count = match config.entry("model_list").map(|entry| &entry.value) {
        Some(EntryValue::List(count)) => (*count).min(LIMIT),
        _ => 0,
    };
    (0..count)
        .map(|index| {
            let path = format!("model_list[{index}].litellm_params");
            let base = Base::of(snapshot, &path);
            Deployment {
                model: config.text(&format!("model_list[{index}].model_name")),
                address: base.url().and_then(Address::of_url),
                base,
                key: key_of(snapshot, &format!("{path}.api_key")),
                path,
            }
        })
        .collect()
}

fn key_of<'a>(snapshot: &'a Snapshot, path: &str) -> Key<'a> {
    match snapshot
        .configs
        .litellm
        .entry(path)
        .map(|entry| &entry.value)
    {
        Some(EntryValue::Secret { fingerprint, class }) if *class != SecretClass::Empty => {
            Key::Given(fingerprint)
        }
        Some(EntryValue::Text(text)) => match text.strip_prefix(VARIABLE) {
            Some(name) => match variable(snapshot, name) {
                Some(EnvVariable::Secret { fingerprint }) => Key::Given(fingerprint),
                _ if is_unset(snapshot, name) => Key::Unset(name),
                _ => Key::Variable(name),
            },
            None => Key::Absent,
        },
        _ => Key::Absent,
    }
}

/// Whether LiteLLM runs and its environment is known to lack a variable, or to have it empty: neither
/// what it was started with, nor `environment_variables` of its config, nor the `.env` that it reads.
pub fn is_unset(snapshot: &Snapshot, name: &str) -> bool {
    let Some(litellm) = service_of(snapshot, ServiceKind::Litellm).filter(View::is_running) else {
        return false;
    };
    let Some(environment) = litellm.service.environment.known() else {
        return false;
    };
    let is_given = !matches!(environment.get(name), None | Some(EnvVariable::Empty));
    let in_config = format!("environment_variables.{name}");
    let is_read = |file: &EnvFile| file.is_read && file.names.iter().any(|one| one == name);
    !is_given
        && snapshot.configs.litellm.entry(&in_config).is_none()
        && !litellm.service.env_files.iter().any(is_read)
}

fn variable<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a EnvVariable> {
    service_of(snapshot, ServiceKind::Litellm)?
        .service
        .environment
        .known()?
        .get(name)
}

/// What becomes of a key at a hop.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was accepted, or the hop asks for none.
    Accepted,
    /// It was refused.
    Refused,
    /// The hop refuses every key: its own keys are those of the template.
    SafeMode,
    /// Nothing follows from what came.
    Open,
}

/// What an answer to a request with a key says of the key.
pub fn fate(answer: &Answer) -> Fate {
    match (answer.status(), answer.body()) {
        (_, Some(BodyClass::CliproxySafeMode)) => Fate::SafeMode,
        (Some(200..=299), _) => Fate::Accepted,
        (Some(401), _)
        | (_, Some(BodyClass::CliproxyKeyRejected | BodyClass::LitellmKeyRejected)) => {
            Fate::Refused
        }
        _ => Fate::Open,
    }
}

/// The answer that the proxy gave to the key of a deployment, where that key was tried.
pub fn tried<'a>(
    proxy: View<'a>,
    deployment: &Deployment<'_>,
) -> Option<(&'a KeyedAnswer, &'a Answer)> {
    let config = &proxy.snapshot.configs.litellm;
    let line = config
        .entry(&format!("{}.api_key", deployment.path))
        .map(|entry| entry.position.line);
    let is_its_place = |place: &str| {
        let (file, at) = split_place(place);
        file == config.path && at.is_some() && at == line
    };
    let answers = || {
        proxy
            .serving_probes()
            .into_iter()
            .flat_map(|probes| probes.models.values())
    };
    let by_place = || answers().find(|keyed| is_its_place(&keyed.key_from));
    let found = match deployment.key {
        // Of several deployments with one key each is shown at its own line.
        Key::Given(fingerprint) => by_place()
            .filter(|keyed| keyed.key.as_deref() == Some(fingerprint))
            .or_else(|| answers().find(|keyed| keyed.key.as_deref() == Some(fingerprint)))
            .or_else(by_place),
        Key::Variable(_) => by_place(),
        Key::Absent | Key::Unset(_) => answers().find(|keyed| keyed.key.is_none()),
    }?;
    Some((found, found.answer.known()?))
}
