//! The interpreter of a script, and what else it needs.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{ElfFacts, Interpreter, Mode};

use super::look::{HEAD, Look};
use super::runner::parse_runner;
use super::shebang::{parse_shebang, parse_trampoline};
use crate::sys::access::{Obstacle, can_execute, reach};
use crate::sys::content::{Sniffed, sniff};
use crate::sys::on_path::{find_executable, find_on_path};
use crate::sys::place::normalise;
use crate::sys::plain;
use crate::sys::read;

impl Look<'_> {
    /// The interpreter of a script, and whether it can be executed.
    pub(super) fn interpreter(&self, script: &Path, head: &[u8]) -> Interpreter {
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
    pub(super) fn interpreter_path(&self, script: &Path, head: &[u8]) -> Option<PathBuf> {
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
}
