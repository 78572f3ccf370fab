//! `supervisor/supervisor.lock`: which process is the supervisor.

use std::path::Path;

use flowgate_checks::model::{Observed, RecordedSupervisor, Unknown};
use serde::Deserialize;

use super::life::{LifeSign, life_of};
use crate::sys::place::Root;
use crate::sys::read::{self, ReadError};

/// A record is smaller by far.
const LIMIT: u64 = 64 * 1024;

/// What the supervisor writes into the file that it locks. Whoever looks does not try the lock: for a
/// moment that would keep a supervisor from starting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    pid: u32,
    start_time: u64,
    /// Boot in which it was started; the present one where nobody says.
    #[serde(default)]
    boot_id: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

/// The supervisor that the runtime dir names, and what became of it; `look` tells of the process that
/// has a pid now.
pub fn supervisor(
    runtime_dir: &Path,
    root: &Root,
    boot_id: &str,
    look: impl Fn(u32) -> Option<LifeSign>,
) -> Observed<Option<RecordedSupervisor>> {
    let path = runtime_dir.join("supervisor/supervisor.lock");
    let bytes = match read::whole(&path, LIMIT) {
        // Nobody has locked it yet.
        Ok(bytes) if bytes.is_empty() => return Observed::Known(None),
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return Observed::Known(None),
        Err(error) => return Observed::unknown(format!("{}: {error}", root.show(&path))),
    };
    match serde_json::from_slice::<Holder>(&bytes) {
        Ok(holder) => {
            let boot = holder.boot_id.as_deref().unwrap_or(boot_id);
            let recorded = Some((holder.start_time, boot));
            Observed::Known(Some(RecordedSupervisor {
                path: root.show(&path),
                pid: holder.pid,
                life: life_of(recorded, boot_id, look(holder.pid).as_ref()),
                version: holder.version,
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
        let path = dir.path().join("supervisor/supervisor.lock");
        std::fs::write(&path, r#"{"pid":9,"startTime":7,"version":"0.1.0"}"#).unwrap();
        let life = |seen: Observed<Option<RecordedSupervisor>>| {
            seen.known().cloned().flatten().map(|found| found.life)
        };
        assert_eq!(life(look(7)), Some(RunLife::Alive));
        assert_eq!(life(look(8)), Some(RunLife::Reused));
        std::fs::write(&path, r#"{"pid":9,"startTime":7,"bootId":"other"}"#).unwrap();
        assert_eq!(life(look(7)), Some(RunLife::OtherBoot));
        std::fs::write(&path, "{").unwrap();
        assert!(look(7).why_unknown().is_some());
    }
}
