//! Runs the tools that install packages. They end with this process, however that ends.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getppid, kill_process, set_parent_process_death_signal};
use thiserror::Error;

use crate::sys::plain;
use crate::sys::redact::Redactor;

/// The hidden subcommand that becomes a tool.
pub const SUBCOMMAND: &str = "exec-tool";

/// This program, even when its file was replaced since.
const OURSELVES: &str = "/proc/self/exe";

/// A tool that says and does nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(10 * 60);

/// How often somebody may look at what came so far.
const TICK: Duration = Duration::from_millis(200);

/// So many of its last lines tell why it failed.
const LINES: usize = 60;

/// A line is cut to so many characters.
const WIDTH: usize = 400;

/// Variables that would lead an installation elsewhere.
const MISLEADING: [&str; 9] = [
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
    "UV_PROJECT_ENVIRONMENT",
];

/// Why a tool did not do its work.
#[derive(Debug, Error)]
pub enum ToolError {
    /// It could not be started.
    #[error("{program} could not be started: {why}")]
    NotStarted {
        /// The tool.
        program: String,
        /// Why.
        why: String,
    },
    /// It hung.
    #[error("{program} did nothing for {} s and was ended", SILENCE.as_secs())]
    Hung {
        /// The tool.
        program: String,
    },
    /// It failed.
    #[error("{program} failed: {}", .lines.last().map_or("it said nothing", |line| line.as_str()))]
    Failed {
        /// The tool.
        program: String,
        /// Its last lines, plain and without secrets.
        lines: Vec<String>,
    },
}

/// Runs a tool in a folder, with the variables of this process except those that would lead it
/// elsewhere. `line` is told each line that it says, and now and then an empty one.
///
/// # Errors
/// [`ToolError`].
#[expect(
    clippy::disallowed_methods,
    reason = "installing packages is the work of uv and pip: this is the one place that runs them"
)]
pub fn run(
    program: &Path,
    args: &[OsString],
    folder: &Path,
    line: &mut dyn FnMut(&str),
) -> Result<(), ToolError> {
    let name = program
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let not_started = |error: io::Error| ToolError::NotStarted {
        program: name.clone(),
        why: error.to_string(),
    };
    let mut command = Command::new(OURSELVES);
    command
        .arg(SUBCOMMAND)
        .arg(std::process::id().to_string())
        .arg(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for variable in MISLEADING {
        command.env_remove(variable);
    }
    // Python says each line at once, not when its buffer is full.
    command.env("PYTHONUNBUFFERED", "1").env("NO_COLOR", "1");
    let mut child = command.spawn().map_err(not_started)?;
    let lines = follow(&mut child, line);
    let Some(lines) = lines else {
        // It has not been waited for, so the pid is still its own.
        let _ = child.kill();
        let _ = child.wait();
        return Err(ToolError::Hung { program: name });
    };
    match child.wait().map_err(not_started)? {
        status if status.success() => Ok(()),
        _ => Err(ToolError::Failed {
            program: name,
            lines: lines.into(),
        }),
    }
}

/// Tells what a tool says until it says no more; none when it hangs.
fn follow(child: &mut Child, line: &mut dyn FnMut(&str)) -> Option<VecDeque<String>> {
    let (sender, said) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        read_lines(out, sender.clone());
    }
    if let Some(errors) = child.stderr.take() {
        read_lines(errors, sender);
    }
    let redactor = Redactor::default();
    let mut last = VecDeque::new();
    let mut heard = Instant::now();
    loop {
        match said.recv_timeout(TICK) {
            Ok(text) => {
                heard = Instant::now();
                line(&text);
                if !text.trim().is_empty() {
                    last.push_back(redactor.clean(&text));
                }
                if last.len() > LINES {
                    last.pop_front();
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                line("");
                if heard.elapsed() > SILENCE {
                    return None;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Some(last),
        }
    }
}

fn read_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(from);
        loop {
            let mut bytes = Vec::new();
            // A line without an end is cut, so that none fills the memory.
            match reader.by_ref().take(64 << 10).read_until(b'\n', &mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    let text = plain::one_line(&String::from_utf8_lossy(&bytes));
                    if to.send(plain::cut(&text, WIDTH)).is_err() {
                        return;
                    }
                }
            }
        }
    });
}

/// Becomes a tool that ends when `parent` does. Comes back only when that fails.
#[expect(
    clippy::disallowed_methods,
    reason = "this process becomes the tool; nothing is spawned"
)]
pub fn become_tool(parent: u32, program: &str, args: &[String]) -> io::Error {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // It may have ended before the line above.
    let is_there = getppid().is_some_and(|now| now.as_raw_nonzero().get() as u32 == parent);
    if !is_there {
        let _ = kill_process(rustix::process::getpid(), Signal::KILL);
    }
    Command::new(program).args(args).exec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_fails_is_told_by_its_last_line() {
        let error = ToolError::Failed {
            program: "pip".into(),
            lines: vec!["ERROR: a".into(), "ERROR: b".into()],
        };
        assert_eq!(error.to_string(), "pip failed: ERROR: b");
    }
}
