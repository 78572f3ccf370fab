//! `flowgate config check` and `flowgate config show`.

use clap::{Args, Subcommand};
use flowgate_checks::model::{ConfigFile, ConfigState};
use flowgate_checks::words::count;
use serde_json::{Value, json};

use super::failure::Failure;
use super::opened::{self, warning};
use super::{Global, output};
use crate::config::discover::{Discovery, Surroundings};
use crate::config::effective::{self, Setting};
use crate::config::file::Loaded;
use crate::config::load;
use crate::config::schema::FlowgateConfig;
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::redact::Redactor;

/// The config loads.
const OK: u8 = 0;

/// The config is missing or broken.
const BROKEN: u8 = 2;

/// Version of the JSON form of both commands.
const SCHEMA_VERSION: u32 = 1;

/// Check flowgate.yaml, or show what it comes to.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check flowgate.yaml and name what is odd about it
    ///
    /// Exit code 0 when it loads, warnings or not; 2 when it is missing or broken.
    Check(Format),
    /// Show the effective values, each with the line that sets it
    ///
    /// Secrets are shown as fingerprints: equal ones are equal, the value does not show.
    Show(Format),
}

#[derive(Debug, Args)]
struct Format {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a command prints, and how it ends.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    stdout: String,
    stderr: String,
    code: u8,
}

/// Runs `config check` or `config show`; gives the exit code.
///
/// # Errors
/// When the output cannot be written; a reader that closed the pipe is no error.
pub fn run(args: &ConfigArgs, global: &Global) -> Result<u8, Failure> {
    let outcome = execute(args, &Surroundings::of_process(global.config.clone()));
    output::errors(&outcome.stderr);
    output::text(&outcome.stdout)?;
    Ok(outcome.code)
}

fn execute(args: &ConfigArgs, around: &Surroundings) -> Outcome {
    let discovery = around.discover();
    let root = load::root_of(&discovery.path);
    let fingerprinter = Fingerprinter::load(&load::fingerprint_key(&discovery.path));
    let loaded = load::load(&discovery.path, &root, &fingerprinter, &Redactor::default());
    let Some(config) = &loaded.config else {
        return broken(args, &loaded, &discovery, &root);
    };
    match &args.command {
        ConfigCommand::Check(format) => check(config, &loaded.file, format.json),
        ConfigCommand::Show(format) => show(config, &loaded.file, format.json),
    }
}

fn broken(
    args: &ConfigArgs,
    loaded: &Loaded<FlowgateConfig>,
    discovery: &Discovery,
    root: &Root,
) -> Outcome {
    let file = &loaded.file;
    let message = opened::refusal(file, discovery);
    let (ConfigCommand::Check(format) | ConfigCommand::Show(format)) = &args.command;
    let excerpt = match &file.state {
        ConfigState::Invalid { excerpt, .. } => excerpt.as_deref(),
        _ => None,
    };
    let mut stderr = format!("{message}\n");
    if let Some(excerpt) = excerpt {
        stderr.push_str(&format!("  {excerpt}\n"));
    }
    // A misspelt key may be the very cause of a missing one.
    for problem in &file.problems {
        stderr.push_str(&format!("{}\n", warning(&file.path, problem)));
    }
    let tried: Vec<String> = discovery.tried.iter().map(|path| root.show(path)).collect();
    let document = json!({
        "schemaVersion": SCHEMA_VERSION,
        "ok": false,
        "configPath": file.path,
        "tried": tried,
        "state": file.state,
        "problems": file.problems,
        "error": {"message": message, "hint": null},
    });
    Outcome {
        stdout: if format.json {
            pretty(&document)
        } else {
            String::new()
        },
        stderr,
        code: BROKEN,
    }
}

fn check(config: &FlowgateConfig, file: &ConfigFile, as_json: bool) -> Outcome {
    let services = config.services.len();
    let profiles = config.profiles.len();
    let stdout = if as_json {
        pretty(&json!({
            "schemaVersion": SCHEMA_VERSION,
            "ok": true,
            "configPath": file.path,
            "configVersion": config.version,
            "services": services,
            "profiles": profiles,
            "state": file.state,
            "problems": file.problems,
            "error": null,
        }))
    } else {
        let mut lines = vec![format!(
            "{}: ok, {}, {}",
            file.path,
            count(services, "service"),
            count(profiles, "profile")
        )];
        lines.extend(
            file.problems
                .iter()
                .map(|problem| warning(&file.path, problem)),
        );
        lines.join("\n") + "\n"
    };
    Outcome {
        stdout,
        stderr: String::new(),
        code: OK,
    }
}

fn show(config: &FlowgateConfig, file: &ConfigFile, as_json: bool) -> Outcome {
    let settings = effective::settings(config, file);
    let stdout = if as_json {
        let values: Vec<Value> = settings
            .iter()
            .map(|setting| setting_json(setting, file))
            .collect();
        pretty(&json!({
            "schemaVersion": SCHEMA_VERSION,
            "ok": true,
            "configPath": file.path,
            "values": values,
            "error": null,
        }))
    } else {
        table(&settings, &file.path)
    };
    Outcome {
        stdout,
        stderr: String::new(),
        code: OK,
    }
}

fn setting_json(setting: &Setting, file: &ConfigFile) -> Value {
    json!({
        "key": setting.key,
        "value": setting.value,
        "secret": setting.is_secret,
        "file": setting.line.map(|_| file.path.as_str()),
        "line": setting.line,
    })
}

fn table(settings: &[Setting], file: &str) -> String {
    let lines = settings.iter().map(|setting| {
        let place = match setting.line {
            Some(line) => format!("{file}:{line}"),
            None => "default".to_owned(),
        };
        // A value may hold anything; one line stays one line.
        let value: String = setting.value.chars().filter(|c| !c.is_control()).collect();
        format!("{} = {value}   {place}\n", setting.key)
    });
    lines.collect()
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
