//! Says what became of the services: tokens for scripts, lines for people, or one document.

use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::diagnosis::Diagnosis;
use super::outcome::{End, Outcome, Verb};
use crate::cli::failure::Failure;
use crate::cli::{Global, output};
use crate::supervisor::records::LastExit;

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;

/// How one command speaks.
pub struct Speaker {
    verb: Verb,
    form: Form,
    is_quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Tokens,
    People,
    Json,
}

impl Speaker {
    /// The way to speak that was asked for, else by what stdout is.
    pub fn new(verb: Verb, json: bool, global: &Global) -> Self {
        let form = if json {
            Form::Json
        } else if output::is_for_scripts(global) {
            Form::Tokens
        } else {
            Form::People
        };
        Self {
            verb,
            form,
            is_quiet: global.quiet,
        }
    }

    /// Whether somebody waits who may want to see why.
    pub fn shows_progress(&self) -> bool {
        self.form != Form::Json && !self.is_quiet
    }

    /// Says what became of one service, as soon as it is known.
    pub fn say(&self, outcome: &Outcome) -> Result<(), Failure> {
        match self.form {
            Form::Json => Ok(()),
            Form::Tokens => self.say_token(outcome),
            Form::People if outcome.end.is_failure() => {
                output::errors(&format!("{}\n", sentence(self.verb, outcome)));
                Ok(())
            }
            Form::People => output::text(&format!("{}\n", sentence(self.verb, outcome))),
        }
    }

    /// A stop that failed is a result in the original, a start that failed an error. What there is
    /// to say beyond the token stands below it on stderr.
    fn say_token(&self, outcome: &Outcome) -> Result<(), Failure> {
        let line = format!("{}\n", token(self.verb, outcome));
        if outcome.end.is_failure() && self.verb != Verb::Stop {
            output::errors(&line);
        } else {
            output::text(&line)?;
        }
        if let End::Failed {
            message: Some(message),
            ..
        } = &outcome.end
        {
            output::error(&format!("{}: {message}", outcome.service), None);
        }
        Ok(())
    }

    /// Says what the doctor found, or everything at once.
    pub fn finish(
        &self,
        outcomes: &[Outcome],
        diagnosis: Option<&Diagnosis>,
    ) -> Result<(), Failure> {
        if self.form == Form::Json {
            return output::json(&document(outcomes, diagnosis));
        }
        if let Some(diagnosis) = diagnosis {
            output::errors(&diagnosis.text());
        }
        Ok(())
    }
}

/// `litellm:started pid=42`, `litellm:start-failed reason=exited host=127.0.0.1 port=4000`.
fn token(verb: Verb, outcome: &Outcome) -> String {
    let name = &outcome.service;
    match &outcome.end {
        End::Running { pid, .. } if verb == Verb::Restart => format!("{name}:restarted pid={pid}"),
        End::Running { pid, .. } => format!("{name}:started pid={pid}"),
        End::Stopped { .. } => format!("{name}:stopped"),
        End::Failed { .. } if verb == Verb::Stop => format!("{name}:stop-failed"),
        End::Failed { reason, .. } => {
            let port = outcome.port.map_or("n/a".into(), |port| port.to_string());
            format!(
                "{name}:{}-failed reason={reason} host={} port={port}",
                verb.word(),
                outcome.host
            )
        }
    }
}

fn sentence(verb: Verb, outcome: &Outcome) -> String {
    let name = outcome.service.bold();
    let took = seconds(outcome.took.as_millis());
    let (good, bad) = if output::is_utf8() {
        ("✓", "✗")
    } else {
        ("ok", "x")
    };
    let good = good.green().bold().to_string();
    let bad = bad.red().bold().to_string();
    let port = outcome
        .port
        .map_or(String::new(), |port| format!(" on :{port}"));
    match &outcome.end {
        End::Running { pid, already: true } => {
            format!("{good} {name}  runs already{port}, pid {pid}")
        }
        End::Running { pid, .. } => format!("{good} {name}  ready{port}, pid {pid}, {took}"),
        End::Stopped { was_running: true } => format!("{good} {name}  stopped, {took}"),
        End::Stopped { .. } => format!("{good} {name}  does not run"),
        End::Failed {
            reason,
            message,
            exit,
        } => format!(
            "{bad} {name}  {}",
            match (message, exit) {
                (Some(message), _) => format!("{} failed: {message}", verb.word()),
                (None, Some(exit)) => format!("ended {}before it was ready", how(exit)),
                (None, None) => why(reason, &took),
            }
        ),
    }
}

/// How a process ended, with a blank behind it: `with exit code 3 `; nothing when nobody saw it.
fn how(exit: &LastExit) -> String {
    match (&exit.signal, exit.code) {
        (Some(signal), _) => format!("by signal {signal} "),
        (None, Some(code)) => format!("with exit code {code} "),
        (None, None) => String::new(),
    }
}

fn why(reason: &str, took: &str) -> String {
    match reason {
        "not-ready" => format!("is not ready after {took}"),
        "port-in-use" => "not started: its port is taken".into(),
        "spawn-failed" => "could not be started".into(),
        other => other.to_owned(),
    }
}

/// `0.6 s`, `12 s`.
fn seconds(ms: u128) -> String {
    if ms < 10_000 {
        format!("{}.{} s", ms / 1000, ms % 1000 / 100)
    } else {
        format!("{} s", ms / 1000)
    }
}

fn document(outcomes: &[Outcome], diagnosis: Option<&Diagnosis>) -> Value {
    let services: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let mut value = json!({
                "name": outcome.service,
                "host": outcome.host,
                "port": outcome.port,
                "tookMs": u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
            });
            if let (Some(fields), Ok(Value::Object(end))) =
                (value.as_object_mut(), serde_json::to_value(&outcome.end))
            {
                fields.extend(end);
            }
            value
        })
        .collect();
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "ok": !outcomes.iter().any(|outcome| outcome.end.is_failure()),
        "services": services,
        "findings": diagnosis.map_or(json!([]), Diagnosis::json),
        "error": null,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outcome(end: End) -> Outcome {
        Outcome {
            service: "litellm".into(),
            host: "127.0.0.1".into(),
            port: Some(4000),
            end,
            took: Duration::from_millis(8234),
        }
    }

    #[test]
    fn tokens_are_those_of_the_original() {
        let running = || End::Running {
            pid: 42,
            already: false,
        };
        let failed = || End::Failed {
            reason: "port-in-use".into(),
            message: None,
            exit: None,
        };
        for (verb, end, expected) in [
            (Verb::Start, running(), "litellm:started pid=42"),
            (Verb::Restart, running(), "litellm:restarted pid=42"),
            (
                Verb::Stop,
                End::Stopped { was_running: false },
                "litellm:stopped",
            ),
            (Verb::Stop, failed(), "litellm:stop-failed"),
            (
                Verb::Start,
                failed(),
                "litellm:start-failed reason=port-in-use host=127.0.0.1 port=4000",
            ),
            (
                Verb::Restart,
                failed(),
                "litellm:restart-failed reason=port-in-use host=127.0.0.1 port=4000",
            ),
        ] {
            assert_eq!(token(verb, &outcome(end)), expected);
        }
    }

    #[test]
    fn people_are_told_how_a_service_ended() {
        let exit = LastExit {
            at: "2026-11-24T10:00:00Z".parse().unwrap(),
            code: Some(0),
            signal: None,
            requested: false,
            uptime_ms: Some(600),
            source: None,
            signature: None,
        };
        let end = End::Failed {
            reason: "exited".into(),
            message: None,
            exit: Some(exit),
        };
        let said = sentence(Verb::Start, &outcome(end));
        assert!(
            said.ends_with("ended with exit code 0 before it was ready"),
            "{said}"
        );
        assert_eq!(seconds(8234), "8.2 s");
        assert_eq!(seconds(23_900), "23 s");
    }
}
