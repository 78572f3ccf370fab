//! `flowgate doctor`: one look, printed.

use std::io::IsTerminal;

use flowgate_checks::model::Policy;

use crate::cli::failure::Failure;
use crate::cli::{Global, output};
use crate::doctor::{self, Request, Source, Wish};
use crate::report::{Selection, json_v1, text};

use super::args::DoctorArgs;

/// Looks at the machine or at a bundle, prints the report and gives its exit code.
pub fn run(args: &DoctorArgs, global: &Global) -> Result<u8, Failure> {
    let wish = Wish {
        source: source(args, global),
        expect: args.expect.map(Into::into),
        selection: Selection {
            check: args.check.iter().cloned().collect(),
            skip: args.skip.iter().cloned().collect(),
        },
        fail_on: args.fail_on,
        bundle: args.bundle.clone(),
    };
    let report = doctor::look(wish).map_err(Failure::usage)?;
    if args.wants_json() {
        output::json(&json_v1::Document::from(&report))?;
    } else {
        let options = text::Options {
            width: std::io::stdout().is_terminal().then(terminal_width),
            unicode: is_utf8(),
            explained: args.explained,
        };
        output::text(&text::render(&report, &options))?;
    }
    Ok(report.exit_code)
}

fn source(args: &DoctorArgs, global: &Global) -> Source {
    match &args.from {
        Some(bundle) => Source::Bundle(bundle.clone()),
        None => Source::Machine(Request {
            config: global.config.clone(),
            policy: Policy {
                horizon_seconds: args.horizon.as_secs(),
                offline: args.offline,
                ..Policy::default()
            },
            timeout: args.timeout,
        }),
    }
}

fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).max(40))
}

/// Whether the locale is UTF-8; the first of LC_ALL, LC_CTYPE and LANG that is set decides.
fn is_utf8() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .is_some_and(|value| {
            let value = value.to_string_lossy().to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}
