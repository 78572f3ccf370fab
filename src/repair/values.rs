//! The values that steps write: made or copied at the last moment, so that no plan holds a secret.

use flowgate_checks::model::{Literal, SecretKind, Value};
use secrecy::{ExposeSecret, SecretString};

use super::error::StepError;
use super::ground::Ground;
use super::prepare::Overlay;
use crate::config::allow::FileKind;
use crate::config::document::{Document, Node};
use crate::config::edit::Scalar;
use crate::config::file::rules;
use crate::config::{keys, path};
use crate::sys::hash::is_bcrypt;

/// Where CLIProxyAPI keeps the key of its management API.
const SECRET_KEY: &str = "remote-management.secret-key";
/// The cost of the hashes that it makes itself.
const COST: u32 = 10;

/// The cost with which the program hashes a management key.
const HASH_COST: u32 = 10;

/// The value itself.
///
/// # Errors
/// [`StepError::Refused`], when there is nothing to copy.
pub fn of(value: &Value, overlay: &Overlay, ground: &Ground) -> Result<Scalar, StepError> {
    Ok(match value {
        Value::Literal(Literal::Text(text)) => Scalar::Text(text.clone()),
        Value::Literal(Literal::Int(number)) => Scalar::Int(*number),
        Value::Literal(Literal::Bool(truth)) => Scalar::Bool(*truth),
        Value::Random(kind) => secret(random(*kind)?, ground),
        Value::CopyOf { file, entry } => {
            secret(copy(file, entry.as_deref(), overlay, ground)?, ground)
        }
        Value::HashOf { file } => secret(hashed(&copy(file, None, overlay, ground)?)?, ground),
    })
}

/// The value as it is written at a place: CLIProxyAPI keeps its management key as a hash, and would
/// write one over a plain key, so that undo met another file than the repair left.
///
/// # Errors
/// [`StepError::Failed`], when no hash can be made.
pub fn as_kept(value: Scalar, kind: FileKind, path: &str) -> Result<Scalar, StepError> {
    match value {
        Scalar::Text(key)
            if kind == FileKind::Cliproxyapi && path == SECRET_KEY && !is_bcrypt(&key) =>
        {
            let hash = bcrypt::hash(key, COST);
            let hash = hash.map_err(|error| StepError::Failed(format!("hash the key: {error}")))?;
            Ok(Scalar::Text(hash))
        }
        value => Ok(value),
    }
}

/// A secret to write, of which the redactor learns.
fn secret(secret: SecretString, ground: &Ground) -> Scalar {
    ground.redactor.learn(&secret);
    Scalar::Text(secret.expose_secret().to_owned())
}

fn random(kind: SecretKind) -> Result<SecretString, StepError> {
    let made = match kind {
        SecretKind::MasterKey | SecretKind::UpstreamKey => keys::random_api_key(),
        SecretKind::ManagementKey => keys::random_hex(),
    };
    made.map_err(|error| StepError::Failed(error.to_string()))
}

/// The hash that the program would write in the place of a key (`facts/cliproxyapi.md` 2.2); made
/// here, so that the key itself never stands in its config.
fn hashed(key: &SecretString) -> Result<SecretString, StepError> {
    let hash = bcrypt::hash(key.expose_secret(), bcrypt::DEFAULT_COST.min(HASH_COST));
    hash.map(SecretString::from)
        .map_err(|error| StepError::Failed(format!("failed to hash a key: {error}")))
}

fn copy(
    file: &str,
    entry: Option<&str>,
    overlay: &Overlay,
    ground: &Ground,
) -> Result<SecretString, StepError> {
    let place = ground.resolve(file);
    let (_, image) = overlay.look(&place)?;
    let text = image.and_then(|image| String::from_utf8(image.bytes).ok());
    let missing = || StepError::Refused(format!("{file} holds nothing to copy"));
    let text = text.ok_or_else(missing)?;
    let value = match entry {
        None => Some(text.trim().to_owned()),
        Some(entry) => {
            let document = Document::parse(&text, rules(ground.kind(&place)));
            let document = document.map_err(|_| missing())?;
            scalar_at(&document.root, "", entry)
        }
    };
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or_else(missing)?;
    Ok(SecretString::from(value))
}

/// The scalar of an entry as text.
pub fn scalar_at(node: &Node, here: &str, wanted: &str) -> Option<String> {
    if here == wanted {
        return node.scalar_text();
    }
    let pairs = node.as_map().unwrap_or_default().iter();
    let keyed = pairs.map(|(key, node)| (path::key(here, &key.text), node));
    let items = node.as_list().unwrap_or_default().iter().enumerate();
    let listed = items.map(|(index, node)| (path::index(here, index), node));
    keyed
        .chain(listed)
        .filter(|(path, _)| wanted.starts_with(path.as_str()))
        .find_map(|(path, node)| scalar_at(node, &path, wanted))
}
