//! From `command.args[0]` to the facts of the file behind it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{Program, ProgramState, ServiceKind};

use super::look::Look;
use crate::platform;
use crate::sys::on_path::find_on_path;
use crate::sys::place::{Root, normalise};
use crate::sys::plain;

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

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the programs that are looked at"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use flowgate_checks::model::{Executable, Interpreter, Mode, ProgramContent};

    use super::*;
    use crate::sys::elf::tests::sample;

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
