//! `flowgate status`: what runs, from records and processes; no supervisor is asked or started.

use clap::Args;
use flowgate_checks::words::age;
use jiff::Timestamp;
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::{Global, opened, output, table};
use crate::doctor;
use crate::supervisor::records::{LastExit, ServiceState};
use crate::supervisor::status::{self, ServiceNow};
use crate::supervisor::watcher::{self, Watcher};
use crate::sys::read;

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;

/// A state file is smaller by far.
const STATE_LIMIT: u64 = 64 * 1024;

/// Show which services run.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What `status` shows.
struct Status {
    watcher: Watcher,
    profile: Option<String>,
    updated_at: Option<String>,
    services: Vec<ServiceNow>,
    issues: Option<usize>,
}

/// Prints the status; the exit code is 0 whatever runs.
///
/// # Errors
/// When the config does not load.
pub fn run(args: &StatusArgs, global: &Global) -> Result<u8, Failure> {
    let status = look(args, global).map_err(|failure| failure.as_document(args.json))?;
    if args.json {
        output::json(&document(&status))?;
    } else if output::is_for_scripts(global) {
        output::text(&tokens(&status))?;
    } else {
        output::text(&page(&status, Timestamp::now()))?;
    }
    Ok(0)
}

fn look(args: &StatusArgs, global: &Global) -> Result<Status, Failure> {
    let opened = opened::open(global)?;
    let config = &opened.config;
    let state = read::whole(&config.paths.state_file, STATE_LIMIT)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .unwrap_or_default();
    let text = |key: &str| state.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_short = !args.json && output::is_for_scripts(global);
    Ok(Status {
        watcher: watcher::watcher(&config.paths.runtime_dir),
        profile: text("current_profile"),
        updated_at: text("updated_at"),
        services: match is_short {
            true => status::read(config, &opened.root),
            false => status::read_in_full(config, &opened.root),
        },
        issues: doctor::secret_permission_issues(global.config.clone()),
    })
}

/// The lines of the original; services are sorted by name.
fn tokens(status: &Status) -> String {
    let unknown = || "unknown".to_owned();
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(unknown);
    let mut lines = vec![
        format!("current_profile={}", or_unknown(&status.profile)),
        format!("updated_at={}", or_unknown(&status.updated_at)),
    ];
    let mut services: Vec<String> = status
        .services
        .iter()
        .map(|service| {
            let running = if service.is_running() { "yes" } else { "no" };
            format!("{}_running={running}", service.name)
        })
        .collect();
    services.sort();
    lines.extend(services);
    lines.push(format!(
        "secret_permission_issues={}",
        status.issues.map_or_else(unknown, |n| n.to_string())
    ));
    lines.iter().map(|line| table::plain(line) + "\n").collect()
}

fn document(status: &Status) -> Value {
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "supervisor": status.watcher,
        "profile": status.profile,
        "profileUpdatedAt": status.updated_at,
        "services": status.services,
        "secretPermissionIssues": status.issues,
    })
}

fn page(status: &Status, now: Timestamp) -> String {
    let rows = status.services.iter().map(|service| {
        [
            service.name.clone(),
            state(service, now),
            service.pid.map_or_else(nothing, |pid| pid.to_string()),
            address(service),
            service.since.map_or_else(nothing, |since| ago(since, now)),
            service.memory_bytes.map_or_else(nothing, megabytes),
            match service.restarts {
                0 => nothing(),
                restarts => restarts.to_string(),
            },
            service
                .last_exit
                .as_ref()
                .map_or_else(nothing, |exit| how(exit, now)),
        ]
    });
    let heads = [
        "service",
        "state",
        "pid",
        "address",
        "since",
        "memory",
        "restarts",
        "last exit",
    ];
    let mut text = table::table(&heads, rows);
    text.push_str(&format!("\n{}\n", footer(status)));
    text
}

fn footer(status: &Status) -> String {
    let supervisor = match status.watcher.pid {
        Some(pid) => format!("supervisor pid {pid}"),
        None => "no supervisor".into(),
    };
    let profile = match &status.profile {
        Some(profile) => format!("profile {}", table::plain(profile)),
        None => "no profile set".into(),
    };
    let issues = match status.issues {
        None => "secrets not looked at".into(),
        Some(0) => "secrets closed to others".into(),
        Some(n) => format!(
            "{}: flowgate doctor --check secret-permissions",
            flowgate_checks::words::count(n, "secret permission issue")
        ),
    };
    format!("{profile} · {supervisor} · {issues}")
}

fn state(service: &ServiceNow, now: Timestamp) -> String {
    let word = match service.state {
        ServiceState::Stopped if service.wanted => "not running".to_owned(),
        ServiceState::Stopped => "stopped".into(),
        ServiceState::Starting => "starting".into(),
        ServiceState::Ready => "ready".into(),
        ServiceState::Unready => "unready".into(),
        ServiceState::Backoff | ServiceState::CrashLoop => {
            service.waits_for(now).unwrap_or_else(nothing)
        }
        ServiceState::Stopping => "stopping".into(),
        ServiceState::Unknown => "running".into(),
    };
    let mark = table::mark(match service.state {
        ServiceState::Ready => table::Mark::Good,
        ServiceState::Stopped if !service.wanted => table::Mark::Off,
        ServiceState::Starting | ServiceState::Stopping | ServiceState::Unknown => {
            table::Mark::Unproven
        }
        _ => table::Mark::Bad,
    });
    let word = match service.managed {
        true => word,
        false => format!("{word} (not managed)"),
    };
    format!("{mark} {word}")
}

fn address(service: &ServiceNow) -> String {
    let Some(port) = service.port else {
        return nothing();
    };
    let address = format!("{}:{port}", table::plain(&service.host));
    match service.owns_port {
        Some(false) => format!("{address} {}", "not its own".yellow()),
        _ => address,
    }
}

fn nothing() -> String {
    "-".into()
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    let ms = now.as_millisecond().saturating_sub(at.as_millisecond());
    age(u64::try_from(ms).unwrap_or_default())
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

fn how(exit: &LastExit, now: Timestamp) -> String {
    let what = match (&exit.signal, exit.code) {
        _ if exit.requested => "asked to stop".to_owned(),
        (Some(signal), _) => format!("by {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "unseen".into(),
    };
    format!("{what}, {} ago", ago(exit.at, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, pid: Option<u32>) -> ServiceNow {
        ServiceNow {
            name: name.into(),
            state: match pid {
                Some(_) => ServiceState::Ready,
                None => ServiceState::Stopped,
            },
            wanted: true,
            managed: true,
            pid,
            host: "127.0.0.1".into(),
            port: Some(4000),
            owns_port: pid.map(|_| true),
            since: pid.map(|_| "2026-11-24T10:00:00Z".parse().unwrap()),
            ready_at: None,
            restarts: 0,
            next_try_at: None,
            memory_bytes: None,
            last_exit: None,
        }
    }

    fn status() -> Status {
        Status {
            watcher: Watcher::default(),
            profile: None,
            updated_at: Some("2026-02-17T03:26:54.123456+00:00".into()),
            services: vec![
                service("litellm", Some(7)),
                service("cliproxyapi_plus", None),
            ],
            issues: Some(2),
        }
    }

    #[test]
    fn tokens_are_those_of_the_original() {
        assert_eq!(
            tokens(&status()),
            "current_profile=unknown\n\
             updated_at=2026-02-17T03:26:54.123456+00:00\n\
             cliproxyapi_plus_running=no\n\
             litellm_running=yes\n\
             secret_permission_issues=2\n"
        );
    }

    #[test]
    fn people_see_when_a_service_is_tried_again_and_after_what() {
        let now = "2026-11-24T10:12:00Z".parse().unwrap();
        let mut service = service("litellm", None);
        let mut said = |state, next_try_at| {
            service.state = state;
            service.next_try_at = next_try_at;
            service.waits_for(now)
        };
        let later = "2026-11-24T10:12:06.4Z".parse().ok();
        assert_eq!(
            said(ServiceState::Backoff, later).as_deref(),
            Some("tried again in 7 s")
        );
        assert_eq!(
            said(ServiceState::Backoff, None).as_deref(),
            Some("waits for port 4000")
        );
        assert_eq!(
            said(ServiceState::CrashLoop, None).as_deref(),
            Some("crash loop, waits for its config to change")
        );
        assert_eq!(said(ServiceState::Ready, None), None);
    }

    #[test]
    fn people_see_what_is_wanted_and_does_not_run() {
        let now = "2026-11-24T10:12:00Z".parse().unwrap();
        let text = page(&status(), now);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(plain.contains("12 min"), "{plain}");
        assert!(plain.contains("not running"), "{plain}");
        assert!(
            plain.contains("no profile set · no supervisor · 2 secret permission issues"),
            "{plain}"
        );
    }
}
