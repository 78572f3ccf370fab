//! `flowgate service logs`: the last lines of a service, and those that follow.

use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;

use super::follow::{Follower, Next};
use super::printer::{self, Printer};
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::Opened;
use crate::cli::services::outcome::Verb;
use crate::cli::services::targets::targets;
use crate::cli::{Global, opened, output};
use crate::supervisor::places::Places;
use crate::sys::read::ReadError;

/// At most so many bytes of the end are looked through.
const TAIL: u64 = 4 * 1024 * 1024;

/// How often a followed log is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// Bytes that are copied at once.
const PIECE: usize = 64 * 1024;

/// Arguments of `service logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// A service of flowgate.yaml, or all of them
    #[arg(default_value = "all")]
    name: String,
    /// Go on with what it prints from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// How many lines of each service
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    lines: usize,
}

/// One log that is shown.
struct Shown {
    name: String,
    follower: Follower,
    printer: Printer,
}

/// Prints the lines as they are; on a terminal no control character acts. Of several services each
/// line begins with the name: first the last lines of the one, then of the other, since a line does
/// not say when it was printed; then each as it comes.
pub fn run(args: &LogsArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    let names = names(args, &opened)?;
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut shown = Vec::new();
    let mut is_read = true;
    for name in &names {
        let Some((bytes, follower)) = begin(name, names.len() > 1, args, &opened)? else {
            continue;
        };
        let prefix = match names.len() {
            1 => String::new(),
            _ => format!("{name:width$} | "),
        };
        let mut printer = Printer::new(prefix);
        is_read = is_read && printer.print(last_lines(&bytes, args.lines))?;
        shown.push(Shown {
            name: name.clone(),
            follower,
            printer,
        });
    }
    if shown.is_empty() {
        return Ok(EXIT_FAILED);
    }
    if args.follow && is_read {
        follow(&mut shown)?;
    }
    for one in shown {
        one.printer.finish()?;
    }
    Ok(0)
}

/// The services that are meant, those of all in the order in which they start.
fn names(args: &LogsArgs, opened: &Opened) -> Result<Vec<String>, Failure> {
    if args.name != "all" {
        // A log outlives its service: one that is switched off may have one.
        return match opened.config.service(&args.name) {
            Some(service) => Ok(vec![service.name.clone()]),
            None => Err(Failure::known(format!("Unknown service: {}", args.name))),
        };
    }
    let targets = targets("all", Verb::Start, opened)?;
    for note in &targets.notes {
        output::errors(&format!("{note}\n"));
    }
    let services = targets.services.iter();
    Ok(services.map(|service| service.name.clone()).collect())
}

/// The end of a log; none of one of several that is not there.
fn begin(
    name: &str,
    is_one_of_several: bool,
    args: &LogsArgs,
    opened: &Opened,
) -> Result<Option<(Vec<u8>, Follower)>, Failure> {
    let path = Places::new(&opened.config.paths.runtime_dir).log(name);
    let error = match Follower::from_end(&path, TAIL) {
        Ok(begun) => return Ok(Some(begun)),
        Err(ReadError::Missing) if args.follow => {
            return Ok(Some((Vec::new(), Follower::from_start(&path))));
        }
        Err(error) => error,
    };
    let sentence = format!("failed to read {}: {error}", opened.root.show(&path));
    if is_one_of_several {
        output::errors(&format!("{name}: {sentence}\n"));
        return Ok(None);
    }
    let failure = Failure::failed(anyhow!(sentence));
    Err(match error {
        ReadError::Missing => failure.hint(format!("flowgate service start {name}")),
        _ => failure,
    })
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

/// Prints what is appended, until nobody reads any more.
fn follow(shown: &mut [Shown]) -> Result<(), Failure> {
    let mut piece = vec![0; PIECE];
    loop {
        let mut is_idle = true;
        for one in &mut *shown {
            match one
                .follower
                .next(&mut piece)
                .context("failed to read the log")?
            {
                Next::Nothing => continue,
                Next::Lost(bytes) => output::errors(&format!(
                    "{}: {bytes} bytes were rotated away before they could be shown\n",
                    one.name
                )),
                Next::Bytes(read) if !one.printer.print(&piece[..read])? => return Ok(()),
                Next::Bytes(_) => {}
            }
            is_idle = false;
        }
        if is_idle {
            if !printer::is_read() {
                return Ok(());
            }
            thread::sleep(PERIOD);
        }
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
