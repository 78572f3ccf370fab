//! What a service is doing, in a few words.

use crate::supervisor::protocol::Event;
use crate::sys::plain;

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
