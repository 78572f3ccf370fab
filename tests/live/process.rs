//! Processes that a test starts, and ends by pid.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that ends with its owner.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a program in a session of its own, its output in a file.
    pub fn start(
        program: &Path,
        args: &[&str],
        cwd: &Path,
        log: &Path,
        env: &[(&str, String)],
    ) -> Self {
        let out = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let errors = out.try_clone().unwrap();
        Self::start_into(program, args, cwd, (out.into(), errors.into()), env)
    }

    /// The same with its standard output and error somewhere; a pipe is never read.
    #[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
    pub fn start_into(
        program: &Path,
        args: &[&str],
        cwd: &Path,
        (out, errors): (Stdio, Stdio),
        env: &[(&str, String)],
    ) -> Self {
        // `setsid` replaces itself with the program, so the pid is that of the program.
        let child = Command::new("setsid")
            .arg(program)
            .args(args)
            .current_dir(cwd)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .unwrap();
        let process = Self { child };
        // Until `setsid` has replaced itself, session and start time are not yet the program's.
        wait_for("the program to lead its session", || {
            process
                .stat()
                .is_some_and(|stat| stat[3] == process.pid().to_string())
                && process.comm() != "setsid"
        });
        process
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its start time in clock ticks.
    pub fn start_time(&self) -> u64 {
        self.stat().unwrap()[19].parse().unwrap()
    }

    /// The file that it executes; none once it has ended.
    pub fn exe(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/exe", self.pid())).ok()
    }

    /// Whether it lives.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end and gives its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let child = &mut self.child;
        let mut code = None;
        wait_for("the process to end", || match child.try_wait().unwrap() {
            Some(status) => {
                code = status.code();
                true
            }
            None => false,
        });
        code
    }

    /// Ends it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn comm(&self) -> String {
        let path = format!("/proc/{}/comm", self.pid());
        read(Path::new(&path)).trim().to_owned()
    }

    /// The fields of `/proc/<pid>/stat` after the name, state first.
    fn stat(&self) -> Option<Vec<String>> {
        let path = format!("/proc/{}/stat", self.pid());
        let text = read(Path::new(&path));
        let rest = text.rsplit_once(')')?.1;
        Some(rest.split_whitespace().map(str::to_owned).collect())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for a condition, 20 s at most.
pub fn wait_for(what: &str, is_met: impl FnMut() -> bool) {
    wait_at_most(Duration::from_secs(20), what, is_met);
}

/// Waits for a condition.
pub fn wait_at_most(limit: Duration, what: &str, mut is_met: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_met() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        // A look costs something too: leave the core to what is waited for.
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A file as text; empty when it is not there.
#[expect(clippy::disallowed_methods, reason = "a test reads its own files")]
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Writes a file with a mode.
#[expect(clippy::disallowed_methods, reason = "a test writes its own files")]
pub fn write(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    set_mode(path, mode);
}

/// Sets the permission bits of a file.
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
