//! `supervisor/supervisor.json`: which process is the supervisor.

use std::path::Path;

use flowgate_checks::model::{Observed, RecordedSupervisor, Unknown};
use serde::{Deserialize, Serialize};

use super::life::{LifeSign, life_of};
use crate::sys::place::Root;
use crate::sys::read::{self, ReadError};

/// A record is smaller by far.
const LIMIT: u64 = 64 * 1024;

/// What the supervisor says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SupervisorRecord {
    /// Version of this form.
    pub v: u32,
    /// Its pid.
    pub pid: u32,
    /// Its start time, in clock ticks after boot.
    pub start_time: u64,
    /// Boot in which it was started; none means that nobody says.
    #[serde(default)]
    pub boot_id: Option<String>,
    /// The flowgate that it is.
    #[serde(default)]
    pub version: Option<String>,
}

/// The supervisor that the runtime dir names, and what became of it; `look` tells of the process that
/// has a pid now.
pub fn supervisor(
    runtime_dir: &Path,
    root: &Root,
    boot_id: &str,
    look: impl Fn(u32) -> Option<LifeSign>,
) -> Observed<Option<RecordedSupervisor>> {
    let path = runtime_dir.join("supervisor/supervisor.json");
    let bytes = match read::whole(&path, LIMIT) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return Observed::Known(None),
        Err(error) => return Observed::unknown(format!("{}: {error}", root.show(&path))),
    };
    match serde_json::from_slice::<SupervisorRecord>(&bytes) {
        Ok(record) => {
            let boot = record.boot_id.as_deref().unwrap_or(boot_id);
            let recorded = Some((record.start_time, boot));
            Observed::Known(Some(RecordedSupervisor {
                path: root.show(&path),
                pid: record.pid,
                life: life_of(recorded, boot_id, look(record.pid).as_ref()),
                version: record.version,
            }))
        }
        Err(_) => Observed::Unknown(Unknown {
            why: format!("{} is no record", root.show(&path)),
            command: None,
        }),
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
mod tests {
    use flowgate_checks::model::RunLife;

    use super::*;

    fn sign(start_time: u64) -> Option<LifeSign> {
        Some(LifeSign {
            start_time,
            started_at_seconds: None,
            is_zombie: false,
            is_configured_program: false,
        })
    }

    #[test]
    fn it_is_known_by_pid_start_time_and_boot() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("supervisor")).unwrap();
        let root = Root::new(dir.path());
        let look = |start_time| supervisor(dir.path(), &root, "boot", |_| sign(start_time));
        assert_eq!(look(7), Observed::Known(None));
        let path = dir.path().join("supervisor/supervisor.json");
        std::fs::write(&path, r#"{"v":1,"pid":9,"startTime":7,"version":"0.1.0"}"#).unwrap();
        let life = |seen: Observed<Option<RecordedSupervisor>>| {
            seen.known().cloned().flatten().map(|found| found.life)
        };
        assert_eq!(life(look(7)), Some(RunLife::Alive));
        assert_eq!(life(look(8)), Some(RunLife::Reused));
        std::fs::write(&path, r#"{"v":1,"pid":9,"startTime":7,"bootId":"other"}"#).unwrap();
        assert_eq!(life(look(7)), Some(RunLife::OtherBoot));
        std::fs::write(&path, "{").unwrap();
        assert!(look(7).why_unknown().is_some());
    }
}
