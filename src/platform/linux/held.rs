//! What keeps a process from going on: a tracer, a frozen control group, a pipe that nobody reads.

use std::fs;
use std::path::{Path, PathBuf};

use super::cgroup::control_groups;
use crate::sys::read;

/// So many threads of a process are looked at.
const THREADS: usize = 64;

/// The kernel's functions in which a write to a full pipe waits; the second since Linux 6.13.
const PIPE_WRITES: [&str; 2] = ["pipe_write", "anon_pipe_write"];

/// Whether a thread of the process waits in a write to its standard output, as far as this user
/// may see it and the kernel says it.
pub fn waits_for_reader(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    threads.flatten().take(THREADS).any(|thread| {
        let folder = thread.path();
        let said = |name: &str| text(&folder.join(name), 256);
        PIPE_WRITES.contains(&said("wchan").trim()) || writes_to_stdout(&said("syscall"))
    })
}

/// Whether a line of `/proc/<pid>/task/<tid>/syscall` is a write to descriptor 1 or 2 that has not
/// come back: `1 0x1 0x7f… 0x20 …` is `write(1, …)` on x86_64. A thread that computes says `running`.
fn writes_to_stdout(line: &str) -> bool {
    let writes: &[&str] = if cfg!(target_arch = "x86_64") {
        &["1", "20"]
    } else if cfg!(target_arch = "aarch64") {
        &["64", "66"]
    } else {
        &[]
    };
    let mut words = line.split_ascii_whitespace();
    words.next().is_some_and(|call| writes.contains(&call))
        && words
            .next()
            .is_some_and(|descriptor| matches!(descriptor, "0x1" | "0x2"))
}

/// The process that traces a process, when one does.
pub fn tracer_of(pid: u32) -> Option<u32> {
    let status = text(&PathBuf::from(format!("/proc/{pid}/status")), 64 * 1024);
    status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"))
        .and_then(|pid| pid.trim().parse().ok())
        .filter(|tracer| *tracer != 0)
}

/// Whether the control group of a process is frozen, in either version of control groups.
pub fn is_frozen(pid: u32) -> bool {
    freezers(&control_groups(pid)).iter().any(|file| {
        let said = text(file, 4096);
        said.trim() == "FROZEN" || said.lines().any(|line| line.trim() == "frozen 1")
    })
}

/// The files that tell whether the groups in the lines of a cgroup file are frozen.
fn freezers(groups: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    groups
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
            let below = path.trim_start_matches('/');
            if below.split('/').any(|part| part == "..") {
                return None;
            }
            match controllers {
                "" => Some(root.join(below).join("cgroup.events")),
                _ if controllers.split(',').any(|one| one == "freezer") => {
                    Some(root.join("freezer").join(below).join("freezer.state"))
                }
                _ => None,
            }
        })
        .collect()
}

fn text(path: &Path, limit: u64) -> String {
    let bytes = read::head(path, limit).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_write_to_the_output_waits_for_a_reader() {
        let write = if cfg!(target_arch = "aarch64") { 64 } else { 1 };
        assert!(writes_to_stdout(&format!(
            "{write} 0x1 0x7ffd 0x20 0x0 0x0 0x0 0x7ffd 0x7f"
        )));
        for line in ["running", "0 0x1 0x7ffd", "-1 0x7ffd 0x7f", "", "1"] {
            assert!(!writes_to_stdout(line), "{line}");
        }
        assert!(!writes_to_stdout(&format!("{write} 0x5 0x7ffd 0x20")));
    }

    #[test]
    fn the_freezer_of_a_group_is_found_in_both_versions() {
        let files =
            freezers("12:freezer:/docker/ab\n3:cpu,cpuacct:/x\n0::/a/../b\n0::/user.slice\n");
        assert_eq!(
            files,
            [
                PathBuf::from("/sys/fs/cgroup/freezer/docker/ab/freezer.state"),
                PathBuf::from("/sys/fs/cgroup/user.slice/cgroup.events")
            ]
        );
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the test starts the process that is looked at"
    )]
    fn a_writer_to_a_pipe_that_nobody_reads_waits_for_its_reader() {
        use std::process::{Command, Stdio};

        let mut child = Command::new("yes")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let mut waits = waits_for_reader(pid);
        while !waits && std::time::Instant::now() < deadline {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
            waits = waits_for_reader(pid);
        }
        let tracer = tracer_of(pid);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(waits);
        assert_eq!(tracer, None);
    }

    #[test]
    fn nothing_holds_this_process() {
        let pid = std::process::id();
        assert!(!is_frozen(pid));
        assert!(!waits_for_reader(4_194_305));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "[ -~\n:/]{0,80}") {
            freezers(&text);
            writes_to_stdout(&text);
        }
    }
}
