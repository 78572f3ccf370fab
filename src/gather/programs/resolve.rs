//! From `command.args[0]` to the facts of the file behind it.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{
    ElfFacts, Executable, Interpreter, Mode, Observed, Program, ProgramContent, ProgramState,
    ServiceKind,
};

use super::access::{Obstacle, can_execute, mount_of, reach};
use super::content::{Sniffed, sniff};
use super::elf::parse_elf;
use super::runner::parse_runner;
use super::shebang::{parse_shebang, parse_trampoline};
use super::siblings::siblings;
use crate::gather::python;
use crate::platform::{self, Mount};
use crate::sys::place::{Root, normalise};
use crate::sys::plain;
use crate::sys::read::{self, ReadError};

/// Headers and shebang lines stand in the first bytes.
const HEAD: u64 = 64 * 1024;

/// Where a program is looked for without PATH, as the C library does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// The size of the smallest whole ELF header.
const ELF_HEADER: u64 = 64;

/// The command of a service, as far as it decides what is executed.
#[derive(Debug, Clone, Copy)]
pub struct CommandLine<'a> {
    /// `command.args[0]` as written.
    pub arg0: &'a str,
    /// The working directory of the service, absolute.
    pub cwd: &'a Path,
    /// PATH of the service.
    pub path: Option<&'a OsStr>,
    /// The `bin` folder of the runtime dir, absolute.
    pub runtime_bin: &'a Path,
    /// Which program the service is.
    pub kind: ServiceKind,
    /// Architecture of the host, in Rust's words.
    pub arch: &'a str,
    /// Whether PYTHONPATH is set for the service, so that modules may come from anywhere.
    pub has_python_path: bool,
}

/// Resolves a command and reads what it is. Nothing is run. Blocking.
pub fn resolve(command: &CommandLine<'_>, root: &Root) -> Program {
    let found = place_of(command);
    let path = found.clone().unwrap_or_else(|| PathBuf::from(command.arg0));
    let mounts = platform::mounts();
    let look = Look {
        command,
        root,
        mounts: &mounts,
    };
    let state = match &found {
        Some(path) => look.state_of(path),
        None => ProgramState::NotFound,
    };
    Program {
        named: plain::one_line(command.arg0),
        path: match &found {
            Some(path) => root.show(path),
            None => plain::one_line(command.arg0),
        },
        state,
        siblings: look.siblings_of(found.as_deref()),
        in_runtime_bin: found.is_some() && path.starts_with(normalise(command.runtime_bin)),
    }
}

/// The place of the command: with a slash in it relative to the working directory, else on PATH.
fn place_of(command: &CommandLine<'_>) -> Option<PathBuf> {
    if command.arg0.is_empty() {
        return None;
    }
    if command.arg0.contains('/') {
        return Some(normalise(&command.cwd.join(command.arg0)));
    }
    find_on_path(command.arg0, command.path, command.cwd)
}

/// The program that PATH gives a bare name: the first that can be executed, else the first of the name.
fn find_on_path(name: &str, path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    find_executable(name, path, cwd).or_else(|| {
        places_on_path(name, path, cwd)
            .into_iter()
            .find(|place| std::fs::symlink_metadata(place).is_ok_and(|found| !found.is_dir()))
    })
}

/// The first program of a bare name on PATH that this user can execute.
pub fn find_executable(name: &str, path: Option<&OsStr>, cwd: &Path) -> Option<PathBuf> {
    places_on_path(name, path, cwd).into_iter().find(|place| {
        reach(place).is_ok_and(|found| found.is_file() && can_execute(place, &found, false))
    })
}

/// Where a bare name is looked for; an empty part of PATH is the working directory.
fn places_on_path(name: &str, path: Option<&OsStr>, cwd: &Path) -> Vec<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return Vec::new();
    }
    std::env::split_paths(path.unwrap_or(OsStr::new(DEFAULT_PATH)))
        .map(|folder| normalise(&cwd.join(folder).join(name)))
        .collect()
}

struct Look<'a> {
    command: &'a CommandLine<'a>,
    root: &'a Root,
    mounts: &'a [Mount],
}

impl Look<'_> {
    fn state_of(&self, path: &Path) -> ProgramState {
        match reach(path) {
            Ok(metadata) if metadata.is_dir() => ProgramState::Directory,
            Ok(metadata) if metadata.is_file() => ProgramState::File(self.file(path, &metadata)),
            Ok(_) => ProgramState::Unreadable {
                why: "is no regular file".into(),
            },
            Err(Obstacle::Missing) => ProgramState::NotFound,
            Err(Obstacle::Dangling(target)) => ProgramState::Dangling {
                target: self.root.show(&target),
            },
            Err(obstacle) => ProgramState::Unreadable {
                why: obstacle.describe(),
            },
        }
    }

    fn file(&self, path: &Path, metadata: &Metadata) -> Executable {
        let noexec_mount = self.noexec_mount(path);
        let head = read::head(path, HEAD);
        let (content, packages) = match &head {
            Ok(head) => (
                self.content(path, head, metadata.len()),
                self.packages(path, head),
            ),
            Err(ReadError::Denied) => (ProgramContent::Hidden, Observed::NotAsked),
            Err(error) => (
                ProgramContent::Hidden,
                Observed::unknown(format!("{}: {error}", self.root.show(path))),
            ),
        };
        Executable {
            size: metadata.len(),
            mode: Mode(metadata.mode() & 0o7777),
            uid: metadata.uid(),
            executable: can_execute(path, metadata, noexec_mount.is_some()),
            noexec_mount,
            content,
            packages,
        }
    }

    fn noexec_mount(&self, path: &Path) -> Option<String> {
        mount_of(path, self.mounts)
            .filter(|mount| mount.noexec)
            .map(|mount| mount.point.display().to_string())
    }

    fn content(&self, path: &Path, head: &[u8], size: u64) -> ProgramContent {
        match sniff(head) {
            Sniffed::Empty => ProgramContent::Empty,
            Sniffed::Elf => ProgramContent::Elf(self.elf(head, size)),
            Sniffed::Script => ProgramContent::Script(self.interpreter(path, head)),
            Sniffed::Text => ProgramContent::NoShebang,
            Sniffed::Html => ProgramContent::Html,
            Sniffed::Archive(kind) => ProgramContent::Archive { kind: kind.into() },
            Sniffed::Other => ProgramContent::Other {
                head: head
                    .iter()
                    .take(8)
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            },
        }
    }

    fn elf(&self, head: &[u8], size: u64) -> ElfFacts {
        let Some(header) = parse_elf(head) else {
            // Nothing but the magic number is left of it.
            return ElfFacts {
                machine: "unknown".into(),
                native: true,
                loader: None,
                loader_found: false,
                promised_size: Some(ELF_HEADER.max(size + 1)),
            };
        };
        let native = header.is_native(self.command.arch) || platform::emulated(head);
        ElfFacts {
            machine: header.machine_name(),
            native,
            loader_found: header
                .loader
                .as_ref()
                .is_some_and(|loader| Path::new(loader).exists()),
            loader: header.loader,
            promised_size: (header.promised_size > size).then_some(header.promised_size),
        }
    }

    fn interpreter(&self, script: &Path, head: &[u8]) -> Interpreter {
        let Some(shebang) = parse_shebang(head) else {
            return Interpreter {
                shebang: String::new(),
                path: String::new(),
                usable: false,
                why: Some("the first line names no interpreter".into()),
                missing: Vec::new(),
            };
        };
        let path = self.interpreter_path(script, head);
        let why = if shebang.line.ends_with("\\r") {
            Some("the first line ends in a carriage return (CRLF)".to_owned())
        } else {
            match (&path, shebang.name_for_path()) {
                (None, Some(name)) => Some(format!("{name} is not on PATH")),
                (Some(path), _) => self.why_unusable(path),
                (None, None) => None,
            }
        };
        let shown = match &path {
            Some(path) => self.root.show(path),
            None => shebang.name_for_path().unwrap_or(&shebang.program).into(),
        };
        Interpreter {
            shebang: plain::cut(&plain::one_line(&shebang.line), 300),
            path: plain::one_line(&shown.replace('\r', "\\r")),
            usable: why.is_none(),
            why,
            missing: self.missing_of_runner(script, head),
        }
    }

    /// The interpreter that runs a script in the end, absolute, its own links not followed.
    fn interpreter_path(&self, script: &Path, head: &[u8]) -> Option<PathBuf> {
        let shebang = parse_shebang(head)?;
        if let Some(python) = parse_trampoline(head) {
            // A relative one lies beside the script, links followed.
            let real = script.canonicalize().unwrap_or_else(|_| script.to_owned());
            return Some(normalise(&real.parent()?.join(python)));
        }
        match shebang.name_for_path() {
            Some(name) => find_on_path(name, self.command.path, self.command.cwd),
            None => Some(normalise(&self.command.cwd.join(&shebang.program))),
        }
    }

    /// Why an interpreter cannot be executed; none when it can.
    fn why_unusable(&self, path: &Path) -> Option<String> {
        let metadata = match reach(path) {
            Ok(metadata) => metadata,
            Err(obstacle) => return Some(obstacle.describe()),
        };
        if metadata.is_dir() {
            return Some("is a directory".into());
        }
        if let Some(point) = self.noexec_mount(path) {
            return Some(format!("lies on {point}, which is mounted noexec"));
        }
        if !can_execute(path, &metadata, false) {
            let mode = Mode(metadata.mode() & 0o7777);
            return Some(format!("is not executable (mode {mode})"));
        }
        if metadata.len() == 0 {
            return Some("is empty".into());
        }
        let head = read::head(path, HEAD).ok()?;
        if sniff(&head) != Sniffed::Elf {
            return None;
        }
        let facts = self.elf(&head, metadata.len());
        match facts {
            ElfFacts {
                native: false,
                machine,
                ..
            } => Some(format!("is built for {machine}")),
            ElfFacts {
                promised_size: Some(_),
                ..
            } => Some("is cut off".into()),
            ElfFacts {
                loader: Some(loader),
                loader_found: false,
                ..
            } => Some(format!("needs {loader}, which is gone")),
            _ => None,
        }
    }

    fn missing_of_runner(&self, script: &Path, head: &[u8]) -> Vec<String> {
        let Some(runner) = parse_runner(&String::from_utf8_lossy(head), script) else {
            return Vec::new();
        };
        let mut missing = Vec::new();
        let is_uv_there = if runner.uv.contains('/') {
            // A spelling that only the shell can resolve is not judged.
            !runner.uv.starts_with('/') || Path::new(&runner.uv).exists()
        } else {
            find_executable(&runner.uv, self.command.path, self.command.cwd).is_some()
        };
        if !is_uv_there {
            missing.push(runner.uv);
        }
        if let Some(project) = runner.project
            && matches!(
                reach(&project),
                Err(Obstacle::Missing | Obstacle::Dangling(_))
            )
        {
            missing.push(self.root.show(&project));
        }
        missing
    }

    /// The packages of the Python environment behind a LiteLLM script.
    fn packages(
        &self,
        script: &Path,
        head: &[u8],
    ) -> Observed<flowgate_checks::model::PackageFacts> {
        if self.command.kind != ServiceKind::Litellm || sniff(head) != Sniffed::Script {
            return Observed::NotAsked;
        }
        let text = String::from_utf8_lossy(head);
        let interpreter = match parse_runner(&text, script) {
            // `uv run` makes the environment itself when it is not there yet.
            Some(runner) => runner
                .project
                .map(|project| project.join(".venv/bin/python"))
                .filter(|python| python.symlink_metadata().is_ok()),
            None => self
                .interpreter_path(script, head)
                .filter(|path| is_python(path)),
        };
        match interpreter {
            Some(python) => python::look(&python, self.command.has_python_path, self.root),
            None => Observed::NotAsked,
        }
    }

    fn siblings_of(&self, found: Option<&Path>) -> Vec<String> {
        let command = self.command;
        match found {
            Some(path) => match (path.parent(), path.file_name().and_then(OsStr::to_str)) {
                (Some(folder), Some(name)) => siblings(folder, command.kind, name),
                _ => Vec::new(),
            },
            // A bare name that PATH does not have: where flowgate installs, there may be one.
            None => siblings(command.runtime_bin, command.kind, "")
                .iter()
                .map(|name| self.root.show(&command.runtime_bin.join(name)))
                .collect(),
        }
    }
}

fn is_python(path: &Path) -> bool {
    path.file_name()
        .and_then(OsStr::to_str)
        .is_some_and(|name| name.starts_with("python") || name.starts_with("pypy"))
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the programs that are looked at"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::gather::programs::elf::tests::sample;

    struct Bin(tempfile::TempDir);

    impl Bin {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn write(&self, name: &str, bytes: impl AsRef<[u8]>, mode: u32) -> PathBuf {
            let path = self.at(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }

        fn look(&self, arg0: &str, kind: ServiceKind) -> Program {
            let cwd = self.at("");
            resolve(
                &CommandLine {
                    arg0,
                    cwd: &cwd,
                    path: Some(cwd.as_os_str()),
                    runtime_bin: &cwd,
                    kind,
                    arch: "x86_64",
                    has_python_path: false,
                },
                &Root::new(&cwd),
            )
        }

        fn file(&self, arg0: &str) -> Executable {
            match self.look(arg0, ServiceKind::Litellm).state {
                ProgramState::File(file) => file,
                other => panic!("{other:?}"),
            }
        }

        fn script(&self, arg0: &str) -> Interpreter {
            match self.file(arg0).content {
                ProgramContent::Script(interpreter) => interpreter,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_command_is_found_by_path_and_by_name() {
        let bin = Bin::new();
        bin.write("litellm", "#!/bin/sh\n", 0o755);
        for arg0 in ["litellm", "./litellm", "../{}/litellm"] {
            let folder = bin.at("").file_name().unwrap().to_str().unwrap().to_owned();
            let program = bin.look(&arg0.replace("{}", &folder), ServiceKind::Litellm);
            assert_eq!(program.path, "litellm", "{arg0}");
            assert!(program.in_runtime_bin);
            assert!(matches!(program.state, ProgramState::File(_)));
        }
    }

    #[test]
    fn what_is_no_file_is_told_apart() {
        let bin = Bin::new();
        bin.write("CLIProxyAPI", "x", 0o755);
        fs::create_dir(bin.at("folder")).unwrap();
        symlink("/nowhere/CLIProxyAPIPlus", bin.at("link")).unwrap();
        symlink("loop", bin.at("loop")).unwrap();
        let kind = ServiceKind::Cliproxyapi;
        let gone = bin.look("./CLIProxyAPIPlus", kind);
        assert_eq!(gone.state, ProgramState::NotFound);
        assert_eq!(gone.siblings, ["CLIProxyAPI"]);
        let gone = bin.look("CLIProxyAPIPlus", kind);
        assert_eq!(gone.state, ProgramState::NotFound);
        assert_eq!(gone.siblings, ["CLIProxyAPI"]);
        assert_eq!(bin.look("./folder", kind).state, ProgramState::Directory);
        assert_eq!(
            bin.look("./link", kind).state,
            ProgramState::Dangling {
                target: "/nowhere/CLIProxyAPIPlus".into()
            }
        );
        assert!(matches!(
            bin.look("./loop", kind).state,
            ProgramState::Unreadable { .. }
        ));
        assert_eq!(bin.look("", kind).state, ProgramState::NotFound);
    }

    #[test]
    fn modes_and_contents_are_seen() {
        let bin = Bin::new();
        bin.write("plain", "#!/bin/sh\n", 0o644);
        let plain = bin.file("./plain");
        assert!(!plain.executable);
        assert_eq!(plain.mode, Mode(0o644));
        bin.write("empty", "", 0o755);
        assert_eq!(bin.file("./empty").content, ProgramContent::Empty);
        bin.write("page", "<!doctype html>", 0o755);
        assert_eq!(bin.file("./page").content, ProgramContent::Html);
        bin.write("mach", [0xcf, 0xfa, 0xed, 0xfe, 1, 2, 3, 4, 5], 0o755);
        assert_eq!(
            bin.file("./mach").content,
            ProgramContent::Other {
                head: "cffaedfe01020304".into()
            }
        );
    }

    #[test]
    fn machine_loader_and_truncation_of_a_binary_are_seen() {
        let bin = Bin::new();
        let elf = |name: &str| match bin.file(name).content {
            ProgramContent::Elf(facts) => facts,
            other => panic!("{other:?}"),
        };
        bin.write("ok", sample(62, None, 5000), 0o755);
        let facts = elf("./ok");
        assert!(facts.native && facts.promised_size.is_none() && facts.loader.is_none());
        bin.write("cut", &sample(62, None, 5000)[..3000], 0o755);
        assert_eq!(elf("./cut").promised_size, Some(5000));
        bin.write("stub", b"\x7fELF\x02\x01", 0o755);
        assert_eq!(elf("./stub").promised_size, Some(64));
        bin.write(
            "musl",
            sample(62, Some("/lib/no-such-loader.so.1"), 10),
            0o755,
        );
        let facts = elf("./musl");
        assert_eq!(facts.loader.as_deref(), Some("/lib/no-such-loader.so.1"));
        assert!(!facts.loader_found);
        // A machine that no emulator is registered for.
        bin.write("alien", sample(0x9026, None, 10), 0o755);
        let facts = elf("./alien");
        assert_eq!(facts.machine, "machine 36902");
        assert!(!facts.native);
    }

    #[test]
    fn a_broken_interpreter_is_told_with_its_reason() {
        let bin = Bin::new();
        let python = bin.write("python-plain", "x", 0o644);
        symlink("/opt/python3.10-removed/bin/python3.10", bin.at("python")).unwrap();
        for (name, shebang, why) in [
            ("gone", "#!/nowhere/python3".to_owned(), "no such file"),
            (
                "dangling",
                format!("#!{}", bin.at("python").display()),
                "link to /opt/python3.10-removed/bin/python3.10, which is gone",
            ),
            (
                "mode",
                format!("#!{}", python.display()),
                "is not executable (mode 644)",
            ),
            (
                "crlf",
                "#!/bin/sh\r".to_owned(),
                "the first line ends in a carriage return (CRLF)",
            ),
            (
                "env",
                "#!/usr/bin/env no-such-python".to_owned(),
                "no-such-python is not on PATH",
            ),
            ("dir", "#!/usr".to_owned(), "is a directory"),
        ] {
            bin.write(name, format!("{shebang}\nimport sys\n"), 0o755);
            let interpreter = bin.script(&format!("./{name}"));
            assert!(!interpreter.usable, "{name}");
            assert_eq!(interpreter.why.as_deref(), Some(why), "{name}");
        }
        bin.write("fine", "#!/bin/sh\n", 0o755);
        let interpreter = bin.script("./fine");
        assert!(interpreter.usable, "{interpreter:?}");
        assert_eq!(interpreter.path, "/bin/sh");
        assert!(bin.file("./fine").packages.is_not_asked());
    }

    #[test]
    fn a_trampoline_is_judged_by_the_python_behind_it() {
        let bin = Bin::new();
        let text = "#!/bin/sh\n'''exec' \"/nowhere/bin/python3\" \"$0\" \"$@\"\n' '''\n";
        bin.write("litellm", text, 0o755);
        let interpreter = bin.script("litellm");
        assert_eq!(interpreter.path, "/nowhere/bin/python3");
        assert!(!interpreter.usable);
    }

    #[test]
    fn what_a_runner_lacks_is_named() {
        let bin = Bin::new();
        bin.write(
            "litellm",
            "#!/bin/sh\nexec uv run --project /nowhere litellm \"$@\"\n",
            0o755,
        );
        assert_eq!(bin.script("./litellm").missing, ["uv", "/nowhere"]);
        bin.write("uv", "#!/bin/sh\n", 0o755);
        let project = bin.at("").display().to_string();
        bin.write(
            "litellm",
            format!("#!/bin/sh\nexec uv run --project {project} litellm \"$@\"\n"),
            0o755,
        );
        assert_eq!(bin.script("./litellm").missing, [""; 0]);
    }
}
