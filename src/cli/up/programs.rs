//! The programs that are missing: asked for, then obtained.

use std::path::Path;

use flowgate_checks::model::ServiceKind;

use crate::bootstrap::manifest::Manifest;
use crate::bootstrap::places::Places;
use crate::bootstrap::{cliproxyapi, litellm};
use crate::cli::bootstrap::obtain::obtain;
use crate::cli::bootstrap::order::Order;
use crate::cli::bootstrap::{DownloadArgs, Program, places};
use crate::cli::failure::Failure;
use crate::cli::opened::Opened;
use crate::cli::{Global, again, output, question};
use crate::sys::place::normalise;

/// Obtains what is missing, when somebody agrees; gives what is missing still.
pub fn obtain_missing(
    args: &DownloadArgs,
    opened: &Opened,
    global: &Global,
) -> Result<Vec<ServiceKind>, Failure> {
    let mut order = Order::of(args, opened, global)?;
    let places = places(opened);
    let manifest = Manifest::read(&places).unwrap_or_default();
    order
        .programs
        .retain(|program| is_missing(*program, opened, &places, &manifest));
    if order.programs.is_empty() {
        return Ok(Vec::new());
    }
    let kinds = |programs: &[Program]| programs.iter().map(|program| program.kind()).collect();
    if !args.yes && !agrees(&order) {
        let names: Vec<&str> = order
            .programs
            .iter()
            .map(|program| program.token())
            .collect();
        output::error(
            &format!(
                "{} {} missing, and nobody agreed to a download",
                names.join(" and "),
                if names.len() == 1 { "is" } else { "are" }
            ),
            Some(&again::command(global, "up --yes")),
        );
        return Ok(kinds(&order.programs));
    }
    // What lies there and cannot run is replaced; a program of the user's own is not missing.
    let obtained = obtain(&order, opened)?;
    let mut missing = Vec::new();
    for one in &obtained {
        one.say(global)?;
        if !one.is_there() {
            missing.push(one.program.kind());
        }
    }
    Ok(missing)
}

/// Whether a service names the place where flowgate installs, and nothing there can run.
fn is_missing(program: Program, opened: &Opened, places: &Places, manifest: &Manifest) -> bool {
    let place = match program {
        Program::Cliproxyapi => places.program(),
        Program::Litellm => places.entry(),
    };
    let names_it = opened.config.services.iter().any(|service| {
        let cwd = service.cwd.as_deref().unwrap_or(&opened.cwd);
        let named = service.args.first().map(|arg| normalise(&cwd.join(arg)));
        service.kind == program.kind() && named.as_deref() == Some(Path::new(&place))
    });
    names_it
        && match program {
            Program::Cliproxyapi => matches!(
                cliproxyapi::look(places, manifest),
                cliproxyapi::Found::Nothing | cliproxyapi::Found::Broken
            ),
            Program::Litellm => matches!(
                litellm::look(places, manifest),
                litellm::Found::Nothing | litellm::Found::Broken
            ),
        }
}

/// Asks at a terminal; without one nobody agrees.
fn agrees(order: &Order) -> bool {
    if !question::can_be_asked() {
        return false;
    }
    for program in &order.programs {
        output::errors(&match (program, &order.archive) {
            (Program::Cliproxyapi, Some(file)) => {
                format!("  CLIProxyAPIPlus  from {}\n", file.display())
            }
            (Program::Cliproxyapi, None) => format!(
                "  CLIProxyAPIPlus  {} of {}/{} (the repository of the original is gone)\n",
                order.wish.version,
                order.wish.base(),
                order.wish.repository
            ),
            (Program::Litellm, _) => {
                "  LiteLLM          with its packages, from your package index, some 0.6 GB\n"
                    .into()
            }
        });
    }
    question::agrees("obtain them?")
}
