//! Whether a process runs the program of a service.

use std::path::Path;

use flowgate_checks::model::ServiceKind;

use super::candidate::Candidate;
use super::relation::ServiceIdentity;

/// How sure it is that a process runs the program of a service; larger is surer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// It runs a program of the same kind.
    SameKind,
    /// It runs the very file of the service, with so many leading arguments in common.
    SameFile(usize),
}

/// Whether the name is one under which the program is delivered.
pub fn is_known_name(kind: ServiceKind, name: &str) -> bool {
    let known: &[&str] = match kind {
        ServiceKind::Litellm => &["litellm"],
        ServiceKind::Cliproxyapi => &[
            "cliproxyapiplus",
            "cliproxyapi",
            "cli-proxy-api",
            "cli-proxy-api-plus",
        ],
        ServiceKind::Other => &[],
    };
    known.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether the process runs the program of the service, by executable, by script, or by name.
///
/// A script shows as `argv[0]` = interpreter, `argv[1]` = script (litellm.md §2).
pub fn runs_program(candidate: &Candidate, service: &ServiceIdentity) -> Option<Match> {
    if let Some(program) = &service.program
        && let Some(rest) = arguments_behind(candidate, program)
    {
        let in_common = service
            .args
            .iter()
            .zip(rest)
            .take_while(|(configured, real)| configured == real)
            .count();
        // A program of another name may do many things, and its first argument says which.
        let is_known = is_known_name(service.kind, base_name(program));
        if is_known || in_common > 0 || service.args.is_empty() {
            return Some(Match::SameFile(in_common));
        }
    }
    is_same_kind(candidate, service).then_some(Match::SameKind)
}

/// The arguments behind the program file, when that file is what the process runs.
fn arguments_behind<'a>(candidate: &'a Candidate, program: &Path) -> Option<&'a [String]> {
    let is_program = |index| candidate.argument_path(index).as_deref() == Some(program);
    let is_exe = candidate.exe.as_deref() == Some(program)
        || program
            .canonicalize()
            .is_ok_and(|real| candidate.exe.as_deref() == Some(&real));
    if is_exe || is_program(0) {
        return Some(candidate.argv.get(1..).unwrap_or_default());
    }
    if !is_interpreter(first_name(candidate)) {
        return None;
    }
    // The shebang may give the interpreter one argument.
    let script = if candidate.argv.get(1)?.starts_with('-') {
        2
    } else {
        1
    };
    is_program(script).then(|| candidate.argv.get(script + 1..).unwrap_or_default())
}

fn is_same_kind(candidate: &Candidate, service: &ServiceIdentity) -> bool {
    let is_known = |name: &str| is_known_name(service.kind, name);
    if candidate
        .exe
        .as_deref()
        .is_some_and(|exe| is_known(base_name(exe)))
        || is_known(first_name(candidate))
    {
        return true;
    }
    if service.kind != ServiceKind::Litellm {
        return false;
    }
    let argument = |index: usize| candidate.argv.get(index).map_or("", String::as_str);
    let first = first_name(candidate);
    if first == "uv" || first == "uvx" {
        return candidate.argv.iter().skip(1).any(|word| is_known(word));
    }
    if !first.starts_with("python") {
        return false;
    }
    is_known(base_name(Path::new(argument(1))))
        || (argument(1) == "-m" && argument(2) == "litellm")
        || is_worker(candidate, service)
}

/// A worker of a LiteLLM that was started with several:
/// `.venv/bin/python -c "from multiprocessing.spawn …" --multiprocessing-fork`.
fn is_worker(candidate: &Candidate, service: &ServiceIdentity) -> bool {
    service.interpreter.is_some()
        && candidate.argument_path(0) == service.interpreter
        && candidate
            .argv
            .iter()
            .any(|word| word == "--multiprocessing-fork")
}

fn is_interpreter(name: &str) -> bool {
    const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "ksh", "ash", "busybox"];
    name.starts_with("python") || name.starts_with("pypy") || SHELLS.contains(&name)
}

fn first_name(candidate: &Candidate) -> &str {
    candidate
        .argv
        .first()
        .map_or("", |first| base_name(Path::new(first)))
}

fn base_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}
