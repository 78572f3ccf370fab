//! `flowgate integration print|apply|remove|check`: clients pointed at the gateway.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use flowgate_checks::model::{ClientChange, Step};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;

use super::failure::{EXIT_FAILED, Failure};
use super::key::keyring;
use super::opened::{self, Opened};
use super::table::{self, Mark};
use super::{Global, again, output};
use crate::integration::client::Client;
use crate::integration::gateway::{Gateway, GatewayError};
use crate::integration::look::{self, Used};
use crate::integration::proof::{self, Proof, Verdict};
use crate::integration::record;
use crate::repair::by_command;
use crate::repair::ground::Ground;
use crate::repair::journal;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Created, Modes};

/// Bound of one request.
const TIMEOUT: Duration = Duration::from_secs(3);

/// No client config is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// So many backups of one second keep each other company.
const MOST_BACKUPS: u32 = 100;

/// Point clients at the gateway, and take that back.
#[derive(Debug, Args)]
pub struct IntegrationArgs {
    #[command(subcommand)]
    command: IntegrationCommand,
}

#[derive(Debug, Subcommand)]
enum IntegrationCommand {
    /// Print what to write into the config of a client; no key is printed
    Print {
        /// The client
        #[arg(value_enum)]
        client: ClientName,
    },
    /// Write it into the config of a client; everything else in it stays
    ///
    /// A key that the client has is kept. Where it has none it gets the key of the gateway, and the
    /// file is closed to others. `integration remove` and `doctor undo` take it back.
    Apply {
        /// The client
        #[arg(value_enum)]
        client: ClientName,
        /// Write into this file [default: ~/.codex/config.toml, ~/.claude/settings.json,
        /// ~/.config/flowgate/openai.env]
        #[arg(long, value_name = "FILE")]
        target: Option<PathBuf>,
        /// Write the key of the gateway over the client's own
        #[arg(long)]
        gateway_key: bool,
        /// Say what would be written, and write nothing
        #[arg(long)]
        dry_run: bool,
        /// Accepted for scripts; nothing is asked
        #[arg(long, short, hide = true)]
        yes: bool,
    },
    /// Put back what was there before; nothing has to run for that
    Remove {
        /// The client
        #[arg(value_enum)]
        client: ClientName,
        /// The file that was written [default: as for apply]
        #[arg(long, value_name = "FILE")]
        target: Option<PathBuf>,
    },
    /// Ask the gateway as the client would, with its own URL, key and models; no model is asked
    Check {
        /// The client
        #[arg(value_enum)]
        client: ClientName,
        /// Its config [default: as for apply]
        #[arg(long, value_name = "FILE")]
        target: Option<PathBuf>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

/// The clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClientName {
    /// Codex CLI
    Codex,
    /// Claude Code
    ClaudeCode,
    /// Tools that read OPENAI_BASE_URL and OPENAI_API_KEY
    OpenaiEnv,
}

impl From<ClientName> for Client {
    fn from(name: ClientName) -> Self {
        match name {
            ClientName::Codex => Self::Codex,
            ClientName::ClaudeCode => Self::ClaudeCode,
            ClientName::OpenaiEnv => Self::OpenaiEnv,
        }
    }
}

/// Runs `integration print`, `apply`, `remove` or `check`; gives the exit code.
///
/// # Errors
/// A config that does not load, one of a client that cannot be read, edited or written.
pub fn run(args: &IntegrationArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global)?;
    match &args.command {
        IntegrationCommand::Print { client } => print((*client).into(), &opened, global),
        IntegrationCommand::Apply {
            client,
            target,
            gateway_key,
            dry_run,
            yes: _,
        } => {
            let place = Place::of((*client).into(), target.as_deref(), &opened)?;
            let change = match gateway_key {
                true => ClientChange::PointWithKey,
                false => ClientChange::Point,
            };
            apply(&place, change, *dry_run, &opened, global)
        }
        IntegrationCommand::Remove { client, target } => {
            let place = Place::of((*client).into(), target.as_deref(), &opened)?;
            remove(&place, &opened)
        }
        IntegrationCommand::Check {
            client,
            target,
            json,
        } => {
            let place = Place::of((*client).into(), target.as_deref(), &opened)?;
            check(&place, *json, &opened, global).map_err(|failure| failure.as_document(*json))
        }
    }
}

/// A client and its config.
struct Place {
    client: Client,
    path: PathBuf,
}

impl Place {
    fn of(client: Client, target: Option<&Path>, opened: &Opened) -> Result<Self, Failure> {
        let variable = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let home = variable("HOME");
        let path = match (target, &home) {
            (Some(target), home) => match (target.strip_prefix("~"), home) {
                (Ok(below), Some(home)) => home.join(below),
                _ => opened.cwd.join(target),
            },
            (None, Some(home)) => opened.cwd.join(client.config_file(home, variable)),
            (None, None) => {
                return Err(Failure::usage(anyhow!(
                    "HOME is not set, so the config of {} is not known; name it with --target",
                    client.name()
                )));
            }
        };
        Ok(Self {
            client,
            path: crate::sys::place::normalise(&path),
        })
    }

    /// Its text; none when it is not there.
    fn text(&self) -> Result<Option<String>, String> {
        match read::whole(&self.path, LARGEST) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(format!("{} is no UTF-8 text", self.path.display())),
            },
            Err(ReadError::Missing) => Ok(None),
            Err(why) => Err(format!("{}: {why}", self.path.display())),
        }
    }

    fn step(&self, change: ClientChange) -> Step {
        Step::Integration {
            client: self.client.name().into(),
            path: self.path.display().to_string(),
            change,
        }
    }
}

fn print(client: Client, opened: &Opened, global: &Global) -> Result<u8, Failure> {
    let gateway = Gateway::without_key(&opened.config).map_err(|why: GatewayError| {
        // Scripts know these words.
        Failure::refused(format!("integration render failed: {why}"))
    })?;
    output::file(&client.printed(&gateway))?;
    if !output::is_for_scripts(global) {
        output::errors(&format!(
            "\nhint: {}, or {} for its key\n",
            again::command(global, &format!("integration apply {}", client.name())),
            again::command(global, "key show litellm")
        ));
    }
    Ok(0)
}

fn apply_failed(why: impl std::fmt::Display) -> Failure {
    Failure::refused(format!("integration apply failed: {why}"))
}

fn apply(
    place: &Place,
    change: ClientChange,
    dry_run: bool,
    opened: &Opened,
    global: &Global,
) -> Result<u8, Failure> {
    output::errors(&opened.warnings());
    let gateway = Gateway::of(&keyring(opened)).map_err(apply_failed)?;
    let old = place.text().map_err(apply_failed)?;
    let ground = Ground::opened(&opened.path, &opened.config, &opened.cwd);
    let step = place.step(change);
    let said = by_command::diff(std::slice::from_ref(&step), &ground).map_err(apply_failed)?;
    if dry_run {
        output::text(&format!("target={}\n{said}", place.path.display()))?;
        return Ok(0);
    }
    let backup = match &old {
        Some(old) => Some(back_up(&place.path, old).map_err(apply_failed)?),
        None => None,
    };
    let title = format!("point {} at the gateway", place.client.name());
    by_command::carry_out(&title, &[step], &ground, &journal::on_disk).map_err(apply_failed)?;
    let mut lines = format!("saved_path={}\n", place.path.display());
    if let Some(backup) = backup {
        lines.push_str(&format!("backup_path={}\n", backup.display()));
    }
    output::text(&lines)?;
    note_key(place, &gateway, opened, global);
    Ok(0)
}

/// Says which key the client has now, where that is not the one of the gateway.
fn note_key(place: &Place, gateway: &Gateway, opened: &Opened, global: &Global) {
    use secrecy::ExposeSecret;
    let Some(used) = used(place, opened) else {
        return;
    };
    let own = used.key.as_ref().and_then(|key| key.secret.as_ref());
    let is_gateways = match (own, &gateway.key) {
        (Some(own), Some(key)) => own.expose_secret() == key.expose_secret(),
        _ => false,
    };
    if is_gateways {
        return;
    }
    let name = place.client.name();
    let again = again::command(global, &format!("integration apply {name} --gateway-key"));
    let note = match (&used.key, &gateway.key) {
        (Some(key), _) => match &key.variable {
            Some(variable) => format!("{name} takes its key from {variable}"),
            None => {
                format!("{name} keeps the key that it has; to write that of the gateway: {again}")
            }
        },
        (None, None) => format!("{name} has no key yet: none of the gateway can be read here"),
        (None, Some(_)) => {
            format!("{name} takes its key from elsewhere; to write that of the gateway: {again}")
        }
    };
    output::errors(&format!("{note}\n"));
}

fn used(place: &Place, opened: &Opened) -> Option<Used> {
    let used = look::look(place.client, &place.text().ok()??).ok()?;
    if let Some(secret) = used.key.as_ref().and_then(|key| key.secret.as_ref()) {
        opened.redactor.learn(secret);
    }
    Some(used)
}

/// Keeps the old text beside the config, for this user alone; an older backup stays.
fn back_up(path: &Path, old: &str) -> Result<PathBuf, String> {
    let seconds = Timestamp::now().as_second();
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    for number in 1..=MOST_BACKUPS {
        let ending = match number {
            1 => String::new(),
            number => format!("-{number}"),
        };
        let backup = path.with_file_name(format!("{name}.backup.{seconds}{ending}"));
        let modes = Modes {
            file: 0o600,
            ..Modes::PRIVATE
        };
        match write::create(&backup, old.as_bytes(), modes).map_err(|error| error.to_string())? {
            Created::Written => return Ok(backup),
            Created::Kept => {}
        }
    }
    Err(format!("{} has too many backups", path.display()))
}

fn remove(place: &Place, opened: &Opened) -> Result<u8, Failure> {
    let failed =
        |why: &dyn std::fmt::Display| Failure::refused(format!("integration remove failed: {why}"));
    let known = record::all(&opened.config.paths.runtime_dir)
        .into_iter()
        .find(|(_, known)| known.path == place.path && known.client == place.client.name());
    let Some((_, known)) = known else {
        return Err(failed(&format!(
            "{} was not pointed at the gateway by flowgate",
            place.path.display()
        )));
    };
    let old = place.text().map_err(|why| failed(&why))?;
    let back = crate::integration::change::take_back(place.client, old.as_deref(), &known)
        .map_err(|why| failed(&why))?;
    let ground = Ground::opened(&opened.path, &opened.config, &opened.cwd);
    let title = format!("point {} at the gateway no longer", place.client.name());
    let step = place.step(ClientChange::Remove);
    by_command::carry_out(&title, &[step], &ground, &journal::on_disk)
        .map_err(|why| failed(&why))?;
    let token = match (&back.text, &old) {
        (None, Some(_)) => "removed_path",
        _ => "restored_path",
    };
    output::text(&format!("{token}={}\n", place.path.display()))?;
    for left in &back.left {
        output::errors(&format!(
            "left as it is, since it was changed meanwhile: {left}\n"
        ));
    }
    Ok(0)
}

fn check(place: &Place, as_json: bool, opened: &Opened, global: &Global) -> Result<u8, Failure> {
    let failed = |why: String| Failure::refused(format!("integration check failed: {why}"));
    let gateway = Gateway::of(&keyring(opened)).map_err(|why| failed(why.to_string()))?;
    let name = place.client.name();
    let shown = place.path.display();
    let Some(text) = place.text().map_err(failed)? else {
        let hint = again::command(global, &format!("integration apply {name}"));
        return Err(failed(format!("{shown} is not there; {hint} writes it")));
    };
    let used = look::look(place.client, &text).map_err(|why| failed(format!("{shown}: {why}")))?;
    let secret = key_of(&used);
    if let Some(secret) = &secret {
        opened.redactor.learn(secret);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the requests")?;
    let proof = runtime.block_on(proof::prove(
        place.client,
        &used,
        secret.as_ref(),
        &gateway.root,
        TIMEOUT,
    ))?;
    if as_json {
        output::json(&document(place, &used, &proof))?;
    } else if output::is_for_scripts(global) {
        output::text(&token(place, &used, &proof))?;
    } else {
        output::text(&page(place, &used, &proof))?;
    }
    if proof.is_good() {
        return Ok(0);
    }
    if !as_json {
        let hint = match proof.key {
            Verdict::Bad(_) => format!("integration apply {name} --gateway-key"),
            _ => format!("integration apply {name}"),
        };
        let hint = match &proof.url {
            Verdict::Bad(_) if !proof.asked.is_empty() => "doctor".to_owned(),
            _ => hint,
        };
        output::errors(&format!("\nhint: {}\n", again::command(global, &hint)));
    }
    Ok(EXIT_FAILED)
}

/// The key that the client sends; the value of a variable is that of this shell.
fn key_of(used: &Used) -> Option<SecretString> {
    let key = used.key.as_ref()?;
    key.secret.clone().or_else(|| {
        let value = std::env::var(key.variable.as_deref()?).ok()?;
        Some(SecretString::from(value))
    })
}

fn url(used: &Used) -> Option<String> {
    let url = used.url.as_ref()?;
    Some(crate::config::secrets::plain_url(&url.text))
}

/// `codex:url=ok key=fail model=not-asked base_url=http://127.0.0.1:4000/v1`, and why.
fn token(place: &Place, used: &Used, proof: &Proof) -> String {
    let word = |verdict: &Verdict| match verdict {
        Verdict::Good => "ok",
        Verdict::Bad(_) => "fail",
        Verdict::NotAsked => "not-asked",
    };
    let name = place.client.name();
    let head = format!(
        "{name}:url={} key={} model={} base_url={}",
        word(&proof.url),
        word(&proof.key),
        word(&proof.model),
        url(used).unwrap_or_else(|| "n/a".into())
    );
    let why = reasons(proof).map(|why| format!("{name}:reason={why:?}"));
    std::iter::once(head)
        .chain(why)
        .map(|line| table::plain(&line) + "\n")
        .collect()
}

fn reasons(proof: &Proof) -> impl Iterator<Item = &str> {
    [&proof.url, &proof.key, &proof.model]
        .into_iter()
        .filter_map(|verdict| match verdict {
            Verdict::Bad(why) => Some(why.as_str()),
            Verdict::Good | Verdict::NotAsked => None,
        })
}

fn page(place: &Place, used: &Used, proof: &Proof) -> String {
    let row = |what: &str, verdict: &Verdict| {
        let (mark, words) = match verdict {
            Verdict::Good => (Mark::Good, "ok".to_owned()),
            Verdict::Bad(why) => (Mark::Bad, why.clone()),
            Verdict::NotAsked => (Mark::Off, "not asked".into()),
        };
        [
            what.to_owned(),
            format!("{} {}", table::mark(mark), table::plain(&words)),
        ]
    };
    let head = format!(
        "{} {}",
        place.client.name(),
        url(used).unwrap_or_else(|| "names no base URL".into())
    );
    let rows = [
        row("url", &proof.url),
        row("key", &proof.key),
        row("model", &proof.model),
    ];
    table::table(&[head.as_str(), "state"], rows.into_iter())
}

fn document(place: &Place, used: &Used, proof: &Proof) -> serde_json::Value {
    let verdict = |verdict: &Verdict| match verdict {
        Verdict::Good => json!({"state": "ok", "reason": null}),
        Verdict::Bad(why) => json!({"state": "fail", "reason": why}),
        Verdict::NotAsked => json!({"state": "notAsked", "reason": null}),
    };
    json!({
        "schemaVersion": 1,
        "ok": proof.is_good(),
        "client": place.client.name(),
        "path": place.path,
        "baseUrl": url(used),
        "url": verdict(&proof.url),
        "key": verdict(&proof.key),
        "model": verdict(&proof.model),
        "asked": proof.asked,
        "error": null,
    })
}
