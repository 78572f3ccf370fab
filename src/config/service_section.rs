//! Reading one service of flowgate.yaml.

use std::collections::BTreeMap;

use flowgate_checks::model::ConfigProblem;
use secrecy::SecretString;

use super::document::ParseFault;
use super::schema::ConfigPaths;
use super::section::{Base, Field, Section};
use super::service::{ServiceConfig, without_brackets};

/// The keys of a service, the older name of `readiness_path` last.
const KEYS: [&str; 15] = [
    "enabled",
    "managed",
    "host",
    "port",
    "readiness_path",
    "command",
    "env",
    "env_file",
    "ready_timeout",
    "stop_timeout",
    "management",
    "unit",
    "container",
    "config_file",
    "health_path",
];

/// Reads a service.
///
/// # Errors
/// The first thing that is missing or of the wrong kind.
pub fn read(
    name: &str,
    field: &Field<'_>,
    base: &Base,
    problems: &mut Vec<ConfigProblem>,
) -> Result<ServiceConfig, ParseFault> {
    let section = field.section()?;
    section.note_unknown(&KEYS, problems);
    section.note_legacy("health_path", &section.path_of("readiness_path"), problems);
    let mut service = ServiceConfig {
        entry: field.path.clone(),
        ..ServiceConfig::named(name)
    };
    if let Some(enabled) = section.field("enabled") {
        service.enabled = enabled.flag()?;
    }
    if let Some(managed) = section.field("managed") {
        service.managed = managed.flag()?;
    }
    if let Some(host) = section.field("host") {
        service.host = without_brackets(&host.text()?);
    }
    service.port = section.field("port").map(|port| port.port()).transpose()?;
    let older = section
        .field("health_path")
        .map(|path| path.text())
        .transpose()?;
    let newer = section
        .field("readiness_path")
        .map(|path| path.text())
        .transpose()?;
    if let Some(path) = newer.or(older) {
        service.readiness_path = path;
    }
    if let Some(timeout) = section.field("ready_timeout") {
        service.ready_timeout = timeout.duration()?;
    }
    if let Some(timeout) = section.field("stop_timeout") {
        service.stop_timeout = timeout.duration()?;
    }
    if let Some(management) = section.field("management") {
        service.management_auto = management_auto(&management)?;
    }
    let file = |key| {
        section
            .field(key)
            .map(|file: Field<'_>| file.file(base))
            .transpose()
    };
    let text = |key| {
        section
            .field(key)
            .map(|text: Field<'_>| text.text())
            .transpose()
    };
    service.env_file = file("env_file")?;
    service.config_file = file("config_file")?;
    service.unit = text("unit")?;
    service.container = text("container")?;
    if let Some(env) = section.section("env")? {
        service.env = environment(&env)?;
    }
    read_command(&section, base, &mut service, problems)?;
    Ok(service)
}

fn read_command(
    section: &Section<'_>,
    base: &Base,
    service: &mut ServiceConfig,
    problems: &mut Vec<ConfigProblem>,
) -> Result<(), ParseFault> {
    // Only what flowgate itself would start needs a command.
    let needs_command = service.enabled && service.managed;
    let path = section.path_of("command");
    let Some(command) = section.section("command")? else {
        if needs_command {
            return Err(ParseFault::at(
                section.position(),
                format!("{path} must be provided"),
            ));
        }
        return Ok(());
    };
    command.note_unknown(&["args", "cwd"], problems);
    if let Some(cwd) = command.field("cwd") {
        service.cwd = Some(cwd.file(base)?);
    }
    let sentence = "must be a non-empty string list";
    let Some(args) = command.field("args") else {
        if needs_command {
            return Err(ParseFault::at(
                command.position(),
                format!("{path}.args {sentence}"),
            ));
        }
        return Ok(());
    };
    let fields = args.texts(sentence)?;
    service.args = fields
        .iter()
        .filter_map(|arg| arg.node.scalar_text())
        .collect();
    if service
        .args
        .first()
        .is_none_or(|program| program.trim().is_empty())
    {
        return Err(args.fault(sentence));
    }
    Ok(())
}

fn management_auto(field: &Field<'_>) -> Result<bool, ParseFault> {
    match field.node.as_text() {
        Some("auto") => Ok(true),
        // YAML 1.1 and JSON users write `off` as a boolean.
        _ => match field.flag() {
            Ok(false) => Ok(false),
            _ => Err(field.fault("must be auto or off")),
        },
    }
}

fn environment(env: &Section<'_>) -> Result<BTreeMap<String, SecretString>, ParseFault> {
    env.fields()
        .map(|(key, field)| match field.node.scalar_text() {
            Some(text) => Ok((key.text.clone(), SecretString::from(text))),
            None => Err(field.fault("must be a string")),
        })
        .collect()
}

/// Whether flowgate renders the config of this LiteLLM.
///
/// # Errors
/// When `enabled` or `managed` is no boolean.
pub fn is_rendered(litellm: &Section<'_>) -> Result<bool, ParseFault> {
    let is_on = |key| match litellm.field(key) {
        Some(field) => field.flag(),
        None => Ok(true),
    };
    Ok(is_on("enabled")? && is_on("managed")? && litellm.field("config_file").is_none())
}

/// The one service of `config_version: 3`: its arguments are derived, its host and port stand in
/// its own config file and are filled in by [`super::load`].
///
/// # Errors
/// When `config_file` is missing or no path.
pub fn of_version_3(
    section: &Section<'_>,
    paths: &ConfigPaths,
    base: &Base,
    problems: &mut Vec<ConfigProblem>,
) -> Result<ServiceConfig, ParseFault> {
    section.note_unknown(&["config_file"], problems);
    let Some(config_file) = section.field("config_file") else {
        return Err(ParseFault::at(
            section.position(),
            "cliproxyapi_plus is missing required keys: config_file",
        ));
    };
    let config_file = config_file.file(base)?;
    let program = paths.runtime_dir.join("bin/CLIProxyAPIPlus");
    Ok(ServiceConfig {
        entry: "cliproxyapi_plus".into(),
        readiness_path: "/".into(),
        args: vec![
            program.display().to_string(),
            "-config".into(),
            config_file.display().to_string(),
        ],
        cwd: Some(base.folder.clone()),
        config_file: Some(config_file),
        ..ServiceConfig::named("cliproxyapi_plus")
    })
}
