//! How the obtaining is shown: a bar on a terminal, plain lines else.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::time::Instant;

use crate::bootstrap::watch::{Doing, Watch};
use crate::cli::output;
use crate::cli::progress::Progress;

/// Columns of a bar.
const BAR: u64 = 20;

/// A log tells of each tenth of so many packages.
const PACKAGES: usize = 25;

/// Shows what goes on with one program.
pub struct Shown {
    subject: &'static str,
    is_quiet: bool,
    bar: Option<Progress>,
    state: RefCell<State>,
}

struct State {
    /// What began, and when.
    begun: Option<(String, Instant)>,
    /// What a log told last.
    told: String,
}

impl Shown {
    /// Shows what goes on with a program; nothing where somebody wants it quiet.
    pub fn of(subject: &'static str, is_quiet: bool) -> Self {
        let is_terminal = io::stderr().is_terminal() && !is_quiet;
        Self {
            subject,
            is_quiet,
            bar: is_terminal.then(|| Progress::of(subject, true)),
            state: RefCell::new(State {
                begun: None,
                told: String::new(),
            }),
        }
    }

    fn line(&self, text: String) {
        let mut state = self.state.borrow_mut();
        if state.told != text && !self.is_quiet {
            output::errors(&format!("{}: {text}\n", self.subject));
            state.told = text;
        }
    }

    /// The seconds that are left, by how long what is done took.
    fn left(&self, what: &str, done: u64, total: u64) -> Option<u64> {
        let mut state = self.state.borrow_mut();
        match &state.begun {
            Some((begun, since)) if begun == what => {
                let spent = since.elapsed().as_secs_f64();
                (done > 0 && spent > 0.5 && total >= done)
                    .then(|| (spent / done as f64 * (total - done) as f64).ceil() as u64)
            }
            _ => {
                state.begun = Some((what.to_owned(), Instant::now()));
                None
            }
        }
    }
}

impl Watch for Shown {
    fn note(&self, doing: Doing) {
        match (&self.bar, doing) {
            (Some(bar), Doing::Step(step)) => bar.note(step),
            (None, Doing::Step(step)) => self.line(step),
            (Some(bar), Doing::Bytes { name, done, total }) => {
                let left = self.left(&name, done, total.unwrap_or(0));
                bar.note(bytes(&name, done, total, left));
            }
            (None, Doing::Bytes { name, total, .. }) => self.line(match total {
                Some(total) => format!("download {name}, {}", megabytes(total)),
                None => format!("download {name}"),
            }),
            (Some(bar), Doing::Packages { verb, done, total }) => {
                let left = self.left(verb, done as u64, total as u64);
                bar.note(format!(
                    "{verb} {} {done}/{total} packages{}",
                    drawn(done as u64, total as u64),
                    remaining(left)
                ));
            }
            (None, Doing::Packages { verb, done, total }) => {
                let shown = done / PACKAGES * PACKAGES;
                if shown > 0 {
                    self.line(format!("{verb}: {shown} of {total} packages"));
                }
            }
        }
    }
}

fn bytes(name: &str, done: u64, total: Option<u64>, left: Option<u64>) -> String {
    match total {
        Some(total) if total > 0 => format!(
            "{} {} of {}{}  {name}",
            drawn(done, total),
            megabytes(done),
            megabytes(total),
            remaining(left)
        ),
        _ => format!("{}  {name}", megabytes(done)),
    }
}

fn remaining(left: Option<u64>) -> String {
    left.map_or_else(String::new, |left| format!(", {left} s left"))
}

/// `[#####---------------]`
fn drawn(done: u64, total: u64) -> String {
    let full = (done * BAR).checked_div(total).unwrap_or(0).min(BAR);
    let part = |letter: &str, count: u64| letter.repeat(usize::try_from(count).unwrap_or(0));
    format!("[{}{}]", part("#", full), part("-", BAR - full))
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_tells_bytes_and_the_time_that_is_left() {
        assert_eq!(
            bytes("x.tar.gz", 10_250_000, Some(41_000_000), Some(9)),
            "[#####---------------] 10.2 MB of 41.0 MB, 9 s left  x.tar.gz"
        );
        assert_eq!(bytes("x", 1_000, None, None), "0.0 MB  x");
        assert_eq!(drawn(5, 0), format!("[{}]", "-".repeat(20)));
        assert_eq!(drawn(9, 3), format!("[{}]", "#".repeat(20)));
    }
}
