//! `flowgate doctor`: one look, printed.

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
        let options = output::layout(args.explained);
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
