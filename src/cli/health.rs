//! `flowgate health`: whether the services live and answer.

use std::time::Duration;

use clap::Args;
use flowgate_checks::words::count;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::{EXIT_FAILED, Failure};
use super::table::{self, Mark};
use super::{Global, opened, output};
use crate::doctor::health::{self, ServiceHealth};
use crate::supervisor::status;

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;

/// Bound of the whole look.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Show whether the services live and answer.
///
/// All are asked side by side, and no model is asked. Exit code 0 when every one is ready, else 1.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Say more of each service
    #[arg(long, short)]
    verbose: bool,
}

/// Asks, prints, and gives the exit code.
///
/// # Errors
/// When the config does not load, or nothing could be looked at.
pub fn run(args: &HealthArgs, global: &Global) -> Result<u8, Failure> {
    let services = look(global).map_err(|failure| failure.as_document(args.json))?;
    let is_well = services.iter().all(|service| service.live && service.ready);
    if args.json {
        output::json(&document(&services, is_well))?;
    } else if output::is_for_scripts(global) {
        output::text(&tokens(&services, args.verbose))?;
    } else {
        output::text(&page(&services, args.verbose))?;
    }
    Ok(if is_well { 0 } else { EXIT_FAILED })
}

fn look(global: &Global) -> Result<Vec<ServiceHealth>, Failure> {
    // The look takes the template where there is no config, and this command must not.
    let opened = opened::open(global)?;
    let mut services = health::health(global.config.clone(), TIMEOUT)?;
    // One that does not run may be about to.
    let now = Timestamp::now();
    for standing in status::read(&opened.config, &opened.root) {
        let same = |service: &&mut ServiceHealth| service.name == standing.name && !service.live;
        if let Some(service) = services.iter_mut().find(same)
            && let Some(words) = standing.waits_for(now)
        {
            service.note = Some(match standing.restarts {
                0 => words,
                n => format!("{words}, after {}", count(n as usize, "restart")),
            });
        }
    }
    Ok(services)
}

/// The lines of the original; with `--verbose` one more for each service that has more to say.
fn tokens(services: &[ServiceHealth], is_verbose: bool) -> String {
    let mut lines = Vec::new();
    for service in services {
        lines.push(token(service));
        if is_verbose {
            lines.extend(details(service).map(|details| format!("{}:{details}", service.name)));
        }
    }
    lines.iter().map(|line| table::plain(line) + "\n").collect()
}

fn token(service: &ServiceHealth) -> String {
    let verdict = |is_well: bool| if is_well { "ok" } else { "fail" };
    format!(
        "{}:liveness={} readiness={} running={} readiness_code={} readiness_error={} readiness_url={}",
        service.name,
        verdict(service.live),
        verdict(service.ready),
        if service.live { "yes" } else { "no" },
        service
            .code
            .map_or_else(|| "n/a".into(), |code| code.to_string()),
        service.error.unwrap_or("none"),
        service.url.as_deref().unwrap_or("n/a"),
    )
}

/// `pid=42 latency_ms=3 note="key not checked"`; none when there is nothing to tell.
fn details(service: &ServiceHealth) -> Option<String> {
    let parts = [
        service.pid.map(|pid| format!("pid={pid}")),
        service.latency_ms.map(|ms| format!("latency_ms={ms}")),
        service.note.as_ref().map(|note| format!("note={note:?}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn document(services: &[ServiceHealth], is_well: bool) -> Value {
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "ok": is_well,
        "services": services,
        "error": null,
    })
}

fn page(services: &[ServiceHealth], is_verbose: bool) -> String {
    let rows = services.iter().map(|service| {
        let (mark, words) = match (service.live, service.ready) {
            (true, true) => (Mark::Good, "ready".to_owned()),
            (true, false) => (Mark::Bad, format!("runs, not ready: {}", why(service))),
            (false, _) => (Mark::Bad, "does not run".to_owned()),
        };
        let asked = service.url.clone().unwrap_or_else(|| "-".into());
        [
            service.name.clone(),
            format!("{} {words}", table::mark(mark)),
            match service.latency_ms {
                Some(ms) if is_verbose => format!("{asked} ({ms} ms)"),
                _ => asked,
            },
        ]
    });
    let mut text = table::table(&["service", "state", "asked"], rows);
    let notes: Vec<String> = services
        .iter()
        .filter(|service| is_verbose || !service.ready)
        .filter_map(|service| Some(format!("{}: {}", service.name, service.note.as_ref()?)))
        .collect();
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        text.push_str(&format!("{}\n", table::plain(&note)));
    }
    if services.iter().any(|service| !service.ready) {
        text.push_str("\nhint: flowgate doctor\n");
    }
    text
}

fn why(service: &ServiceHealth) -> String {
    match (service.code, service.error) {
        (_, Some(error)) => error.to_owned(),
        (Some(code), None) => format!("answers {code}"),
        (None, None) => "no answer".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> ServiceHealth {
        ServiceHealth {
            name: name.into(),
            live: true,
            ready: true,
            pid: Some(7),
            code: Some(200),
            error: None,
            url: Some("http://127.0.0.1:8317/".into()),
            latency_ms: Some(3),
            note: None,
        }
    }

    #[test]
    fn tokens_are_those_of_the_original() {
        let dead = ServiceHealth {
            live: false,
            ready: false,
            pid: None,
            code: None,
            error: Some("missing-port"),
            url: None,
            latency_ms: None,
            ..service("litellm")
        };
        assert_eq!(
            tokens(&[service("cliproxyapi_plus"), dead], false),
            "cliproxyapi_plus:liveness=ok readiness=ok running=yes readiness_code=200 \
             readiness_error=none readiness_url=http://127.0.0.1:8317/\n\
             litellm:liveness=fail readiness=fail running=no readiness_code=n/a \
             readiness_error=missing-port readiness_url=n/a\n"
        );
    }

    #[test]
    fn more_is_said_on_request() {
        let noted = ServiceHealth {
            note: Some("key not checked".into()),
            ..service("litellm")
        };
        let said = tokens(&[noted], true);
        assert!(
            said.ends_with("litellm:pid=7 latency_ms=3 note=\"key not checked\"\n"),
            "{said}"
        );
    }
}
