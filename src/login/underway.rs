//! One login of a provider at a time: a second one would take the callback port of the first, and
//! whichever ends first would close it for the other (`facts/real-stack.md`, OAuth).

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::LoginError;
use crate::supervisor::places::Places;
use crate::sys::lock::{self, Lock};

/// What a login writes of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    v: u32,
    pid: u32,
    start_time: u64,
}

/// Begins a login; it is under way until this is dropped, however the process ends.
///
/// # Errors
/// [`LoginError::UnderWay`], [`LoginError::Machine`].
pub fn begin(runtime_dir: &Path, provider: &str) -> Result<Lock, LoginError> {
    let places = Places::new(runtime_dir);
    places
        .make()
        .map_err(|error| LoginError::Machine(format!("failed to begin a login: {error}")))?;
    let path = places.supervisor().join(format!("login-{provider}.lock"));
    let won = lock::win(&path, |pid, start_time| Holder {
        v: 1,
        pid,
        start_time,
    });
    match won {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(LoginError::UnderWay {
            provider: provider.to_owned(),
            pid: lock::holder::<Holder>(&path).map_or(0, |holder| holder.pid),
        }),
        Err(error) => Err(LoginError::Machine(format!(
            "failed to lock {}: {error}",
            path.display()
        ))),
    }
}
