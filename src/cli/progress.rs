//! What is going on while somebody waits: one line on stderr that is written anew.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The seconds count on while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// Nothing is shown of what takes no longer.
const PATIENCE: Duration = Duration::from_millis(150);

/// Goes to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[2K";

/// Shows what is going on until it is dropped; on a terminal only.
pub struct Progress {
    phases: Option<Sender<String>>,
    painter: Option<JoinHandle<()>>,
}

impl Progress {
    /// The progress of something, such as a service; one that is not wanted, or whose stderr is no
    /// terminal, shows nothing.
    pub fn of(subject: &str, is_wanted: bool) -> Self {
        if !is_wanted || !io::stderr().is_terminal() {
            return Self {
                phases: None,
                painter: None,
            };
        }
        let (sender, phases) = mpsc::channel::<String>();
        let subject = subject.to_owned();
        let painter = thread::spawn(move || {
            let begun = Instant::now();
            let mut phase = String::new();
            let mut is_painted = false;
            loop {
                match phases.recv_timeout(TICK) {
                    Ok(now) => phase = now,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if begun.elapsed() >= PATIENCE {
                    is_painted = true;
                    paint(&format!(
                        "{CLEAR}  {subject}  {phase}  {} s",
                        begun.elapsed().as_secs()
                    ));
                }
            }
            if is_painted {
                paint(CLEAR);
            }
        });
        Self {
            phases: Some(sender),
            painter: Some(painter),
        }
    }

    /// Shows a phase; `phase` is one plain line.
    pub fn note(&self, phase: String) {
        if let Some(phases) = &self.phases {
            // Without its painter the line just stays as it is.
            let _ = phases.send(phase);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.phases = None;
        if let Some(painter) = self.painter.take() {
            let _ = painter.join();
        }
    }
}

fn paint(text: &str) {
    let mut err = io::stderr().lock();
    // When stderr is gone there is nobody left to tell.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}
