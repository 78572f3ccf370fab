//! Printing the lines of logs: as they are to a file or pipe, plain to a terminal, with the name of
//! their service when several are shown.

use std::io::{self, IsTerminal, Write};

use crate::cli::failure::Failure;
use crate::sys::plain;

/// A line without an end is not waited for any longer.
const LONGEST: usize = 1024 * 1024;

/// Prints the lines of one log.
pub struct Printer {
    /// What stands before each line; nothing of one that is shown alone.
    prefix: String,
    is_terminal: bool,
    /// A line that has no end yet.
    begun: Vec<u8>,
}

impl Printer {
    /// A printer of bytes as they come; on a terminal of whole lines, and with a prefix too.
    pub fn new(prefix: String) -> Self {
        Self {
            prefix,
            is_terminal: io::stdout().is_terminal(),
            begun: Vec::new(),
        }
    }

    /// Prints; false when nobody reads any more.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        if !self.is_terminal && self.prefix.is_empty() {
            return write(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let end = match self.begun.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.begun.len() > LONGEST => self.begun.len(),
            None => return Ok(true),
        };
        let rest = self.begun.split_off(end);
        let lines = std::mem::replace(&mut self.begun, rest);
        write(&self.dress(&lines))
    }

    /// Prints a last line that has no end yet.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            write(&self.dress(&self.begun))?;
        }
        Ok(())
    }

    fn dress(&self, lines: &[u8]) -> Vec<u8> {
        let mut dressed = Vec::with_capacity(lines.len() + self.prefix.len());
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            dressed.extend_from_slice(self.prefix.as_bytes());
            if self.is_terminal {
                dressed.extend_from_slice(plain_line(line).as_bytes());
            } else {
                dressed.extend_from_slice(line);
            }
        }
        dressed
    }
}

/// One line on which no control character acts.
fn plain_line(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    format!("{}\n", plain::one_line(&String::from_utf8_lossy(line)))
}

/// Whether somebody still reads: of a pipe the other end may be closed while nothing is written.
pub fn is_read() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut ends = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    poll(&mut ends, Some(&now)).is_err() || !ends[0].revents().intersects(gone)
}

/// Writes to stdout; false when the reader has gone away.
fn write(bytes: &[u8]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::failed(
            anyhow::Error::from(error).context("failed to write to the output"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_of_a_log_acts_on_the_terminal() {
        let printer = Printer {
            prefix: "a | ".to_owned(),
            is_terminal: true,
            begun: Vec::new(),
        };
        let shown = printer.dress(b"\x1b[2Jhello\rx\r\n\x07bell\n");
        assert_eq!(
            String::from_utf8(shown).unwrap(),
            "a | hello\u{fffd}x\na | \u{fffd}bell\n"
        );
    }
}
