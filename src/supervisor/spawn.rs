//! Making the process of a service: a session of its own, its output straight into its log.
//!
//! It waits behind a gate until its record is written: a supervisor that dies before that leaves no
//! process that nobody knows of, since the gate then closes for good and the process ends.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::fs::Access;
use thiserror::Error;

use super::plan::Plan;
use super::rotate::{self, Rotation};
use super::{children, watched};
use crate::platform::{self, ProcessHandle};
use crate::sys::read;

/// With these words the log begins when the program could not be executed.
pub const NOT_EXECUTED: &str = "flowgate: failed to execute ";

/// Exit code of a program that could not be executed, as shells have it.
pub const EXIT_NOT_EXECUTED: u8 = 127;

/// Exit code of a process whose supervisor went before it let it begin.
pub const EXIT_LEFT: u8 = 125;

/// The argument by which this program knows that it is to become a service.
pub const WORD: &str = "exec-service";

/// This program, even when its file was replaced since.
const OURSELVES: &str = "/proc/self/exe";

/// Why no process was made.
#[derive(Debug, Error)]
pub enum SpawnError {
    /// The program is not there, or may not be executed.
    #[error("execute {program}: {why}")]
    Program {
        /// As written.
        program: String,
        /// Why, as a fragment.
        why: String,
    },
    /// The working directory cannot be entered.
    #[error("enter {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The log cannot be written.
    #[error("write {}: {error}", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The system made no process.
    #[error("start a process: {0}")]
    System(#[from] io::Error),
}

/// A process that was made.
pub struct Spawned {
    /// It, to take its status.
    pub child: Child,
    /// A handle that tells of its end.
    pub handle: ProcessHandle,
    /// Behind it the process waits.
    pub gate: Gate,
    /// Its start time.
    pub start_time: u64,
    /// What is executed.
    pub program: PathBuf,
    /// The identity of the program.
    pub identity: Option<String>,
    /// Bytes that were in its log before.
    pub log_offset: u64,
}

/// Behind it a process waits before it becomes its program. Dropped, it stays closed.
pub struct Gate(Option<ChildStdin>);

impl Gate {
    /// Lets the process begin.
    pub fn open(mut self) {
        if let Some(pipe) = &mut self.0 {
            // One that has ended meanwhile needs no word.
            let _ = pipe.write_all(b"1");
        }
    }
}

/// Makes the process of a service; it begins when its gate is opened.
///
/// The process is this program, which makes a session and then becomes the service: the pid stays,
/// no terminal and no end of the supervisor reaches it, and no `unsafe` is needed.
///
/// # Errors
/// [`SpawnError`]; nothing runs then.
pub fn spawn(plan: &Plan, mark: (&str, &str), log: &Path) -> Result<Spawned, SpawnError> {
    let facts = std::fs::metadata(&plan.cwd).and_then(|facts| match facts.is_dir() {
        true => Ok(()),
        false => Err(io::ErrorKind::NotADirectory.into()),
    });
    facts.map_err(|error| SpawnError::Folder {
        path: plan.cwd.clone(),
        error,
    })?;
    let program = find(plan)?;
    Rotation::new(log, rotate::LIMIT).at_start();
    let file = open_log(log).map_err(|error| SpawnError::Log {
        path: log.to_owned(),
        error,
    })?;
    let log_offset = file.metadata()?.len();
    let identity = watched::identity(&program);
    let mut child = ourselves(plan, mark, file)?;
    let gate = Gate(child.stdin.take());
    let pid = child.id();
    let found = ProcessHandle::of_pid(pid).and_then(|handle| {
        let stat = platform::process_stat(pid);
        let stat = stat.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok((handle, stat.start_time))
    });
    match found {
        Ok((handle, start_time)) => Ok(Spawned {
            child,
            handle,
            gate,
            start_time,
            program,
            identity,
            log_offset,
        }),
        Err(error) => {
            // It cannot be watched, so it must not live. It is our child: its pid is its own.
            let _ = child.kill();
            let _ = child.wait();
            children::forget(pid);
            Err(error.into())
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor's spawn is the one place that starts a service"
)]
fn ourselves(plan: &Plan, (name, value): (&str, &str), log: File) -> io::Result<Child> {
    let errors = log.try_clone()?;
    let mut command = Command::new(OURSELVES);
    command
        .arg0("flowgate")
        .args([WORD, "--"])
        .args(&plan.args)
        .current_dir(&plan.cwd)
        .env_clear()
        .envs(&plan.env)
        .env(name, value)
        .stdin(Stdio::piped())
        .stdout(log)
        .stderr(errors);
    children::spawn(&mut command)
}

/// What the second half of a spawn came to, when it did not become the program.
pub enum Unbecome {
    /// Its supervisor went before it opened the gate.
    Left,
    /// The program cannot be executed.
    Failed(io::Error),
}

/// Makes a session, waits for the gate and becomes the program.
#[expect(
    clippy::disallowed_methods,
    reason = "the second half of the supervisor's spawn: no process is made here"
)]
pub fn become_service(args: &[OsString]) -> Unbecome {
    let Some((program, rest)) = args.split_first() else {
        return Unbecome::Failed(io::ErrorKind::InvalidInput.into());
    };
    if let Err(error) = rustix::process::setsid() {
        return Unbecome::Failed(error.into());
    }
    if io::stdin().read_exact(&mut [0]).is_err() {
        return Unbecome::Left;
    }
    let error = Command::new(program).args(rest).stdin(Stdio::null()).exec();
    Unbecome::Failed(error)
}

/// The log, appended to and never cut. It is for this user alone: services log prompts and keys.
fn open_log(path: &Path) -> io::Result<File> {
    if let Ok(facts) = path.metadata()
        && (facts.file_type().is_fifo() || facts.file_type().is_socket())
    {
        // Opening it would wait for a reader.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no file"));
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// Where the program is, by the PATH that the service gets. Looked for before the leap, since after
/// it only the log would tell.
fn find(plan: &Plan) -> Result<PathBuf, SpawnError> {
    let written = plan.args.first().map(String::as_str).unwrap_or_default();
    let fault = |why: &str| SpawnError::Program {
        program: written.to_owned(),
        why: why.to_owned(),
    };
    let candidates = candidates(written, plan.env.get("PATH"), &plan.cwd);
    let mut why = "no such program";
    for candidate in candidates {
        match candidate.metadata() {
            Ok(facts) if !facts.is_file() => why = "is no file",
            Ok(_) if rustix::fs::access(&candidate, Access::EXEC_OK).is_err() => {
                why = "permission denied";
            }
            // The C library would hand a downloaded web page to a shell.
            Ok(_) if is_no_program(&candidate) => return Err(fault("exec format error")),
            Ok(_) => return Ok(candidate),
            Err(_) => {}
        }
    }
    Err(fault(why))
}

/// Where a program may be, by the PATH that it gets.
pub fn candidates(written: &str, path: Option<&String>, cwd: &Path) -> Vec<PathBuf> {
    if written.contains('/') {
        return vec![cwd.join(written)];
    }
    let path = path.map(String::as_str).unwrap_or_default();
    std::env::split_paths(path)
        .map(|folder| cwd.join(folder).join(written))
        .collect()
}

/// Whether the kernel would not know how to execute a file. One that cannot be read is left to it.
fn is_no_program(path: &Path) -> bool {
    read::head(path, 256).is_ok_and(|head| {
        !head.starts_with(b"\x7fELF") && !head.starts_with(b"#!") && !platform::emulated(&head)
    })
}
