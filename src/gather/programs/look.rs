//! What a program file is, from its facts and its first bytes.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use flowgate_checks::model::{
    ElfFacts, Executable, Mode, Observed, PackageFacts, ProgramContent, ProgramState, ServiceKind,
};

use super::resolve::CommandLine;
use super::runner::parse_runner;
use super::siblings::siblings;
use crate::gather::python;
use crate::platform::{self, Mount};
use crate::sys::access::{Obstacle, can_execute, mount_of, reach};
use crate::sys::content::{Sniffed, sniff};
use crate::sys::elf::parse_elf;
use crate::sys::hex::hex;
use crate::sys::place::Root;
use crate::sys::read::{self, ReadError};

/// Headers and shebang lines stand in the first bytes.
pub const HEAD: u64 = 64 * 1024;

/// The size of the smallest whole ELF header.
const ELF_HEADER: u64 = 64;

/// A look at one program and what it leads to.
pub(super) struct Look<'a> {
    pub command: &'a CommandLine<'a>,
    pub root: &'a Root,
    pub mounts: &'a [Mount],
}

impl Look<'_> {
    /// Whether a program is there and what it is.
    pub fn state_of(&self, path: &Path) -> ProgramState {
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

    /// The mount of a path, when nothing on it can be executed.
    pub fn noexec_mount(&self, path: &Path) -> Option<String> {
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
                head: hex(&head[..head.len().min(8)]),
            },
        }
    }

    /// The facts of an ELF file of so many bytes.
    pub fn elf(&self, head: &[u8], size: u64) -> ElfFacts {
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

    /// The packages of the Python environment behind a LiteLLM script.
    fn packages(&self, script: &Path, head: &[u8]) -> Observed<PackageFacts> {
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

    /// Programs of the same kind beside the one that was found, or where flowgate installs.
    pub fn siblings_of(&self, found: Option<&Path>) -> Vec<String> {
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
