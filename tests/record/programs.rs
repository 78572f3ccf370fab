//! What the commands of the services resolve to.

use std::path::Path;

use flowgate::config::service::ServiceConfig;
use flowgate::gather::programs::parse_shebang;
use flowgate::sys::access::Obstacle;
use flowgate::sys::content::{Sniffed, sniff};
use flowgate_checks::model::{
    ElfFacts, Executable, Interpreter, Mode, Observed, PackageFacts, Program, ProgramContent,
    ProgramState, ServiceKind,
};

use crate::recording::{ROOT, Row};
use crate::stage::Stage;

/// The first bytes of the programs are not recorded. LiteLLM's are those that pip writes, and `ps`
/// shows the interpreter; CLIProxyAPI is a static binary; the page is what the case tells of.
const SCRIPT: &[u8] = b"#!/home/dev/gw/.venv/bin/python\n# -*- coding: utf-8 -*-\nimport re\n";
const BINARY: &[u8] = b"\x7fELF\x02\x01\x01";
const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>Not Found</title></head></html>\n";

/// What the command of a service resolves to.
pub fn of(stage: &Stage<'_>, service: &ServiceConfig) -> Observed<Program> {
    let named = &service.args[0];
    let path = Path::new(named);
    Observed::Known(Program {
        named: named.clone(),
        path: stage.show(path),
        state: match stage.listing.row(path) {
            Some(row) => ProgramState::File(file(stage, service.kind, path, row)),
            None => ProgramState::NotFound,
        },
        siblings: Vec::new(),
        in_runtime_bin: path.starts_with(Path::new(ROOT).join(".router/runtime/bin")),
    })
}

fn file(stage: &Stage<'_>, kind: ServiceKind, path: &Path, row: &Row) -> Executable {
    let head = match kind {
        ServiceKind::Litellm => SCRIPT,
        _ if stage.case.program_is_html => PAGE,
        _ => BINARY,
    };
    Executable {
        size: row.size,
        mode: Mode(row.mode),
        uid: row.uid,
        executable: stage.listing.may(path, 1),
        noexec_mount: None,
        content: match sniff(head) {
            Sniffed::Elf => ProgramContent::Elf(ElfFacts {
                machine: "x86_64".into(),
                native: true,
                loader: None,
                loader_found: false,
                promised_size: None,
            }),
            Sniffed::Script => ProgramContent::Script(interpreter(stage)),
            Sniffed::Html => ProgramContent::Html,
            other => panic!("{other:?}"),
        },
        packages: match kind {
            ServiceKind::Litellm => packages(stage),
            _ => Observed::NotAsked,
        },
    }
}

/// The interpreter of LiteLLM is a link; only a Python that was removed is not at its end.
fn interpreter(stage: &Stage<'_>) -> Interpreter {
    let shebang = parse_shebang(SCRIPT).unwrap();
    let path = Path::new(&shebang.program);
    let target = stage.listing.row(path).and_then(|row| row.target.clone());
    let gone = target.filter(|target| target.to_string_lossy().contains("-removed/"));
    Interpreter {
        path: stage.show(path),
        usable: gone.is_none(),
        why: gone.map(|target| Obstacle::Dangling(target).describe()),
        shebang: shebang.line,
        missing: Vec::new(),
    }
}

/// The metadata of the environment is not recorded: LiteLLM ran from it, so that it is whole, but
/// for the case that lacks some of it.
fn packages(stage: &Stage<'_>) -> Observed<PackageFacts> {
    if !stage.case.packages_are_whole {
        return Observed::unknown("the packages of the environment were not recorded");
    }
    Observed::Known(PackageFacts {
        site_packages: ".venv/lib/python3.11/site-packages".into(),
        litellm: Some("1.106.2".into()),
        missing: Vec::new(),
    })
}
