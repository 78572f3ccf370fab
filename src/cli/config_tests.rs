use std::path::Path;

use clap::Parser;

use super::*;

const EXAMPLE: &str = include_str!("../../config/flowgate.example.yaml");

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: ConfigArgs,
}

fn run_on(content: &str, words: &[&str]) -> Outcome {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().canonicalize().unwrap();
    std::fs::create_dir(folder.join("config")).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test prepares its own file")]
    std::fs::write(folder.join("config/flowgate.yaml"), content).unwrap();
    run_in(&folder, words)
}

fn run_in(folder: &Path, words: &[&str]) -> Outcome {
    let cli = Cli::try_parse_from(["flowgate"].iter().chain(words)).unwrap();
    let around = Surroundings {
        cwd: Some(folder.to_owned()),
        uid: rustix::process::geteuid().as_raw(),
        ..Surroundings::default()
    };
    let outcome = execute(&cli.args, &around);
    let hide = |text: String| text.replace(&folder.display().to_string(), "/gw");
    Outcome {
        stdout: hide(outcome.stdout),
        stderr: hide(outcome.stderr),
        code: outcome.code,
    }
}

fn json_of(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn a_sound_config_is_one_line() {
    let outcome = run_on(EXAMPLE, &["check"]);
    assert_eq!(
        outcome.stdout,
        "config/flowgate.yaml: ok, 2 services, 3 profiles\n"
    );
    assert_eq!((outcome.stderr.as_str(), outcome.code), ("", 0));
    let json = json_of(&run_on(EXAMPLE, &["check", "--json"]));
    assert_eq!((&json["ok"], &json["services"]), (&json!(true), &json!(2)));
}

#[test]
fn oddities_are_told_with_their_line_and_stop_nothing() {
    let text = EXAMPLE.replace(
        "    port: 4000\n",
        "    port: 4000\n    readines_path: /\n    port: 4001\n",
    ) + "secrets: []\n";
    let line = 1 + text
        .lines()
        .position(|line| line == "    port: 4000")
        .unwrap();
    let last = text.lines().count();
    let outcome = run_on(&text, &["check"]);
    assert_eq!(
        outcome.stdout,
        format!(
            "config/flowgate.yaml: ok, 2 services, 3 profiles\n\
             config/flowgate.yaml:{}: unknown key services.litellm.readines_path\n\
             config/flowgate.yaml:{}: services.litellm.port stands here and at line {line}; the last one is read\n\
             config/flowgate.yaml:{last}: secrets is the old name of secret_files\n",
            line + 1,
            line + 2,
        )
    );
    assert_eq!(outcome.code, 0);
    let text = EXAMPLE.replace("    readiness_path: /health", "    readines_path: /health");
    let told = run_on(&text, &["check"]).stdout;
    assert!(told.contains("did you mean readiness_path?"), "{told}");
}

#[test]
fn a_broken_config_is_one_sentence_and_exit_2() {
    for command in ["check", "show"] {
        let outcome = run_on(&EXAMPLE.replace("port: 4000", "port: no"), &[command]);
        let line = 1 + EXAMPLE
            .lines()
            .position(|line| line == "    port: 4000")
            .unwrap();
        assert_eq!(
            outcome.stderr.lines().next(),
            Some(
                format!(
                    "Config error: config/flowgate.yaml:{line}:11: services.litellm.port must be a whole number from 1 to 65535"
                )
                .as_str()
            )
        );
        assert_eq!((outcome.stdout.as_str(), outcome.code), ("", 2));
    }
    let outcome = run_on("a: [", &["check", "--json"]);
    let json = json_of(&outcome);
    assert_eq!(json["ok"], json!(false));
    assert!(
        json["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Config error: config/flowgate.yaml:1:")
    );
}

#[test]
fn a_missing_config_keeps_the_originals_words_and_names_what_was_tried() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().canonicalize().unwrap();
    let outcome = run_in(&folder, &["check"]);
    let first = "Config file not found: No such file or directory: '/gw/config/flowgate.yaml'; tried '/gw/flowgate.yaml', ";
    assert!(outcome.stderr.starts_with(first), "{}", outcome.stderr);
    assert_eq!(outcome.code, 2);
}

#[test]
fn every_value_is_shown_with_its_line_or_as_a_default() {
    let text = EXAMPLE.replace("os.environ/LITELLM_MASTER_KEY", "sk-lab-master-0001");
    let outcome = run_on(&text, &["show"]);
    let line_of = |part: &str| 1 + text.lines().position(|line| line.contains(part)).unwrap();
    let place = |part: &str| format!("   config/flowgate.yaml:{}", line_of(part));
    for line in [
        format!("services.litellm.port = 4000{}", place("port: 4000")),
        "services.litellm.ready_timeout = 120 s   default".to_owned(),
        "services.litellm.enabled = true   default".to_owned(),
        format!(
            "services.litellm.command.args[6] = 4000{}",
            place("- \"4000\"")
        ),
        format!(
            "paths.runtime_dir = /gw/.router/runtime{}",
            place("runtime_dir:")
        ),
        format!(
            "integration.fast_model = router-cheap{}",
            place("fast_model:")
        ),
        format!(
            "litellm_base.model_list[0].litellm_params.api_key = os.environ/ROUTER_UPSTREAM_API_KEY{}",
            place("ROUTER_UPSTREAM")
        ),
    ] {
        assert!(
            outcome.stdout.lines().any(|shown| shown == line),
            "{line}\n{}",
            outcome.stdout
        );
    }
    let master = "litellm_base.general_settings.master_key = (secret, fingerprint ";
    assert!(outcome.stdout.contains(master) && !outcome.stdout.contains("sk-lab"));
    let json = run_on(&text, &["show", "--json"]);
    assert!(!json.stdout.contains("sk-lab"));
    let values = json_of(&json)["values"].as_array().unwrap().len();
    assert_eq!(values, outcome.stdout.lines().count());
}

#[test]
fn legacy_names_are_shown_as_what_they_are_read_as() {
    let text = EXAMPLE.replace("  cliproxyapi_plus:", "  cliproxyapi:");
    let shown = run_on(&text, &["show"]).stdout;
    let line = 1 + text
        .lines()
        .position(|line| line.contains("port: 8317"))
        .unwrap();
    let expected = format!("services.cliproxyapi_plus.port = 8317   config/flowgate.yaml:{line}\n");
    assert!(shown.contains(&expected), "{shown}");
}
