//! `flowgate doctor mute` and `unmute`.

use std::time::Duration;

use anyhow::anyhow;
use flowgate_checks::ALL;
use jiff::{SignedDuration, Timestamp};

use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::Opened;
use crate::cli::{Global, opened, output};
use crate::doctor::{mutes, pages};
use crate::repair::owner;
use crate::report::Mute;

use super::fix::failure;

/// Hides a finding for some time; gives the exit code.
pub fn mute(
    finding: &str,
    duration: Duration,
    reason: &str,
    global: &Global,
) -> Result<u8, Failure> {
    let (id, subject) = split(finding)?;
    let opened = own(global)?;
    let now = Timestamp::now();
    let length = SignedDuration::try_from(duration)
        .map_err(|_| Failure::usage(anyhow!("so long nothing is muted")))?;
    let until = now
        .checked_add(length)
        .map_err(|_| Failure::usage(anyhow!("so long nothing is muted")))?;
    let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
    let mute = Mute {
        id: id.to_owned(),
        subject: subject.map(str::to_owned),
        until,
        reason: reason.to_owned(),
    };
    mutes::add(&opened.config.paths.runtime_dir, mute, now)?;
    output::text(&format!("{finding} is muted until {until}\n"))?;
    Ok(0)
}

/// Shows a hidden finding again; gives the exit code.
pub fn unmute(finding: &str, global: &Global) -> Result<u8, Failure> {
    let (id, subject) = split(finding)?;
    let opened = own(global)?;
    if mutes::remove(&opened.config.paths.runtime_dir, id, subject)? {
        output::text(&format!("{finding} is shown again\n"))?;
        return Ok(0);
    }
    output::error(&format!("{finding} is not muted"), None);
    Ok(EXIT_FAILED)
}

/// The gateway, when its runtime dir is ours: a file of another user in it would be in the way.
fn own(global: &Global) -> Result<Opened, Failure> {
    let opened = opened::open(global)?;
    let runtime = &opened.config.paths.runtime_dir;
    owner::check_dir(runtime, &opened.root.show(runtime)).map_err(failure)?;
    Ok(opened)
}

/// `readiness/slow:litellm` in its parts; the id has to be one.
fn split(finding: &str) -> Result<(&str, Option<&str>), Failure> {
    let (id, subject) = match finding.split_once(':') {
        Some((id, subject)) => (id, Some(subject)),
        None => (finding, None),
    };
    let mut specs = ALL.iter().flat_map(|check| check.findings);
    if specs.any(|spec| spec.id == id) {
        return Ok((id, subject));
    }
    let failure = Failure::usage(anyhow!("no finding is named {id:?}"));
    Err(match pages::nearest(id) {
        Some(near) => failure.hint(format!("flowgate doctor explain {near}")),
        None => failure.hint("flowgate doctor list"),
    })
}
