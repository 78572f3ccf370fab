//! `key rotate`: another key in every place of the old one, as one run of a repair that
//! `doctor undo` takes back.

mod places;
mod plan;

use thiserror::Error;

use super::error::RepairError;
use super::ground::Ground;
use super::journal::OpenLines;
use super::lock;
use super::owner;
use super::place::Place;
use super::rounds::{Offer, Talk, full};
use super::services::Services;
use super::transaction::{Group, Transaction};
use super::{prepare, shown};
use crate::config::in_use::KeyKind;
use crate::config::load;
use crate::doctor::{DoctorError, Seen};
use crate::report::repair::{Run, RunState};

/// Why a key was not rotated; nothing was changed then.
#[derive(Debug, Error)]
pub enum RotateError {
    /// flowgate.yaml does not load.
    #[error("load the config: {0}")]
    Config(String),
    /// No such key is known.
    #[error("find the {key} key: no file and no config holds one")]
    Nowhere {
        /// Its name.
        key: &'static str,
    },
    /// Its file cannot be read.
    #[error("read a key: {0}")]
    Key(String),
    /// The service uses another one than flowgate keeps.
    #[error("find the {key} key in use: the one in {file} is in no config")]
    NotUsed {
        /// Its name.
        key: &'static str,
        /// The file of the kept one.
        file: String,
    },
    /// It comes from a shell, which cannot be changed.
    #[error(
        "rotate the key in {variable}: the shell gives it, and no env_file or env of flowgate.yaml"
    )]
    FromShell {
        /// The variable.
        variable: String,
    },
    /// It stands where flowgate does not write.
    #[error("rotate the key in {file}: it stands there in a form that flowgate does not change")]
    ByHand {
        /// The file.
        file: String,
    },
    /// The management API is off.
    #[error(
        "rotate the management key: cliproxyapi.yaml has no secret-key, and flowgate.yaml no management: auto"
    )]
    NoManagement,
    /// Somebody else runs a service that uses it.
    #[error(
        "rotate a key of {service}: somebody else runs it, and it would go on with the old one"
    )]
    NotOurs {
        /// The service.
        service: String,
    },
    /// The repair could not be done.
    #[error(transparent)]
    Repair(#[from] RepairError),
}

/// What is asked for.
pub struct Rotation<'a> {
    /// Which key.
    pub kind: KeyKind,
    /// Whether it is agreed to beforehand.
    pub yes: bool,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// How the lines of the journal are written.
    pub lines: OpenLines<'a>,
}

/// What came of it.
pub enum Rotated {
    /// The run, done or planned.
    Run(Box<Run>),
    /// Somebody was asked and did not agree, or nobody was there to be asked.
    Declined {
        /// Whether somebody was there.
        asked: bool,
    },
}

/// Puts another key in every place of the old one, restarts who uses it, and looks whether everything
/// that was well still is; else everything is as before.
///
/// # Errors
/// [`RotateError`]; nothing was changed then.
pub fn rotate(
    look: &dyn Fn() -> Result<Seen, DoctorError>,
    rotation: &Rotation<'_>,
    talk: &mut dyn Talk,
) -> Result<Rotated, RotateError> {
    let seen = look().map_err(|error| RepairError::Look(error.to_string()))?;
    if !rotation.dry_run {
        owner::check(&seen.snapshot)?;
    }
    let ground = Ground::of(&seen.snapshot)
        .ok_or_else(|| RotateError::Config("it does not tell where things are".into()))?;
    let loaded = ground.flowgate();
    let Some(config) = loaded.config else {
        let why = load::sentence(&loaded.file).unwrap_or_default();
        return Err(RotateError::Config(why));
    };
    let planned = plan::plan(rotation.kind, &config, &seen.snapshot, &ground)?;
    let shown = match prepare::prepare(&planned.steps, &ground, &Services::of(&ground)) {
        Ok(prepared) => shown::prepared_run(&planned, &prepared, &ground),
        Err((_, why)) => shown::run(&planned, RunState::Refused, Some(why.to_string())),
    };
    if rotation.dry_run || shown.state == RunState::Refused {
        return Ok(Rotated::Run(Box::new(shown)));
    }
    if !rotation.yes {
        let offer = Offer {
            what: planned.title.clone(),
            why: "you asked for it".into(),
            diff: shown.diff.clone().unwrap_or_default(),
        };
        let asked = talk.can_answer();
        if !asked || !talk.agrees(&[offer]) {
            return Ok(Rotated::Declined { asked });
        }
    }
    let place = Place::below(&ground.runtime);
    place
        .make()
        .map_err(|error| RepairError::Journal(error.to_string()))?;
    let _lock = lock::win(&place)?;
    let transaction = Transaction {
        round: 1,
        ground: &ground,
        place: &place,
        lines: rotation.lines,
        services: Services::of(&ground),
        before: full(&seen),
        look,
    };
    let outcome = transaction.carry_out(&[planned], &mut Group::default(), talk)?;
    outcome
        .runs
        .into_iter()
        .next()
        .map(|run| Rotated::Run(Box::new(run)))
        .ok_or_else(|| RepairError::Journal("no run was begun".into()).into())
}
