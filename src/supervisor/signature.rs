//! The signature of an exit: what could make the next try differ (DESIGN section 9).
//!
//! It comes from the status, from how far the run had come, and from the line of its log that
//! decides: the first match of the most specific text. What a program says of its start explains the
//! end of a start alone: the logs of healthy runs hold tracebacks.

use std::sync::LazyLock;

use flowgate_checks::logs;
use flowgate_checks::model::{ExitClass, ExitSignature, ExitStage, ServiceKind};
use regex_lite::Regex;

use super::exit::Ending;
use super::spawn::{EXIT_NOT_EXECUTED, NOT_EXECUTED};
use crate::sys::plain;
use crate::sys::redact::Redactor;

/// Most characters of the deciding line that are kept.
const LONGEST: usize = 200;

/// What is known of a run that ended.
pub struct Ended<'a> {
    /// Which program it was.
    pub kind: ServiceKind,
    /// Its status.
    pub ending: &'a Ending,
    /// Whether it had been ready.
    pub was_ready: bool,
    /// Whether somebody holds an address that it wanted to bind.
    pub is_port_held: bool,
    /// The lines of its log, without colours.
    pub lines: &'a [String],
}

/// The signature of a run that ended; `redactor` knows the secrets that may stand in its log.
pub fn of(ended: &Ended<'_>, redactor: &Redactor) -> ExitSignature {
    let stage = stage(ended);
    let (class, line) = decide(ended, stage);
    ExitSignature {
        class,
        stage,
        status: status(ended.ending),
        line: line.map(|line| normalise(line, redactor)),
    }
}

/// The signature of a program that could not be executed.
pub fn not_executed(why: &str) -> ExitSignature {
    ExitSignature {
        class: ExitClass::Program,
        stage: ExitStage::Exec,
        status: "not executed".into(),
        line: Some(plain::cut(why, LONGEST)),
    }
}

/// The signature of a start for which the machine, and no file, was not ready.
pub fn not_possible(why: &str) -> ExitSignature {
    ExitSignature {
        class: ExitClass::Environment,
        stage: ExitStage::Exec,
        status: "not started".into(),
        line: Some(plain::cut(why, LONGEST)),
    }
}

/// The signature of a start for which flowgate.yaml has no plan.
pub fn not_planned(why: &str) -> ExitSignature {
    ExitSignature {
        class: ExitClass::Config,
        ..not_possible(why)
    }
}

/// The signature of a start that has to wait for its port.
pub fn port_held(why: &str) -> ExitSignature {
    ExitSignature {
        class: ExitClass::Port,
        stage: ExitStage::Exec,
        status: "not started".into(),
        line: Some(plain::cut(why, LONGEST)),
    }
}

/// The signature of a service that listens elsewhere than configured: somebody held its port when it
/// came there, or its arguments name another one.
pub fn moved(from: u16, is_port_held: bool) -> ExitSignature {
    ExitSignature {
        class: if is_port_held {
            ExitClass::Port
        } else {
            ExitClass::Usage
        },
        stage: ExitStage::Start,
        status: "moved".into(),
        line: Some(format!("it listens at another port than {from}")),
    }
}

fn stage(ended: &Ended<'_>) -> ExitStage {
    let is_code = ended.ending.code == Some(i32::from(EXIT_NOT_EXECUTED));
    let first = ended.lines.first().map(String::as_str).unwrap_or_default();
    if is_code && first.starts_with(NOT_EXECUTED) {
        ExitStage::Exec
    } else if ended.was_ready {
        ExitStage::Run
    } else {
        ExitStage::Start
    }
}

/// `exit 3`, `SIGKILL`, `unknown`.
fn status(ending: &Ending) -> String {
    match (&ending.signal, ending.code) {
        (Some(signal), _) => format!("SIG{signal}"),
        (None, Some(code)) => format!("exit {code}"),
        (None, None) => "unknown".into(),
    }
}

fn decide<'a>(ended: &Ended<'a>, stage: ExitStage) -> (ExitClass, Option<&'a str>) {
    if let Some(signal) = &ended.ending.signal {
        return (by_signal(signal, stage), None);
    }
    match stage {
        ExitStage::Exec => {
            let line = ended.lines.first().map(String::as_str);
            let class = match line.is_some_and(is_fault_of_the_program) {
                true => ExitClass::Program,
                false => ExitClass::Environment,
            };
            (class, line)
        }
        ExitStage::Run => (ExitClass::Unknown, None),
        ExitStage::Start => match said(ended.kind, ended.lines) {
            Some((class, line)) => (class, Some(line)),
            None => (by_code(ended), last_line(ended.lines)),
        },
    }
}

/// A signal that a program can send itself by a fault is one of the program while it starts: a
/// download that was cut off dies of SEGV at once (facts/real-stack.md section 2).
fn by_signal(signal: &str, stage: ExitStage) -> ExitClass {
    match (signal, stage) {
        ("SEGV" | "BUS" | "ILL" | "FPE" | "TRAP" | "SYS", ExitStage::Start) => ExitClass::Program,
        ("SEGV" | "BUS" | "ILL" | "FPE" | "TRAP" | "SYS" | "ABRT", _) => ExitClass::Unknown,
        ("XCPU" | "XFSZ", _) => ExitClass::Environment,
        _ => ExitClass::Killed,
    }
}

/// No such file, permission denied, exec format error.
fn is_fault_of_the_program(line: &str) -> bool {
    ["(os error 2)", "(os error 13)", "(os error 8)"]
        .iter()
        .any(|errno| line.contains(errno))
}

/// What the status says where the log does not: a CLIProxyAPIPlus that logs to a file of its own
/// dies of a taken port without a word here.
fn by_code(ended: &Ended<'_>) -> ExitClass {
    match (ended.kind, ended.ending.code) {
        _ if ended.is_port_held => ExitClass::Port,
        (ServiceKind::Litellm | ServiceKind::Cliproxyapi, Some(2)) => ExitClass::Usage,
        // As shells have it: not executable, not found.
        (_, Some(126 | 127)) => ExitClass::Program,
        _ => ExitClass::Unknown,
    }
}

fn last_line(lines: &[String]) -> Option<&str> {
    let mut lines = lines.iter().rev().map(|line| line.trim());
    lines.find(|line| !line.is_empty())
}

/// Texts that decide where the signatures of the checks do not, the most specific first.
/// Sources: facts/litellm.md sections 3, 7 and 10, facts/cliproxyapi.md section 6.2.
const TEXTS: &[(ExitClass, &str)] = &[
    (ExitClass::Port, "address already in use"),
    (ExitClass::Config, "cannot assign requested address"),
    (ExitClass::Config, "bind: permission denied"),
    (ExitClass::Config, ": no such host"),
    (ExitClass::Config, ": invalid port"),
    (ExitClass::Config, "too many colons in address"),
    (ExitClass::Environment, "too many open files"),
    (ExitClass::Environment, "no space left on device"),
    (ExitClass::Environment, "No space left on device"),
    (ExitClass::Environment, "MemoryError"),
    (ExitClass::Environment, "failed to configure log output"),
    (ExitClass::Environment, "permission denied"),
    (ExitClass::Environment, "Permission denied"),
    (ExitClass::Usage, "flag provided but not defined"),
    (ExitClass::Usage, "flag needs an argument"),
    (ExitClass::Usage, "keep-alive endpoint idle"),
    (ExitClass::Usage, "Error: No such option"),
    (ExitClass::Usage, "Error: Invalid value for"),
    (ExitClass::Config, "failed to load config:"),
    (ExitClass::Config, "Config file not found:"),
];

/// What a program says of why it did not start, and the line in which it does.
fn said(kind: ServiceKind, lines: &[String]) -> Option<(ExitClass, &str)> {
    if kind == ServiceKind::Other {
        return None;
    }
    let program = || {
        (kind == ServiceKind::Litellm)
            .then(|| of_python(lines))
            .flatten()
    };
    let text = |wanted: &[ExitClass]| {
        let texts = TEXTS.iter().filter(|(class, _)| wanted.contains(class));
        texts.copied().find_map(|(class, text)| {
            let line = lines
                .iter()
                .find(|line| line.contains(text) && !logs::is_quoted_source(line))?;
            Some((class, line.as_str()))
        })
    };
    let config = || {
        let refusal = logs::config_refusal(kind, lines)?;
        let words = refusal.words.split(';').next().unwrap_or_default();
        let line = lines.iter().find(|line| {
            !words.is_empty() && line.contains(words) && !logs::is_quoted_source(line)
        });
        Some((
            ExitClass::Config,
            line.or(lines.last()).map_or("", String::as_str),
        ))
    };
    let master_key = || {
        let words = logs::master_key_refusal(lines)?;
        Some((ExitClass::Config, words))
    };
    text(&[ExitClass::Port])
        .or_else(master_key)
        .or_else(program)
        .or_else(config)
        .or_else(|| text(&[ExitClass::Config, ExitClass::Environment, ExitClass::Usage]))
}

/// What Python says of an environment in which the program cannot run.
fn of_python(lines: &[String]) -> Option<(ExitClass, &str)> {
    if let Some(line) = logs::missing_dependency(lines) {
        return Some((ExitClass::Program, line));
    }
    let last = last_line(lines)?;
    let is_import = ["ModuleNotFoundError: ", "ImportError: ", "SyntaxError: "]
        .iter()
        .any(|name| last.starts_with(name));
    is_import.then_some((ExitClass::Program, last))
}

/// What differs from one run to the next, and what stands in its place. Examples:
/// `[2026-11-24 10:00:00]`, `10:00:00.123`, `[4242]`, `pid 4242`, `0x7f3a9c`.
static FLEETING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"\d{4}[-/]\d\d[-/]\d\d(?:[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
            "<time>",
        ),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (r"\[\d+\]", "[<pid>]"),
        (r"(?i)\b(pid[ =:]*)\d+", "${1}<pid>"),
        (r"\b0x[0-9a-fA-F]+", "<address>"),
    ]
    .into_iter()
    .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with)))
    .collect()
});

fn normalise(line: &str, redactor: &Redactor) -> String {
    let mut line = redactor.clean(&plain::one_line(line));
    for (pattern, with) in FLEETING.iter() {
        line = pattern.replace_all(&line, *with).into_owned();
    }
    plain::cut(line.trim(), LONGEST)
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
