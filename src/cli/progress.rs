//! What is going on while somebody waits: on a terminal one line on stderr that is written anew.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::doctor::Underway;
use crate::report::text::layout::width;

/// The seconds count on while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// Nothing is shown of what takes no longer.
const PATIENCE: Duration = Duration::from_millis(150);

/// The same of a look of the doctor.
const PATIENCE_WITH_A_LOOK: Duration = Duration::from_secs(1);

/// A probe is named that takes longer.
const SLOW: Duration = Duration::from_millis(500);

/// Columns of the spaces and the unit around the subject, the phase and the seconds; the last column
/// stays empty, or the line would be two lines, of which only one is cleared.
const FRAME: usize = "      s".len() + 2;

/// Goes to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[2K";

/// Shows what is going on until it is dropped.
pub struct Progress {
    phases: Option<Sender<String>>,
    painter: Option<JoinHandle<()>>,
}

impl Progress {
    /// The progress of something, such as a service; one that is not wanted, or whose stderr is no
    /// terminal, shows nothing.
    pub fn of(subject: &str, is_wanted: bool) -> Self {
        let line = Line::new(subject, PATIENCE, Underway::default());
        Self::shown(is_wanted && io::stderr().is_terminal(), move |phases| {
            line.paint(phases);
        })
    }

    /// The progress of one or more looks of the doctor: the phase that was noted, or the probe that
    /// keeps a look waiting. Where stderr is no terminal each phase is one line of a log.
    pub fn of_look(subject: &str, is_wanted: bool, underway: &Underway) -> Self {
        let line = Line::new(subject, PATIENCE_WITH_A_LOOK, underway.clone());
        let is_terminal = io::stderr().is_terminal();
        Self::shown(is_wanted, move |phases| match is_terminal {
            true => line.paint(phases),
            false => line.log(phases),
        })
    }

    fn shown(is_wanted: bool, show: impl FnOnce(&Receiver<String>) + Send + 'static) -> Self {
        let (sender, phases) = mpsc::channel();
        Self {
            phases: is_wanted.then_some(sender),
            painter: is_wanted.then(|| thread::spawn(move || show(&phases))),
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

/// One line about one subject.
struct Line {
    subject: String,
    patience: Duration,
    underway: Underway,
}

impl Line {
    fn new(subject: &str, patience: Duration, underway: Underway) -> Self {
        Self {
            subject: subject.to_owned(),
            patience,
            underway,
        }
    }

    /// Writes the line anew until nobody notes phases any more, then clears it.
    fn paint(&self, phases: &Receiver<String>) {
        let begun = Instant::now();
        let mut phase = String::new();
        let mut is_painted = false;
        loop {
            match phases.recv_timeout(TICK) {
                Ok(now) => phase = now,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if begun.elapsed() >= self.patience {
                is_painted = true;
                let slow = self.underway.slowest(SLOW);
                let shown = slow.map_or_else(|| phase.clone(), |probe| format!("at {probe}"));
                let subject = &self.subject;
                let seconds = begun.elapsed().as_secs();
                let frame = width(subject) + seconds.to_string().len() + FRAME;
                let shown = cut(&shown, columns().saturating_sub(frame));
                write(&format!("{CLEAR}  {subject}  {shown}  {seconds} s"));
            }
        }
        if is_painted {
            write(CLEAR);
        }
    }

    /// Writes a line for each phase that differs from the last one.
    fn log(&self, phases: &Receiver<String>) {
        let begun = Instant::now();
        let mut last = String::new();
        for phase in phases {
            if phase != last {
                let seconds = begun.elapsed().as_secs();
                write(&format!("{} {seconds} s: {phase}\n", self.subject));
                last = phase;
            }
        }
    }
}

/// Columns of the terminal.
fn columns() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0))
}

/// As much of a text as fits.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        let wider = format!("{kept}{letter}");
        // The sign that something is left out takes a column too.
        if width(&wider) >= columns {
            break;
        }
        kept = wider;
    }
    kept + "…"
}

fn write(text: &str) {
    let mut err = io::stderr().lock();
    // When stderr is gone there is nobody left to tell.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_columns_that_it_has() {
        assert_eq!(cut("start litellm", 13), "start litellm");
        assert_eq!(cut("start litellm", 8), "start l…");
        // Wide letters take two columns.
        assert_eq!(cut("설정 파일", 5), "설정…");
        assert_eq!(cut("설정 파일", 4), "설…");
    }
}
