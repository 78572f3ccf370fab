//! `flowgate doctor`: one look, printed.

use std::time::Duration;

use flowgate_checks::model::{Expectation, Policy};

use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::{Global, output};
use crate::doctor::{self, DoctorError, Looked, Request, Source, Underway, Wish};
use crate::report::{Format, Report, Selection, html, json_v1, junit, text};

use super::args::DoctorArgs;
use super::{bundle, wait};

/// Looks at the machine or at a bundle, prints the report and gives its exit code.
pub fn run(args: &DoctorArgs, global: &Global) -> Result<u8, Failure> {
    let underway = Underway::default();
    let looked = match args.wait {
        None => {
            let _progress = Progress::of_look("looking", !global.quiet, &underway);
            doctor::look_seen(wish(args, global), &underway)
        }
        Some(wait) => wait_and_look(wait, args, global, &underway),
    }
    .map_err(Failure::usage)?;
    if let (Some(path), Some(left_out), false) = (&args.bundle, &looked.left_out, global.quiet) {
        output::errors(&bundle::words(path, left_out));
    }
    print(&looked.report, args)
}

/// Prints a report in the form that was asked for, and gives its exit code.
pub fn print(report: &Report, args: &DoctorArgs) -> Result<u8, Failure> {
    match args.format() {
        Format::Text => {
            let options = output::layout(args.explained);
            output::text(&text::render(report, &options))?;
        }
        Format::Json => output::json(&json_v1::Document::from(report))?,
        Format::Html => output::file(&html::render(report))?,
        Format::Junit => output::file(&junit::render(report))?,
    }
    Ok(report.exit_code)
}

/// Of the looks that are taken while waiting none is kept; a bundle shows the last one.
fn wait_and_look(
    wait: Duration,
    args: &DoctorArgs,
    global: &Global,
    underway: &Underway,
) -> Result<Looked, DoctorError> {
    let progress = Progress::of_look("waiting", !global.quiet, underway);
    let look = || {
        let wish = Wish {
            bundle: None,
            ..wish(args, global)
        };
        Ok(doctor::look_seen(wish, underway)?.report)
    };
    let last = wait::until_well(wait, look, |phase| progress.note(phase))?;
    match args.bundle {
        Some(_) => doctor::look_seen(wish(args, global), underway),
        None => Ok(Looked {
            report: last,
            left_out: None,
        }),
    }
}

fn wish(args: &DoctorArgs, global: &Global) -> Wish {
    let serving = args.wait.map(|_| Expectation::Serving);
    Wish {
        source: source(args, global),
        expect: args.expect.map(Into::into).or(serving),
        selection: Selection {
            check: args.check.iter().cloned().collect(),
            skip: args.skip.iter().cloned().collect(),
        },
        fail_on: args.fail_on,
        bundle: args.bundle.clone(),
    }
}

pub fn source(args: &DoctorArgs, global: &Global) -> Source {
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
