//! The supervisor becomes a newer flowgate: the process stays the same, so its children stay its own.
//!
//! What the next one needs is on record, and the variables with which services were started go along.
//! It waits until nothing is going on, and a program that does not prove to be a newer flowgate is
//! not tried.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::protocol::Refusal;

/// A flowgate says its version sooner.
const PATIENCE: Duration = Duration::from_secs(5);

/// What says a version is no longer.
const LONGEST: u64 = 256;

/// What the next supervisor is started with.
pub struct Upgrade {
    /// The newer program.
    pub program: PathBuf,
    /// The runtime dir.
    pub runtime_dir: PathBuf,
    /// The flowgate.yaml.
    pub config: PathBuf,
    /// Variables that services were started with.
    pub env: BTreeMap<String, String>,
}

impl Upgrade {
    /// Looks whether the program is a flowgate that is newer than this one, by asking it.
    ///
    /// # Errors
    /// A refusal of code `not-newer`, or `upgrade` when the program does not say what it is.
    pub async fn prove(&self) -> Result<(), Refusal> {
        let version = version_of(&self.program).await.map_err(|error| {
            let program = self.program.display();
            Refusal::new(
                "upgrade",
                format!("{program} does not say its version: {error}"),
            )
        })?;
        let own = env!("CARGO_PKG_VERSION");
        match is_newer(&version, own) {
            true => Ok(()),
            false => Err(Refusal::new(
                "not-newer",
                format!("the supervisor is flowgate {own}, and {version} is not newer"),
            )),
        }
    }

    /// Becomes the program; comes back only when that fails. Everything that is open is closed with
    /// the leap, the lock too, which the next one takes anew.
    #[expect(
        clippy::disallowed_methods,
        reason = "the supervisor becomes a newer one; no process is made here"
    )]
    pub fn leap(&self) -> io::Error {
        Command::new(&self.program)
            .arg0("flowgate")
            .arg("--config")
            .arg(&self.config)
            .args(["supervise", "--detached", "--runtime-dir"])
            .arg(&self.runtime_dir)
            .envs(&self.env)
            .exec()
    }
}

/// `0.2.0` of a program that says `flowgate 0.2.0`.
#[expect(
    clippy::disallowed_methods,
    reason = "the newer program is asked for its version"
)]
async fn version_of(program: &Path) -> io::Result<String> {
    let child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let pid = rustix::process::Pid::from_child(&child);
    let said = tokio::task::spawn_blocking(move || listen(child));
    let said = match tokio::time::timeout(PATIENCE, said).await {
        Ok(said) => said.map_err(io::Error::other)??,
        Err(_) => {
            // Nobody has waited for it yet, so its pid is its own.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            return Err(io::ErrorKind::TimedOut.into());
        }
    };
    let version = said.trim().strip_prefix("flowgate ");
    version
        .map(str::to_owned)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no flowgate"))
}

fn listen(mut child: Child) -> io::Result<String> {
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        output.take(LONGEST).read_to_string(&mut said)?;
    }
    child.wait()?;
    Ok(said)
}

/// Whether a version comes after another, by its three numbers.
fn is_newer(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Option<[u64; 3]> {
        let core = text.split(['-', '+', ' ']).next()?;
        let mut numbers = core.split('.').map(|number| number.parse().ok());
        Some([numbers.next()??, numbers.next()??, numbers.next()??])
    };
    matches!((numbers(version), numbers(than)), (Some(new), Some(old)) if new > old)
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn only_a_later_version_is_newer() {
        for (version, than, expected) in [
            ("0.2.0", "0.1.9", true),
            ("0.10.0", "0.9.0", true),
            ("1.0.0-rc.1", "0.9.0", true),
            ("0.1.0", "0.1.0", false),
            ("0.1.0", "0.2.0", false),
            ("x", "0.1.0", false),
            ("2", "0.1.0", false),
        ] {
            assert_eq!(is_newer(version, than), expected, "{version} {than}");
        }
    }
}
