use proptest::prelude::*;

use super::*;

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn code(code: i32) -> Ending {
    Ending {
        code: Some(code),
        ..Ending::default()
    }
}

fn signature(kind: ServiceKind, ending: &Ending, was_ready: bool, text: &str) -> ExitSignature {
    let ended = Ended {
        kind,
        ending,
        was_ready,
        is_port_held: false,
        lines: &lines(text),
    };
    of(&ended, &Redactor::default())
}

#[test]
fn each_word_of_the_programs_has_its_class() {
    use ExitClass::{Config, Environment, Port, Program, Unknown, Usage};
    use ServiceKind::{Cliproxyapi, Litellm};
    for (kind, status, text, class) in [
        (
            Litellm,
            3,
            "INFO:     Application startup complete.\nERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 4001): address already in use",
            Port,
        ),
        (
            Cliproxyapi,
            0,
            "API server started successfully on: 127.0.0.1:8317\n[2026-11-24 10:00:00] [error] [run.go:54] proxy service exited with error: failed to start HTTP server: listen tcp 127.0.0.1:8317: bind: address already in use",
            Port,
        ),
        (
            Litellm,
            1,
            "Traceback (most recent call last):\nyaml.scanner.ScannerError: mapping values are not allowed here\n  in \"/gw/a.yaml\", line 2, column 18",
            Config,
        ),
        (
            Litellm,
            3,
            "LiteLLM proxy refused to start: the master key is empty.",
            Config,
        ),
        (
            Litellm,
            1,
            "Exception: Config file not found: /gw/a.yaml",
            Config,
        ),
        (
            Cliproxyapi,
            0,
            "[t] [error] [main.go:405] failed to load config: failed to parse config file: yaml: line 4: x",
            Config,
        ),
        (
            Litellm,
            1,
            "ModuleNotFoundError: Missing dependency No module named 'websockets'. Run `pip install 'litellm[proxy]'`",
            Program,
        ),
        (
            Litellm,
            1,
            "Traceback\nModuleNotFoundError: No module named 'yaml'",
            Program,
        ),
        (
            Cliproxyapi,
            2,
            "flag provided but not defined: -version\nUsage of CLIProxyAPI:",
            Usage,
        ),
        (
            Litellm,
            2,
            "Usage: litellm [OPTIONS]\nError: No such option: --x",
            Usage,
        ),
        (
            Cliproxyapi,
            0,
            "failed to watch config file: too many open files",
            Environment,
        ),
        (
            Litellm,
            3,
            "RuntimeError: no database\nERROR:    Application startup failed. Exiting.",
            Unknown,
        ),
        (Cliproxyapi, 0, "", Unknown),
        (ServiceKind::Other, 127, "sh: 1: x: not found", Program),
        (ServiceKind::Other, 1, "address already in use", Unknown),
    ] {
        let seen = signature(kind, &code(status), false, text);
        assert_eq!(seen.class, class, "{text}");
        assert_eq!(seen.stage, ExitStage::Start);
        assert_eq!(seen.status, format!("exit {status}"));
    }
}

#[test]
fn the_end_of_a_run_is_not_explained_by_what_its_start_said() {
    let text = "ModuleNotFoundError: No module named 'prisma'\nINFO: 127.0.0.1 GET / 200";
    let seen = signature(ServiceKind::Litellm, &code(1), true, text);
    assert_eq!(
        (seen.class, seen.stage, seen.line),
        (ExitClass::Unknown, ExitStage::Run, None)
    );
}

#[test]
fn a_signal_tells_by_itself() {
    let by = |signal: &str, was_ready| {
        let ending = Ending {
            signal: Some(signal.into()),
            ..Ending::default()
        };
        let seen = signature(ServiceKind::Cliproxyapi, &ending, was_ready, "");
        assert_eq!(seen.status, format!("SIG{signal}"));
        seen.class
    };
    assert_eq!(by("KILL", false), ExitClass::Killed);
    assert_eq!(by("TERM", true), ExitClass::Killed);
    assert_eq!(by("SEGV", false), ExitClass::Program);
    assert_eq!(by("SEGV", true), ExitClass::Unknown);
    assert_eq!(by("XFSZ", true), ExitClass::Environment);
    let unseen = signature(ServiceKind::Litellm, &Ending::default(), true, "");
    assert_eq!(
        (unseen.class, unseen.status.as_str()),
        (ExitClass::Unknown, "unknown")
    );
}

#[test]
fn a_program_that_was_not_executed_is_told_from_one_that_ended_with_its_code() {
    let exec = |text: &str| signature(ServiceKind::Litellm, &code(127), false, text);
    let seen = exec("flowgate: failed to execute ./x: No such file or directory (os error 2)");
    assert_eq!(
        (seen.class, seen.stage),
        (ExitClass::Program, ExitStage::Exec)
    );
    let busy = exec("flowgate: failed to execute ./x: Text file busy (os error 26)");
    assert_eq!(busy.class, ExitClass::Environment);
    assert_eq!(exec("x: not found").stage, ExitStage::Start);
}

#[test]
fn a_taken_port_decides_where_the_program_is_silent() {
    let ended = Ended {
        kind: ServiceKind::Cliproxyapi,
        ending: &code(0),
        was_ready: false,
        is_port_held: true,
        lines: &lines("CLIProxyAPI Version: 6.6.9-0"),
    };
    assert_eq!(of(&ended, &Redactor::default()).class, ExitClass::Port);
}

#[test]
fn two_runs_with_one_cause_have_one_signature_and_no_secret() {
    let text = |time: &str, pid: u32| {
        format!(
            "[{time}] [{pid}] [error] failed to load config: key sk-lab-000111222 at 0x{pid:x} (pid={pid})"
        )
    };
    let first = signature(
        ServiceKind::Cliproxyapi,
        &code(0),
        false,
        &text("2026-11-24 10:00:00", 4242),
    );
    let second = signature(
        ServiceKind::Cliproxyapi,
        &code(0),
        false,
        &text("2026-11-24T10:00:03.123Z", 4243),
    );
    assert_eq!(first, second);
    let line = first.line.unwrap();
    assert!(!line.contains("sk-lab"), "{line}");
    assert!(line.contains("failed to load config"), "{line}");
}

proptest! {
    #[test]
    fn no_log_makes_it_panic(
        lines in prop::collection::vec(
            "(address already in use|ImportError: |failed to load config: |yaml.parser.ParserError: |\\PC{0,30}){0,3}",
            0..6,
        ),
        status in prop::option::of(0i32..256),
        was_ready in any::<bool>(),
    ) {
        for kind in [ServiceKind::Litellm, ServiceKind::Cliproxyapi, ServiceKind::Other] {
            let ending = Ending { code: status, ..Ending::default() };
            let ended = Ended { kind, ending: &ending, was_ready, is_port_held: false, lines: &lines };
            let line = of(&ended, &Redactor::default()).line;
            prop_assert!(line.is_none_or(|line| line.chars().count() <= LONGEST + 2));
        }
    }
}
