//! How often a running service refused the management key: five refusals ban this machine for
//! 30 minutes (`facts/cliproxyapi.md` 3.4), so that they are counted here and end before.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::LoginError;
use crate::gateway::management::answers::Refused;
use crate::supervisor::places::Places;
use crate::sys::read;
use crate::sys::write::{self, Modes};

/// The key is sent no more after so many; the doctor and other programs ask too.
const MOST: u32 = 2;

/// The file is far smaller, in bytes.
const LONGEST: u64 = 4096;

/// What one process of the service refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Kept {
    v: u32,
    /// The process: the service forgets with it.
    pid: u32,
    start_time: u64,
    refusals: u32,
    #[serde(default)]
    banned_until: Option<Timestamp>,
}

/// The count of one process.
#[derive(Debug)]
pub struct Refusals {
    file: PathBuf,
    kept: Kept,
}

impl Refusals {
    /// The count of the process behind the door; nothing is known of one that cannot be seen.
    pub fn of(runtime_dir: &Path, process: Option<(u32, u64)>) -> Self {
        let file = Places::new(runtime_dir)
            .supervisor()
            .join("management.json");
        let (pid, start_time) = process.unwrap_or_default();
        let fresh = Kept {
            v: 1,
            pid,
            start_time,
            ..Kept::default()
        };
        let kept = read::whole(&file, LONGEST)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok())
            .filter(|kept| (kept.pid, kept.start_time) == (pid, start_time));
        Self {
            file,
            kept: kept.unwrap_or(fresh),
        }
    }

    /// Whether one more request may be sent.
    ///
    /// # Errors
    /// [`LoginError::RefusedBefore`], [`LoginError::BannedBefore`].
    pub fn allow(&self, now: Timestamp) -> Result<(), LoginError> {
        if let Some(until) = self.kept.banned_until
            && until > now
        {
            let minutes = until.duration_since(now).as_secs() / 60 + 1;
            return Err(LoginError::BannedBefore {
                minutes: u32::try_from(minutes).unwrap_or(30),
            });
        }
        if self.kept.refusals >= MOST {
            return Err(LoginError::RefusedBefore {
                refusals: self.kept.refusals,
            });
        }
        Ok(())
    }

    /// Notes what came of a request with the key. What cannot be written is forgotten: the client
    /// stops after one refusal by itself.
    pub fn note<T>(&mut self, answer: &Result<T, Refused>, now: Timestamp) {
        let before = self.kept.clone();
        match answer {
            Ok(_) => {
                self.kept.refusals = 0;
                self.kept.banned_until = None;
            }
            Err(Refused::Key) => self.kept.refusals += 1,
            Err(Refused::Banned { minutes }) => {
                let left = SignedDuration::from_mins(i64::from(*minutes));
                self.kept.banned_until = now.checked_add(left).ok();
            }
            Err(_) => {}
        }
        if self.kept != before
            && let Ok(text) = serde_json::to_vec(&self.kept)
        {
            let _ = write::replace(&self.file, &text, Modes::SECRET, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_key_is_sent_twice_at_most_to_one_process_that_refuses_it() {
        let folder = tempfile::tempdir().unwrap();
        let of = |pid| Refusals::of(folder.path(), Some((pid, 7)));
        for refused in 0..MOST {
            assert!(of(1).allow(now()).is_ok(), "{refused}");
            of(1).note::<()>(&Err(Refused::Key), now());
        }
        assert!(matches!(
            of(1).allow(now()),
            Err(LoginError::RefusedBefore { refusals: MOST })
        ));
        // Another process has another count, and a right key ends the count.
        assert!(of(2).allow(now()).is_ok());
        of(1).note(&Ok(()), now());
        assert!(of(1).allow(now()).is_ok());
    }

    #[test]
    fn a_ban_is_waited_for_and_not_asked_about() {
        let folder = tempfile::tempdir().unwrap();
        let of = || Refusals::of(folder.path(), Some((1, 7)));
        of().note::<()>(&Err(Refused::Banned { minutes: 30 }), now());
        let error = of().allow(now()).unwrap_err();
        assert!(error.to_string().contains("31 min"), "{error}");
        let over = now() + SignedDuration::from_mins(30);
        assert!(of().allow(over).is_ok());
    }

    #[test]
    fn a_damaged_count_is_no_count() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("supervisor/management.json");
        write::replace(&file, b"{\"v\":1,", Modes::SECRET, None).unwrap();
        assert!(
            Refusals::of(folder.path(), Some((1, 7)))
                .allow(now())
                .is_ok()
        );
    }
}
