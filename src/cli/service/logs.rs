//! `flowgate service logs`: the last lines of a service, and those that follow.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::{Global, opened};
use crate::supervisor::places::Places;
use crate::sys::plain;
use crate::sys::read::{self, ReadError};

/// At most so many bytes of the end are looked through.
const TAIL: u64 = 4 * 1024 * 1024;

/// How often a followed log is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// Bytes that are copied at once.
const PIECE: usize = 64 * 1024;

/// Arguments of `service logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// A service of flowgate.yaml
    name: String,
    /// Go on with what it prints from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// How many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,
}

/// Prints the lines as they are; on a terminal no control character acts.
pub fn run(args: &LogsArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    if opened.config.service(&args.name).is_none() {
        return Err(Failure::known(format!("Unknown service: {}", args.name)));
    }
    let path = Places::new(&opened.config.paths.runtime_dir).log(&args.name);
    let shown = opened.root.show(&path);
    let (bytes, mut at) = match end_of(&path) {
        Ok(end) => end,
        Err(ReadError::Missing) if args.follow => (Vec::new(), 0),
        Err(error) => {
            let failure = Failure::failed(anyhow!("failed to read {shown}: {error}"));
            return Err(match error {
                ReadError::Missing => failure.hint(format!("flowgate service start {}", args.name)),
                _ => failure,
            });
        }
    };
    let mut printer = Printer::of_stdout();
    let is_open = printer.print(last_lines(&bytes, args.lines))?;
    if args.follow && is_open {
        follow(&path, &mut at, &mut printer)?;
    }
    printer.finish()?;
    Ok(0)
}

/// The last bytes of a log, and where it ends.
fn end_of(path: &Path) -> Result<(Vec<u8>, u64), ReadError> {
    let mut file = read::open_regular(path)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(end.min(TAIL)).read_to_end(&mut bytes)?;
    Ok((bytes, end))
}

/// The last lines; a last one without its line break counts.
fn last_lines(bytes: &[u8], lines: usize) -> &[u8] {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let breaks = body.iter().enumerate().rev();
    let mut starts = breaks.filter(|(_, byte)| **byte == b'\n');
    match lines.checked_sub(1) {
        None => &bytes[bytes.len()..],
        Some(before) => match starts.nth(before) {
            Some((at, _)) => &bytes[at + 1..],
            None => bytes,
        },
    }
}

/// Prints what is appended, until nobody reads any more. A log that became shorter was begun anew.
fn follow(path: &Path, at: &mut u64, printer: &mut Printer) -> Result<(), Failure> {
    loop {
        if let Ok(mut file) = read::open_regular(path) {
            let end = file.metadata().context("failed to look at the log")?.len();
            if end < *at {
                *at = 0;
            }
            if end > *at && !copy(&mut file, at, printer)? {
                return Ok(());
            }
        }
        if !printer.is_read() {
            return Ok(());
        }
        thread::sleep(PERIOD);
    }
}

fn copy(file: &mut File, at: &mut u64, printer: &mut Printer) -> Result<bool, Failure> {
    file.seek(SeekFrom::Start(*at))
        .context("failed to read the log")?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).context("failed to read the log")?;
        if read == 0 {
            return Ok(true);
        }
        *at += read as u64;
        if !printer.print(&piece[..read])? {
            return Ok(false);
        }
    }
}

/// Prints bytes: as they are to a file or pipe, whole plain lines to a terminal.
struct Printer {
    is_terminal: bool,
    begun: Vec<u8>,
}

impl Printer {
    fn of_stdout() -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
            begun: Vec::new(),
        }
    }

    /// Prints; false when nobody reads any more.
    fn print(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        if !self.is_terminal {
            return write(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(true);
        };
        let rest = self.begun.split_off(end + 1);
        let lines = std::mem::replace(&mut self.begun, rest);
        write(plain_lines(&lines).as_bytes())
    }

    /// Prints a last line that has no end yet.
    fn finish(mut self) -> Result<(), Failure> {
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            write(plain_lines(&self.begun).as_bytes())?;
        }
        Ok(())
    }

    /// Whether somebody still reads: of a pipe the other end may be closed while nothing is written.
    fn is_read(&self) -> bool {
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
}

fn plain_lines(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(|line| format!("{}\n", plain::one_line(line)))
        .collect()
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_lines_are_taken_with_and_without_a_last_break() {
        for (text, lines, expected) in [
            ("a\nb\nc\n", 2, "b\nc\n"),
            ("a\nb\nc", 2, "b\nc"),
            ("a\nb\n", 5, "a\nb\n"),
            ("a\n", 1, "a\n"),
            ("a\n\n", 1, "\n"),
            ("a\n", 0, ""),
            ("", 3, ""),
        ] {
            let last = last_lines(text.as_bytes(), lines);
            assert_eq!(String::from_utf8_lossy(last), expected, "{text:?} {lines}");
        }
    }

    #[test]
    fn no_control_character_of_a_log_acts_on_the_terminal() {
        let shown = plain_lines(b"\x1b[2Jhello\rx\n\x07bell\n");
        assert_eq!(shown, "hello\u{fffd}x\n\u{fffd}bell\n");
    }

    proptest! {
        #[test]
        fn as_many_lines_come_as_were_asked_for(text in "[a\n]{0,30}", lines in 1usize..6) {
            let all: Vec<&str> = text.lines().collect();
            let last = last_lines(text.as_bytes(), lines);
            let last = std::str::from_utf8(last).unwrap();
            let expected = &all[all.len().saturating_sub(lines)..];
            prop_assert_eq!(last.lines().collect::<Vec<_>>(), expected);
        }
    }
}
