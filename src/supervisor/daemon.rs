//! The supervisor of one runtime dir.

use std::cell::RefCell;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::LocalSet;

use super::connection;
use super::end::End;
use super::lock::{self, Lock};
use super::places::{PlaceError, Places};
use super::roster::Roster;
use super::socket::Door;

/// So many clients are served at once; others wait.
const CLIENTS: usize = 64;

/// Why there is no supervisor.
#[derive(Debug, Error)]
pub enum DaemonError {
    /// The runtime dir cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Another one is there.
    #[error("supervise {}: another supervisor does{}", dir.display(), by(.pid))]
    Held {
        /// The runtime dir.
        dir: PathBuf,
        /// Its pid, where it can be told.
        pid: Option<u32>,
    },
    /// The socket cannot be made.
    #[error("listen in {}: {error}", dir.display())]
    Listen {
        /// The folder of the socket.
        dir: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no runtime for its tasks.
    #[error("set up the supervisor: {0}")]
    Runtime(#[from] io::Error),
}

fn by(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

/// A supervisor that holds the lock and listens.
pub struct Daemon {
    places: Places,
    config: PathBuf,
    listener: UnixListener,
    door: Door,
    may_leap: bool,
    _lock: Lock,
}

impl Daemon {
    /// Takes the lock of a runtime dir and listens; the dir is made when it is not there. `config` is
    /// the flowgate.yaml that is read at each start; both paths are absolute.
    ///
    /// # Errors
    /// [`DaemonError::Held`] when another supervisor has it.
    pub fn open(runtime_dir: &Path, config: &Path) -> Result<Self, DaemonError> {
        let places = Places::new(runtime_dir);
        places.make()?;
        let Some(lock) = lock::win(&places)? else {
            return Err(DaemonError::Held {
                dir: runtime_dir.to_owned(),
                pid: lock::holder(&places).map(|holder| holder.pid),
            });
        };
        let fault = |error: io::Error| DaemonError::Listen {
            dir: places.supervisor(),
            error,
        };
        let door = Door::open(&places).map_err(fault)?;
        // Whoever won the lock may: the socket of one that has gone is nobody's.
        match std::fs::remove_file(door.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        let listener = UnixListener::bind(door.path()).map_err(fault)?;
        // Its folder is closed to others; a umask is no reason for less.
        std::fs::set_permissions(door.path(), Permissions::from_mode(0o600)).map_err(fault)?;
        listener.set_nonblocking(true).map_err(fault)?;
        Ok(Self {
            places,
            config: config.to_owned(),
            listener,
            door,
            may_leap: false,
            _lock: lock,
        })
    }

    /// The same in a process that does nothing else, so that it can become a newer flowgate.
    pub fn replaceable(mut self) -> Self {
        self.may_leap = true;
        self
    }

    /// Serves until it is told to end. The services go on.
    ///
    /// # Errors
    /// [`DaemonError::Runtime`], when it cannot begin.
    pub fn serve(self) -> Result<(), DaemonError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let served = LocalSet::new().block_on(&runtime, self.accept());
        runtime.shutdown_background();
        let _ = std::fs::remove_file(self.door.path());
        served
    }

    async fn accept(&self) -> Result<(), DaemonError> {
        let listener = tokio::net::UnixListener::from_std(self.listener.try_clone()?)?;
        let end = End::new(self.may_leap);
        let roster = Roster::open(self.places.clone(), self.config.clone(), end.clone());
        let roster = Rc::new(RefCell::new(roster));
        let seats = Arc::new(Semaphore::new(CLIENTS));
        loop {
            let accepted = tokio::select! {
                accepted = seated(&listener, &seats) => accepted,
                upgrade = end.awaited() => match upgrade {
                    Some(upgrade) => {
                        // It comes back only when it failed: whoever asked finds the old version.
                        let error = upgrade.leap();
                        roster.borrow().note_failed_upgrade(&upgrade, &error);
                        continue;
                    }
                    None => return Ok(()),
                },
            };
            let Ok((stream, seat)) = accepted else {
                // No descriptor is left, as a rule; one comes back when a client goes.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            if !is_welcome(&stream) {
                continue;
            }
            let (roster, end) = (Rc::clone(&roster), end.clone());
            tokio::task::spawn_local(async move {
                connection::serve(stream, roster, end).await;
                drop(seat);
            });
        }
    }
}

/// A client, once there is a seat for it.
async fn seated(
    listener: &tokio::net::UnixListener,
    seats: &Arc<Semaphore>,
) -> io::Result<(tokio::net::UnixStream, OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await;
    let seat = seat.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, seat))
}

/// Only this user and root may ask, whatever the modes of the folder say.
fn is_welcome(stream: &tokio::net::UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}
