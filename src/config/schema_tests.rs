use std::time::Duration;

use flowgate_checks::model::{ProblemKind, ServiceKind};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::config::document::Rules;

/// A small valid config; the tests change single lines of it.
const SMALL: &str = "\
config_version: 2
paths:
  runtime_dir: ../.router/runtime
  active_config: ../.router/runtime/litellm.active.yaml
  state_file: ../.router/runtime/state.json
  log_file: ~/events.log
services:
  litellm:
    host: 127.0.0.1
    port: 4000
    command: {cwd: .., args: [bin/litellm, --port, 4000]}
  cliproxyapi_plus:
    port: 8317
    readiness_path: /
    command: {args: [bin/CLIProxyAPIPlus]}
litellm_base: {model_list: []}
profiles: {balanced: {}}
";

type Outcome = Result<(FlowgateConfig, Vec<ConfigProblem>), ParseFault>;

fn read(text: &str) -> Outcome {
    let document = Document::parse(text, Rules::default())?;
    let base = Base {
        folder: "/gw/config".into(),
        home: Some("/home/ana".into()),
    };
    let mut problems = Vec::new();
    let config = FlowgateConfig::read(&document, &base, &mut problems)?;
    Ok((config, problems))
}

fn config(text: &str) -> FlowgateConfig {
    read(text).map_err(|fault| fault.to_string()).unwrap().0
}

fn problems(text: &str) -> Vec<String> {
    let (_, problems) = read(text).map_err(|fault| fault.to_string()).unwrap();
    problems
        .iter()
        .map(|problem| {
            let line = problem.position.line;
            let kind = match &problem.kind {
                ProblemKind::UnknownKey { suggestion } => format!("unknown {suggestion:?}"),
                ProblemKind::LegacyKey { instead } => format!("legacy {instead}"),
                ProblemKind::DuplicateKey { .. } => "duplicate".into(),
            };
            format!("{line} {} {kind}", problem.entry)
        })
        .collect()
}

fn fault(text: &str) -> String {
    let fault = read(text).err().unwrap();
    let at = fault.position.unwrap();
    format!("{}:{}: {}", at.line, at.column, fault.message)
}

fn with(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replacen(from, to, 1)
}

#[test]
fn defaults_are_filled_in_and_paths_hang_on_the_folder_of_the_file() {
    let config = config(SMALL);
    assert_eq!(config.version, 2);
    assert_eq!(config.paths.runtime_dir, Path::new("/gw/.router/runtime"));
    assert_eq!(config.paths.log_file, Path::new("/home/ana/events.log"));
    let names: Vec<&str> = config
        .services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert_eq!(names, ["litellm", "cliproxyapi_plus"]);
    let litellm = config.service("litellm").unwrap();
    assert_eq!(litellm.kind, ServiceKind::Litellm);
    assert_eq!(litellm.args, ["bin/litellm", "--port", "4000"]);
    assert_eq!(litellm.cwd.as_deref(), Some(Path::new("/gw")));
    assert_eq!(litellm.readiness_path, "/v1/models");
    assert_eq!(litellm.ready_timeout, Duration::from_secs(120));
    let proxy = config.service("cliproxyapi_plus").unwrap();
    assert_eq!((proxy.host.as_str(), proxy.port), ("127.0.0.1", Some(8317)));
    assert_eq!(proxy.ready_timeout, Duration::from_secs(30));
    assert_eq!(proxy.stop_timeout, Duration::from_secs(10));
    assert!(proxy.enabled && proxy.managed && !proxy.management_auto && proxy.cwd.is_none());
    assert!(problems(SMALL).is_empty());
}

#[test]
fn every_key_of_a_service_is_read() {
    let text = with(
        "    port: 8317\n",
        "    port: \"8317\"\n    enabled: yes\n    managed: false\n    unit: proxy.service\n    container: c1\n    \
         env: {A: 1, B: x}\n    env_file: .env\n    ready_timeout: 2m\n    stop_timeout: 3\n    \
         management: auto\n    config_file: ../c.yaml\n    host: '[::1]'\n",
    );
    let config = config(&text);
    let proxy = config.service("cliproxyapi_plus").unwrap();
    assert_eq!((proxy.host.as_str(), proxy.port), ("::1", Some(8317)));
    assert!(proxy.enabled && !proxy.managed && proxy.management_auto);
    assert_eq!(proxy.unit.as_deref(), Some("proxy.service"));
    assert_eq!(proxy.container.as_deref(), Some("c1"));
    assert_eq!(proxy.env["A"].expose_secret(), "1");
    assert_eq!(
        proxy.env_file.as_deref(),
        Some(Path::new("/gw/config/.env"))
    );
    assert_eq!(proxy.config_file.as_deref(), Some(Path::new("/gw/c.yaml")));
    assert_eq!(proxy.ready_timeout, Duration::from_secs(120));
    assert_eq!(proxy.stop_timeout, Duration::from_secs(3));
}

#[test]
fn the_other_sections_are_read() {
    let text = format!(
        "{SMALL}\
auth:
  providers:
    codex: {{auth_url_endpoint: http://h/a, status_endpoint: http://h/s}}
secret_files: [../a.json, /b.json]
integration: {{default_model: router-default}}
bootstrap: {{cliproxyapi: {{version: v1}}, litellm: {{requirements: r.txt}}}}
credentials: {{upstream: {{main: {{file: k}}, other: {{env: KEY}}}}}}
"
    );
    let config = config(&text);
    let codex = &config.providers["codex"];
    assert_eq!(codex.method, "oauth_poll");
    assert_eq!(codex.entry, "auth.providers.codex");
    assert_eq!(codex.status_endpoint.as_deref(), Some("http://h/s"));
    assert_eq!(
        config.secret_files,
        [Path::new("/gw/a.json"), Path::new("/b.json")]
    );
    assert_eq!(
        config.integration.default_model.as_deref(),
        Some("router-default")
    );
    assert_eq!(config.bootstrap.version.as_deref(), Some("v1"));
    assert_eq!(
        config.upstream["main"],
        UpstreamCredential::File("/gw/config/k".into())
    );
    assert_eq!(
        config.upstream["other"],
        UpstreamCredential::Environment("KEY".into())
    );
    assert!(problems(&text).is_empty());
}

#[test]
fn legacy_forms_are_read_and_noted() {
    let text = with(
        "cliproxyapi_plus:\n    port: 8317\n    readiness_path",
        "cliproxyapi:\n    port: 8317\n    health_path",
    )
    .replace("config_version: 2", "config_version: 1")
        + "secrets: [a]\noauth: {codex: {status_endpoint: http://h/s}}\n";
    let config = config(&text);
    let proxy = config.service("cliproxyapi_plus").unwrap();
    assert_eq!(
        (proxy.port, proxy.readiness_path.as_str()),
        (Some(8317), "/")
    );
    assert_eq!(proxy.entry, "services.cliproxyapi");
    assert_eq!(config.secret_files, [Path::new("/gw/config/a")]);
    assert_eq!(config.providers["codex"].entry, "oauth.codex");
    assert_eq!(
        problems(&text),
        [
            "12 services.cliproxyapi legacy services.cliproxyapi_plus",
            "14 services.cliproxyapi.health_path legacy services.cliproxyapi.readiness_path",
            "19 oauth legacy auth.providers",
            "18 secrets legacy secret_files",
        ]
    );
    // The newer name wins where both are there.
    let both = format!("{text}auth: {{}}\nsecret_files: [b]\n");
    let config = self::config(&both);
    assert!(config.providers.is_empty());
    assert_eq!(config.secret_files, [Path::new("/gw/config/b")]);
}

#[test]
fn unknown_keys_are_noted_with_what_was_meant_and_stop_nothing() {
    let text = with(
        "    port: 4000\n",
        "    port: 4000\n    readines_path: /x\n    _comment: hi\n",
    ) + "integrations: {}\nauth: {provider: {}}\n_comment_top: x\n";
    assert_eq!(
        problems(&text),
        [
            "20 integrations unknown Some(\"integration\")",
            "11 services.litellm.readines_path unknown Some(\"readiness_path\")",
            "21 auth.provider unknown Some(\"providers\")",
        ]
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_in_the_originals_words() {
    for (text, told) in [
        (
            String::new(),
            "1:1: Top-level config must be a mapping/object.",
        ),
        (
            "- a".into(),
            "1:1: Top-level config must be a mapping/object.",
        ),
        (
            "services: {}".into(),
            "1:1: Missing required top-level keys: litellm_base, paths, profiles",
        ),
        (
            with("config_version: 2", "config_version: 7"),
            "1:17: Unsupported config_version=7; supported versions: 1, 2, 3",
        ),
        (
            with("config_version: 2", "config_version: two"),
            "1:17: config_version must be an integer",
        ),
        (
            with("  log_file: ~/events.log\n", ""),
            "3:3: paths is missing required keys: log_file",
        ),
        (
            with("~/events.log", "7"),
            "6:13: paths.log_file must be a non-empty string",
        ),
        (
            with("    port: 4000", "    port: 70000"),
            "10:11: services.litellm.port must be a whole number from 1 to 65535",
        ),
        (
            with("    port: 4000", "    port: 0"),
            "10:11: services.litellm.port must be a whole number from 1 to 65535",
        ),
        (
            with("    port: 4000", "    port: four"),
            "10:11: services.litellm.port must be a whole number from 1 to 65535",
        ),
        (
            with("host: 127.0.0.1", "host: ''"),
            "9:11: services.litellm.host must be a non-empty string",
        ),
        (
            with("args: [bin/litellm, --port, 4000]", "args: []"),
            "11:30: services.litellm.command.args must be a non-empty string list",
        ),
        (
            with("args: [bin/litellm, --port, 4000]", "args: [[a]]"),
            "11:31: services.litellm.command.args must be a non-empty string list",
        ),
        (
            with("    command: {args: [bin/CLIProxyAPIPlus]}\n", ""),
            "13:5: services.cliproxyapi_plus.command must be provided",
        ),
        (
            with("  cliproxyapi_plus:", "  other:"),
            "8:3: services is missing required keys: cliproxyapi_plus",
        ),
        (
            with("profiles: {balanced: {}}", "profiles: {}"),
            "17:11: profiles must not be empty",
        ),
        (
            with("profiles: {balanced: {}}", "profiles: {balanced: 1}"),
            "17:22: profiles.balanced must be a mapping/object",
        ),
        (
            with("litellm_base: {model_list: []}", "litellm_base: text"),
            "16:15: litellm_base must be a mapping/object",
        ),
        (
            format!("{SMALL}secret_files: a.json"),
            "18:15: secret_files must be a list of string paths",
        ),
        (
            with("    port: 8317", "    management: maybe"),
            "13:17: services.cliproxyapi_plus.management must be auto or off",
        ),
    ] {
        assert_eq!(fault(&text), told);
    }
}

#[test]
fn spellings_of_a_port_are_read_as_the_gateway_reads_them() {
    for (spelled, port) in [
        ("\"4000\"", Some(4000)),
        ("04000", Some(2048)),
        ("4_000", Some(4000)),
        ("0xfa0", Some(4000)),
        ("~", None),
    ] {
        let config = config(&with("    port: 4000", &format!("    port: {spelled}")));
        assert_eq!(config.service("litellm").unwrap().port, port, "{spelled}");
    }
}

#[test]
fn litellms_part_is_not_asked_for_when_flowgate_does_not_render_it() {
    let bare = SMALL.replace(
        "litellm_base: {model_list: []}\nprofiles: {balanced: {}}\n",
        "",
    );
    assert!(read(&bare).is_err());
    for line in ["managed: false", "enabled: off", "config_file: x.yaml"] {
        let text = bare.replacen("    host: 127.0.0.1\n", &format!("    {line}\n"), 1);
        assert!(read(&text).is_ok(), "{line}");
    }
}

#[test]
fn version_3_has_one_service_whose_arguments_are_derived() {
    let text = "config_version: 3\npaths: {runtime_dir: ../r, log_file: ../r/e.log}\n\
                cliproxyapi_plus: {config_file: cli.yaml}\nsecret_files: []\n";
    let config = config(text);
    assert_eq!(config.services.len(), 1);
    let proxy = &config.services[0];
    assert_eq!(
        proxy.args,
        [
            "/gw/r/bin/CLIProxyAPIPlus",
            "-config",
            "/gw/config/cli.yaml"
        ]
    );
    assert_eq!(proxy.entry, "cliproxyapi_plus");
    assert_eq!(config.paths.state_file, Path::new("/gw/r/state.json"));
    assert!(problems(text).is_empty());
}

#[test]
fn the_assumed_config_is_the_template() {
    let config = FlowgateConfig::assumed(Path::new("/gw"));
    assert_eq!(
        config.paths.active_config,
        Path::new("/gw/.router/runtime/litellm.active.yaml")
    );
    assert_eq!(config.service("litellm").unwrap().port, Some(4000));
    assert_eq!(config.service("cliproxyapi_plus").unwrap().port, Some(8317));
}

/// What can be compared of a config.
fn shape(config: &FlowgateConfig) -> String {
    let services: Vec<String> = config
        .services
        .iter()
        .map(|service| {
            format!(
                "{} {} {:?} {} {:?} {:?} {:?}",
                service.name,
                service.host,
                service.port,
                service.readiness_path,
                service.args,
                service.cwd,
                service.ready_timeout
            )
        })
        .collect();
    format!(
        "{:?} {services:?} {:?} {:?}",
        config.paths, config.providers, config.secret_files
    )
}

proptest! {
    #[test]
    fn yaml_and_the_same_as_json_read_alike(
        port in 1u16.., host in "[a-z0-9.]{1,12}", arg in "[ -~]{1,20}", timeout in 1u32..1000
    ) {
        let tree = serde_json::json!({
            "paths": {"runtime_dir": "r", "active_config": "a", "state_file": "s", "log_file": "l"},
            "services": {
                "litellm": {"host": host, "port": port, "ready_timeout": timeout,
                    "command": {"args": ["p", arg]}},
                "cliproxyapi_plus": {"port": port, "command": {"args": ["q"], "cwd": ".."}}
            },
            "litellm_base": {}, "profiles": {"p": {}}, "secret_files": [host]
        });
        let json = tree.to_string();
        let pretty = serde_json::to_string_pretty(&tree).unwrap();
        let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let yaml = format!(
            "paths:\n  runtime_dir: r\n  active_config: a\n  state_file: s\n  log_file: l\n\
             services:\n  cliproxyapi_plus:\n    port: {port}\n    command:\n      args: [q]\n      cwd: ..\n  \
             litellm:\n    host: {}\n    port: {port}\n    ready_timeout: {timeout}\n    command:\n      args:\n      \
             - p\n      - {}\nlitellm_base: {{}}\nprofiles:\n  p: {{}}\nsecret_files:\n- {}\n",
            quote(&host), quote(&arg), quote(&host)
        );
        let shapes: Vec<Result<String, String>> = [json, pretty, yaml]
            .iter()
            .map(|text| read(text).map(|(config, _)| shape(&config)).map_err(|fault| fault.message))
            .collect();
        prop_assert_eq!(&shapes[0], &shapes[1]);
        prop_assert_eq!(&shapes[0], &shapes[2]);
    }

    #[test]
    fn any_tree_reads_or_is_refused_without_a_panic(text in "(config_version|paths|services|litellm|port|command|args|auth|profiles|host|env|[:\\-\\[\\]{}, \n~1a]){0,40}") {
        let _ = read(&text);
    }
}
