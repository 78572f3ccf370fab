//! What a service is doing while somebody waits: one line on stderr that is written anew.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::supervisor::protocol::Event;
use crate::sys::plain;

/// The seconds count on while no event comes.
const TICK: Duration = Duration::from_millis(200);

/// Nothing is shown of what takes no longer.
const PATIENCE: Duration = Duration::from_millis(150);

/// Goes to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[2K";

/// Shows what a service is doing until it is dropped; on a terminal only.
pub struct Progress {
    events: Option<Sender<String>>,
    painter: Option<JoinHandle<()>>,
}

impl Progress {
    /// The progress of a service; one that is not wanted, or whose stderr is no terminal, shows
    /// nothing.
    pub fn of(service: &str, is_wanted: bool) -> Self {
        if !is_wanted || !io::stderr().is_terminal() {
            return Self {
                events: None,
                painter: None,
            };
        }
        let (events, phases) = mpsc::channel::<String>();
        let service = service.to_owned();
        let painter = thread::spawn(move || {
            let begun = Instant::now();
            let mut phase = String::new();
            loop {
                match phases.recv_timeout(TICK) {
                    Ok(now) => phase = now,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if begun.elapsed() >= PATIENCE {
                    paint(&format!(
                        "{CLEAR}  {service}  {phase}  {} s",
                        begun.elapsed().as_secs()
                    ));
                }
            }
            paint(CLEAR);
        });
        Self {
            events: Some(events),
            painter: Some(painter),
        }
    }

    /// Shows what an event tells.
    pub fn note(&self, event: &Event) {
        if let Some(events) = &self.events {
            // Without its painter the line just stays as it is.
            let _ = events.send(words(event));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.events = None;
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

/// What an event tells, in a few words. A phase may come from a log, so it is made plain.
pub fn words(event: &Event) -> String {
    match event {
        Event::Spawned { pid, .. } => format!("starting, pid {pid}"),
        Event::Phase { phase, .. } => plain::cut(&plain::one_line(phase), 60),
        Event::Ready { .. } => "ready".into(),
        Event::Signalled { signal, .. } => format!("stopping, sent {signal}"),
        Event::Exited { exit, .. } => match (&exit.signal, exit.code) {
            (Some(signal), _) => format!("ended by {signal}"),
            (None, Some(code)) => format!("ended with {code}"),
            (None, None) => "ended".into(),
        },
    }
}
