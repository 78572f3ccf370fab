//! Ctrl-C while services stop: the first says what a second does, each further one sends the next
//! signal of the ladder at once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::output;
use crate::supervisor::client::Client;
use crate::supervisor::protocol::Command;

/// A supervisor that lives answers sooner.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens for Ctrl-C from its making to the end of the command.
pub struct Impatience {
    service: Arc<Mutex<String>>,
}

impl Impatience {
    /// Begins to listen.
    pub fn listen(runtime_dir: &Path) -> Self {
        let service = Arc::new(Mutex::new(String::new()));
        let (shared, runtime_dir) = (Arc::clone(&service), runtime_dir.to_owned());
        // Without a thread Ctrl-C ends the command, and the stop goes on without it.
        let _ = thread::Builder::new().spawn(move || hear(&shared, &runtime_dir));
        Self { service }
    }

    /// Which service stops now.
    pub fn about(&self, service: &str) {
        if let Ok(mut current) = self.service.lock() {
            service.clone_into(&mut current);
        }
    }
}

fn hear(service: &Mutex<String>, runtime_dir: &PathBuf) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return;
    };
    runtime.block_on(async {
        let Ok(mut interrupts) = signal(SignalKind::interrupt()) else {
            return;
        };
        let mut is_second = false;
        while interrupts.recv().await.is_some() {
            let name = service.lock().map_or(String::new(), |name| name.clone());
            if !std::mem::replace(&mut is_second, true) {
                output::errors(&format!(
                    "\n{name} is stopping; Ctrl-C again sends the next signal\n"
                ));
            } else if !hasten(runtime_dir, name) {
                // Nobody is there who could: the command need not wait either.
                let _ = kill_process(getpid(), Signal::TERM);
            }
        }
    });
}

fn hasten(runtime_dir: &Path, service: String) -> bool {
    Client::connect(runtime_dir).is_some_and(|mut client| {
        client.set_patience(PATIENCE);
        client.request(Command::Hasten { service }, drop).is_ok()
    })
}
