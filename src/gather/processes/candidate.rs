//! What is read of a process before it is judged.

use std::path::PathBuf;

use crate::platform::{self, ProcessStat};

/// A process, as the platform shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Identity and state.
    pub stat: ProcessStat,
    /// Arguments, program first.
    pub argv: Vec<String>,
    /// The executable, when it may be seen.
    pub exe: Option<PathBuf>,
    /// Working directory, when it may be seen.
    pub cwd: Option<PathBuf>,
    /// The file that takes its output, when it may be seen and is a file.
    pub stdout: Option<PathBuf>,
}

impl Candidate {
    /// Reads a process whose stat was read already; none when another process has its pid by then.
    pub fn read(stat: ProcessStat) -> Option<Self> {
        let pid = stat.pid;
        let candidate = Self {
            argv: platform::command_line(pid),
            exe: platform::executable(pid),
            cwd: platform::working_directory(pid),
            stdout: platform::open_file(pid, 1),
            stat,
        };
        let now = platform::process_stat(pid)?;
        (now.start_time == candidate.stat.start_time).then_some(candidate)
    }

    /// The argument as an absolute path, when it is one or the working directory is known.
    pub fn argument_path(&self, index: usize) -> Option<PathBuf> {
        let argument = PathBuf::from(self.argv.get(index)?);
        if argument.is_absolute() {
            return Some(crate::sys::place::normalise(&argument));
        }
        // A bare name was found on PATH, which is no path below the working directory.
        let cwd = self.cwd.as_ref()?;
        (argument.components().count() > 1)
            .then(|| crate::sys::place::normalise(&cwd.join(argument)))
    }
}
