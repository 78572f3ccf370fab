//! What `/proc/<pid>` says.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use flowgate_checks::model::Output;

use super::stat;
use crate::platform::{EndedProcess, ProcessStat, ReachError};
use crate::sys::read::{self, ReadError};

/// A command line or an environment that is longer is cut.
const BLOCK_LIMIT: u64 = 1024 * 1024;

/// The ids of all processes that this user may see, in no order.
pub fn process_ids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Identity and state of a process; none when there is no such process.
pub fn process_stat(pid: u32) -> Option<ProcessStat> {
    stat::parse(&read_file(pid, "stat", 4096).ok()?)
}

/// A process that has ended and whose parent has not read its status; none of one that lives or has
/// gone. The status is told of processes of this user: of others the kernel says 0 to whom it trusts
/// less.
pub fn ended(pid: u32) -> Option<EndedProcess> {
    let line = read_file(pid, "stat", 4096).ok()?;
    let stat = stat::parse(&line).filter(ProcessStat::is_dead)?;
    let own = rustix::process::geteuid().as_raw();
    let may_see = process_user(pid) == Some(own);
    Some(EndedProcess {
        parent: stat.parent,
        start_time: stat.start_time,
        status: stat::exit_status(&line).filter(|_| may_see),
    })
}

/// Effective uid of a process.
pub fn process_user(pid: u32) -> Option<u32> {
    let status = read_file(pid, "status", 64 * 1024).ok()?;
    effective_uid(&status)
}

/// Bytes of memory that a process holds; none when there is no such process.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = read_file(pid, "status", 64 * 1024).ok()?;
    resident(&status)
}

/// `VmRSS:     1234 kB`.
fn resident(status: &[u8]) -> Option<u64> {
    let line = status
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"VmRSS:"))?;
    let text = std::str::from_utf8(line).ok()?;
    let kib: u64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// `Uid: 1000 1000 1000 1000`, with tabs between: real, effective, saved, file system.
fn effective_uid(status: &[u8]) -> Option<u32> {
    status
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"Uid:"))
        .and_then(|line| {
            let text = std::str::from_utf8(line).ok()?;
            text.split_ascii_whitespace().nth(1)?.parse().ok()
        })
}

/// The arguments, program first; empty for kernel threads and zombies.
pub fn command_line(pid: u32) -> Vec<String> {
    let bytes = read_file(pid, "cmdline", BLOCK_LIMIT).unwrap_or_default();
    split_arguments(&bytes)
}

fn split_arguments(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes
        .split(|byte| *byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

/// The executable, without the mark of one that was removed since.
pub fn executable(pid: u32) -> Option<PathBuf> {
    let link = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    match link
        .to_str()
        .and_then(|text| text.strip_suffix(" (deleted)"))
    {
        Some(text) => Some(PathBuf::from(text)),
        None => Some(link),
    }
}

/// The working directory.
pub fn working_directory(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The file that a descriptor of the process points to, when it is a file.
pub fn open_file(pid: u32, descriptor: u32) -> Option<PathBuf> {
    let link = fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).ok()?;
    link.is_absolute().then_some(link)
}

/// Where a descriptor of a process leads, 1 for its standard output; a file by its absolute path.
/// None when it is closed or may not be seen.
pub fn output(pid: u32, descriptor: u32) -> Option<Output> {
    let descriptor = format!("/proc/{pid}/fd/{descriptor}");
    let link = fs::read_link(&descriptor).ok()?;
    let text = link.to_string_lossy();
    if text.starts_with("pipe:") {
        return Some(Output::Pipe);
    }
    if text == "/dev/null" {
        return Some(Output::Null);
    }
    if text.starts_with("/dev/pts/") || text.starts_with("/dev/tty") || text == "/dev/console" {
        return Some(Output::Terminal);
    }
    // Follows the descriptor itself, so it tells of the file that is open and not of a namesake.
    let open = fs::metadata(&descriptor).ok()?;
    Some(match open.is_file() {
        true if open.nlink() == 0 => Output::Deleted,
        true => Output::File {
            path: text.into_owned(),
        },
        false => Output::Other,
    })
}

/// The environment that the process was started with, as `NAME=value` blocks ended by NUL.
///
/// # Errors
/// [`ReachError`], when the process is gone or belongs to somebody else.
pub fn environment_block(pid: u32) -> Result<Vec<u8>, ReachError> {
    match read_file(pid, "environ", BLOCK_LIMIT) {
        Ok(bytes) => Ok(bytes),
        Err(ReadError::Missing) => Err(ReachError::Gone),
        Err(ReadError::Denied) => Err(ReachError::Denied),
        Err(_) => Err(ReachError::Hidden),
    }
}

/// The names and values of an environment block, as text; what is no `NAME=value` is left out.
pub fn environment_text(block: &[u8]) -> Vec<(String, String)> {
    block
        .split(|byte| *byte == 0)
        .filter_map(|pair| {
            let text = String::from_utf8_lossy(pair);
            let (name, value) = text.split_once('=')?;
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

fn read_file(pid: u32, name: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
    read::head(&PathBuf::from(format!("/proc/{pid}/{name}")), limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_process_is_read() {
        let pid = std::process::id();
        let stat = process_stat(pid).unwrap();
        assert_eq!(stat.pid, pid);
        assert!(!stat.is_dead());
        assert!(process_ids().contains(&pid));
        assert!(resident_bytes(pid).unwrap() > 64 * 1024);
        assert_eq!(process_user(pid), Some(rustix::process::geteuid().as_raw()));
        assert_eq!(executable(pid), std::env::current_exe().ok());
        assert_eq!(working_directory(pid), std::env::current_dir().ok());
        let own: Vec<String> = std::env::args().collect();
        assert_eq!(command_line(pid), own);
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "tests start the processes that are looked at"
    )]
    fn where_an_output_goes_is_told() {
        use std::process::{Command, Stdio};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let run = |stdout: Stdio, removed: bool| {
            let mut child = Command::new("sleep")
                .arg("60")
                .stdout(stdout)
                .spawn()
                .unwrap();
            if removed {
                fs::remove_file(&path).unwrap();
            }
            let output = output(child.id(), 1);
            child.kill().unwrap();
            child.wait().unwrap();
            output
        };
        let file = || Stdio::from(fs::File::create(&path).unwrap());
        assert_eq!(run(Stdio::null(), false), Some(Output::Null));
        assert_eq!(run(Stdio::piped(), false), Some(Output::Pipe));
        let named = Output::File {
            path: fs::canonicalize(dir.path())
                .unwrap()
                .join("x.log")
                .display()
                .to_string(),
        };
        assert_eq!(run(file(), false), Some(named));
        assert_eq!(run(file(), true), Some(Output::Deleted));
        assert_eq!(output(4_194_305, 1), None);
    }

    #[test]
    fn a_process_that_is_not_there_has_no_facts() {
        // Larger than the largest pid that Linux gives.
        assert_eq!(process_stat(4_194_305), None);
        assert_eq!(environment_block(4_194_305), Err(ReachError::Gone));
        assert!(command_line(4_194_305).is_empty());
    }

    #[test]
    fn empty_arguments_are_kept() {
        assert_eq!(split_arguments(b"a\0\0b\0"), ["a", "", "b"]);
        assert_eq!(split_arguments(b""), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            split_arguments(&bytes);
            effective_uid(&bytes);
            resident(&bytes);
            environment_text(&bytes);
        }

        #[test]
        fn every_variable_is_read_back(
            pairs in prop::collection::vec(("[A-Z_a-z]{1,8}", "[^\0]{0,20}"), 0..6)
        ) {
            let block: Vec<u8> = pairs
                .iter()
                .flat_map(|(name, value)| format!("{name}={value}\0").into_bytes())
                .collect();
            prop_assert_eq!(environment_text(&block), pairs);
        }
    }
}
