//! `flowgate auth login`: from a provider to a working credential.

use std::io::BufRead;
use std::thread;
use std::time::Duration;

use clap::Args;
use flowgate_checks::routes::{Edition, canonical_provider, login_route};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::teller::Teller;
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::{self, Opened};
use crate::cli::services::diagnosis::Diagnosis;
use crate::cli::{Global, again, output};
use crate::config::schema::ProviderConfig;
use crate::login::error::LoginError;
use crate::login::flow::{self, Closed, Done, Ground, Wish};
use crate::login::refusals::Refusals;
use crate::login::{pasted, saved, underway};
use crate::sys::event_log::{self, Event};
use crate::sys::plain;

/// Log in to a provider.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// One of auth.providers in flowgate.yaml, codex or copilot
    #[arg(value_name = "PROVIDER")]
    pub provider: String,
    /// How.
    #[command(flatten)]
    pub options: Options,
}

/// How to log in.
#[derive(Debug, Args)]
pub struct Options {
    /// Give up after so many seconds, or a duration such as 5m
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub timeout: Duration,
    /// Ask after so many seconds again whether the login is through
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub poll_interval: Duration,
    /// Open no browser
    #[arg(long)]
    pub no_browser: bool,
    /// Take the address at which a browser on another machine ended, from a line of stdin
    #[arg(long)]
    pub paste_callback: bool,
}

/// A login that is asked about more often costs the program more than it is worth.
const SHORTEST_POLL: Duration = Duration::from_millis(200);

/// A day: nobody waits longer for a login.
const LONGEST: f64 = 86_400.0;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().or_else(|| {
        let written: SignedDuration = text.parse().ok()?;
        Some(written.as_secs_f64())
    });
    match seconds {
        Some(seconds) if (0.0..=LONGEST).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds or a duration such as 5m is wanted, at most 24h".into()),
    }
}

/// The providers that flowgate knows how to log in to without a word in flowgate.yaml.
const OWN: [&str; 2] = ["codex", "copilot"];

/// Runs `auth login`; gives the exit code.
///
/// # Errors
/// A config that does not load, a provider that is not configured, or without endpoints.
pub fn run(provider: &str, options: &Options, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    output::errors(&opened.warnings());
    know(provider, &opened)?;
    let ended = log_in(provider, options, &opened, global);
    match ended {
        Ok((ground, Ok((status, path)))) => {
            let shown = ground.root.show(&path);
            note(provider, "success", &format!("file={shown}"), &opened);
            say_success(
                provider,
                &status,
                &path.display().to_string(),
                &shown,
                global,
            )?;
            Ok(0)
        }
        Ok((ground, Err(error))) => {
            let clean = |text: String| ground.redactor.clean(&plain::one_line(&text));
            say_failure(
                provider,
                &error,
                &clean(error.to_string()),
                Some(&ground),
                &opened,
                global,
            );
            Ok(exit_code(&error))
        }
        Err(error) => {
            let why = plain::one_line(&error.to_string());
            say_failure(provider, &error, &why, None, &opened, global);
            Ok(exit_code(&error))
        }
    }
}

/// Refuses what flowgate.yaml does not name and nobody knows.
fn know(provider: &str, opened: &Opened) -> Result<(), Failure> {
    let configured = &opened.config.providers;
    let is_known = |name| login_route(name, Edition::Unknown).is_some();
    match configured.get(provider) {
        None if OWN.contains(&provider) => Ok(()),
        None => {
            note(provider, "failed", "provider-not-configured", opened);
            let names: Vec<&str> = configured.keys().map(String::as_str).collect();
            let available = if names.is_empty() {
                "none".into()
            } else {
                names.join(",")
            };
            Err(Failure::known(format!(
                "OAuth provider not configured: {provider}; available={available}"
            )))
        }
        Some(one)
            if !is_known(provider)
                && (one.auth_url_endpoint.is_none() || one.status_endpoint.is_none()) =>
        {
            note(provider, "failed", "endpoint-missing", opened);
            Err(Failure::known(format!(
                "OAuth endpoints not complete for provider={provider}"
            )))
        }
        Some(_) => Ok(()),
    }
}

/// What flowgate.yaml says of a provider, under whatever spelling of its name.
fn configured<'a>(provider: &str, opened: &'a Opened) -> Option<&'a ProviderConfig> {
    let providers = &opened.config.providers;
    let name = canonical_provider(provider);
    providers.get(provider).or_else(|| {
        let mut same = providers
            .iter()
            .filter(|(known, _)| canonical_provider(known) == name);
        same.next().map(|(_, found)| found)
    })
}

type Ended = Result<(String, std::path::PathBuf), LoginError>;

fn log_in(
    provider: &str,
    options: &Options,
    opened: &Opened,
    global: &Global,
) -> Result<(Ground, Ended), LoginError> {
    let runtime_dir = &opened.config.paths.runtime_dir;
    let _under_way = underway::begin(runtime_dir, &canonical_provider(provider))?;
    let ground = flow::ground(global.config.clone())?;
    let wish = Wish {
        provider,
        configured: configured(provider, opened),
        timeout: options.timeout,
        poll_interval: options.poll_interval.max(SHORTEST_POLL),
    };
    let process = ground.door.as_ref().ok().and_then(|door| door.process);
    let mut refusals = Refusals::of(runtime_dir, process);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| LoginError::Machine(format!("failed to begin a login: {error}")))?;
    let ended = runtime.block_on(async {
        let port = ground.service.as_ref().and_then(|service| service.port);
        let mut teller = Teller::new(provider, options, port, global)?;
        let mut lines = pasted_lines(options.paste_callback);
        flow::log_in(&ground, &wish, &mut refusals, &mut lines, &mut teller).await
    });
    // A line of stdin that nobody wants any more is not waited for.
    runtime.shutdown_background();
    let ended = ended.and_then(|Done { status, path }| {
        saved::close(&path, &ground.root)?;
        Ok((status, path))
    });
    Ok((ground, ended))
}

/// The lines that a person pastes; none come where they are not asked for.
fn pasted_lines(is_wanted: bool) -> UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    if is_wanted {
        thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            loop {
                let mut line = String::new();
                let mut bounded = std::io::Read::take(&mut stdin, pasted::LONGEST as u64);
                match bounded.read_line(&mut line) {
                    Ok(read) if read > 0 => {
                        if sender.send(line).is_err() {
                            return;
                        }
                    }
                    _ => return,
                }
            }
        });
    }
    lines
}

fn exit_code(error: &LoginError) -> u8 {
    match error {
        LoginError::Interrupted { signal } => 128 + signal,
        _ => EXIT_FAILED,
    }
}

/// A log that cannot be written takes nothing back.
fn note(provider: &str, result: &str, detail: &str, opened: &Opened) {
    let provider = plain::cut(&plain::one_line(provider), 60);
    let event = Event {
        event: "oauth_login",
        service: None,
        profile: None,
        provider: Some(&provider),
        result,
        detail: Some(detail),
    };
    let log_file = &opened.config.paths.log_file;
    if let Err(error) = event_log::append(log_file, Timestamp::now(), &event) {
        output::errors(&format!("the event log was left out: {error}\n"));
    }
}

fn say_success(
    provider: &str,
    status: &str,
    path: &str,
    shown: &str,
    global: &Global,
) -> Result<(), Failure> {
    if output::is_for_scripts(global) {
        return output::text(&format!("oauth_status={status}\nsaved_auth={path}\n"));
    }
    output::text(&format!(
        "{provider} is logged in: {shown}, closed to others\n"
    ))
}

/// One line that scripts know, then what the doctor finds.
fn say_failure(
    provider: &str,
    error: &LoginError,
    why: &str,
    ground: Option<&Ground>,
    opened: &Opened,
    global: &Global,
) {
    let detail = match error {
        LoginError::NotSaved { .. } => format!("{why} reason=not-saved"),
        _ => why.to_owned(),
    };
    note(provider, "failed", &detail, opened);
    output::errors(&format!(
        "OAuth login failed: {why} hint={}\n",
        hint(provider, error, ground, global)
    ));
    if matches!(error, LoginError::Interrupted { .. }) {
        return;
    }
    let service = ground
        .and_then(|ground| ground.service.as_ref())
        .map_or("cliproxyapi_plus", |service| service.name.as_str());
    output::errors(&Diagnosis::of_login(provider, service, global).text());
}

/// What to do about it, as it can be typed.
fn hint(provider: &str, error: &LoginError, ground: Option<&Ground>, global: &Global) -> String {
    let service = ground.and_then(|ground| ground.service.as_ref());
    let name = service.map_or("cliproxyapi_plus", |service| service.name.as_str());
    let login = |more: &str| again::command(global, &format!("auth login {provider}{more}"));
    match error {
        LoginError::Closed(Closed::NotServing(_)) | LoginError::ServerLost { .. } => {
            again::command(global, &format!("service start {name}"))
        }
        LoginError::TimedOut { .. } => login(" --timeout 280"),
        LoginError::UnderWay { .. } => "finish that login, or end it with Ctrl-C".into(),
        LoginError::CallbackPort { port, .. } => format!("ss -ltnp 'sport = :{port}'"),
        LoginError::Unsupported { .. } => format!("install a build of {name} that has {provider}"),
        LoginError::Exposed { path, .. } => format!("chmod 600 {path}"),
        LoginError::Failed { .. }
        | LoginError::NotSaved { .. }
        | LoginError::Interrupted { .. }
        | LoginError::Program(_) => login(""),
        _ => again::command(global, "doctor --check oauth-login"),
    }
}
