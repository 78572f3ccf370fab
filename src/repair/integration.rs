//! The step `integration`: the config of a client, and the record of what flowgate set in it.

use std::path::Path;

use flowgate_checks::model::{ClientChange, ConfigState, Step};
use secrecy::SecretString;

use super::error::StepError;
use super::files::{FileChange, Image};
use super::ground::Ground;
use super::prepare::{Overlay, PreparedStep};
use crate::config::in_use::{KeyKind, Keyring};
use crate::config::keys::SecretsDir;
use crate::config::load;
use crate::integration::change::{self, Changed};
use crate::integration::client::Client;
use crate::integration::gateway::Gateway;
use crate::integration::record::{self, Record};

/// Changes the config of a client for the gateway as the steps before leave flowgate.yaml.
pub fn prepare(
    step: &Step,
    (client, path, wanted): (&str, &str, ClientChange),
    overlay: &Overlay,
    ground: &Ground,
) -> Result<PreparedStep, StepError> {
    let refused = |why: String| StepError::Refused(why);
    let client = Client::named(client).ok_or_else(|| refused(format!("{client} is no client")))?;
    let path = ground.resolve(path);
    let (target, before) = overlay.look(&path)?;
    let old = text(&path, before.as_ref())?;
    let record_path = record::place(&ground.runtime, client, &path);
    let (record_target, record_before) = overlay.look(&record_path)?;
    let known = record_before
        .as_ref()
        .and_then(|image| Record::parse(&image.bytes));
    let changed = match (wanted, &known) {
        (ClientChange::Remove, None) => {
            return Err(refused(format!(
                "{} was not pointed at the gateway by flowgate",
                path.display()
            )));
        }
        (ClientChange::Remove, Some(known)) => change::take_back(client, old.as_deref(), known),
        (ClientChange::Point | ClientChange::PointWithKey, known) => {
            let gateway = gateway(overlay, ground)?;
            let with_key = wanted == ClientChange::PointWithKey;
            change::point(
                client,
                &gateway,
                &path,
                old.as_deref(),
                known.as_ref(),
                with_key,
            )
        }
    }
    .map_err(|why| refused(why.to_string()))?;
    let files = vec![
        FileChange {
            path,
            target,
            in_place: false,
            after: image(&changed, before.as_ref()),
            before,
        },
        FileChange {
            path: record_path,
            target: record_target,
            in_place: false,
            after: changed.record.as_ref().map(|record| Image {
                bytes: record.text().into_bytes(),
                mode: 0o600,
            }),
            before: record_before,
        },
    ];
    Ok(PreparedStep::on_files(step, files))
}

fn text(path: &Path, image: Option<&Image>) -> Result<Option<String>, StepError> {
    let Some(image) = image else {
        return Ok(None);
    };
    match String::from_utf8(image.bytes.clone()) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(StepError::Refused(format!(
            "{} is no UTF-8 text",
            path.display()
        ))),
    }
}

/// A config with a key in it is closed to others; any other keeps its mode.
fn image(changed: &Changed, before: Option<&Image>) -> Option<Image> {
    let text = changed.text.as_ref()?;
    let mode = match before {
        Some(before) if changed.holds_key => before.mode & !0o077,
        Some(before) => before.mode,
        None => 0o600,
    };
    Some(Image {
        bytes: text.clone().into_bytes(),
        mode,
    })
}

fn gateway(overlay: &Overlay, ground: &Ground) -> Result<Gateway, StepError> {
    let (_, _, text) = overlay.text(&ground.config)?;
    let loaded = ground.flowgate_of(text.as_bytes());
    let is_loaded = loaded.file.state == ConfigState::Loaded;
    let Some(config) = loaded.config.filter(|_| is_loaded) else {
        let why = load::sentence(&loaded.file).unwrap_or_default();
        return Err(StepError::Refused(why));
    };
    let keyring = Keyring {
        config: &config,
        cwd: &ground.cwd,
        reading: ground.reading(),
    };
    let mut gateway = Gateway::of(&keyring).map_err(|why| StepError::Refused(why.to_string()))?;
    // A step before this one may keep another key.
    let kept = SecretsDir::beside(&ground.runtime).path(KeyKind::Litellm.file());
    let (_, kept) = overlay.look(&kept)?;
    if let Some(key) = kept.and_then(|kept| String::from_utf8(kept.bytes).ok()) {
        gateway.key = Some(SecretString::from(key.trim()));
    }
    Ok(gateway)
}
