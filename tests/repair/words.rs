//! What people read: kept, rolled back, planned; who is refused; what is muted.

use std::os::unix::fs::chown;
use std::sync::Arc;

use flowgate::repair::{Offer, Talk};
use flowgate::report::repair::RunState;
use serde_json::json;

use crate::crash::{FIX, with_stranger};
use crate::gateway::{Gateway, PLANTED, roots, token};
use crate::inside::{self, AtLine};
use crate::process::set_mode;
use crate::state::{differences, state};

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";

fn exposed() -> Gateway {
    let gateway = Gateway::running();
    set_mode(&gateway.path(".router/auths"), 0o755);
    let expires = token("2099-01-01T00:00:00Z");
    gateway.write_token("codex-ana@example.com.json", &expires, 0o644);
    gateway
}

#[test]
fn a_kept_repair_says_what_was_and_how_it_is_taken_back() {
    let gateway = exposed();
    let only = format!("--fix=set-mode:{TOKEN}");
    let said = gateway.flowgate(&["doctor", &only]);
    let lines: Vec<&str> = said.out.lines().collect();
    let fixed = format!("ok fixed  chmod 600 {TOKEN} (was 644)");
    assert!(lines.contains(&fixed.as_str()), "{}", said.out);
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("run 1 kept; exit 0; take back: "),
        "{last}"
    );
    assert!(last.contains("doctor undo 1"), "{last}");
    assert_eq!(said.code, 0);
    let runs = gateway.flowgate(&["doctor", "runs"]);
    assert!(
        runs.out.contains("kept") && runs.out.contains("chmod 600"),
        "{}",
        runs.out
    );
    let one = gateway.flowgate(&["doctor", "runs", "1"]);
    assert!(
        one.out.contains("set-mode") && one.out.contains("undo: exact"),
        "{}",
        one.out
    );
    let undo = gateway.flowgate(&["doctor", "undo", "1"]);
    assert!(undo.out.contains("1 mode restored"), "{}", undo.out);
    assert_eq!(
        gateway.flowgate(&["doctor", "undo", "1"]).code,
        1,
        "it is taken back once"
    );
    assert_eq!(gateway.flowgate(&["doctor", "undo", "99"]).code, 1);
}

/// Somebody who answers each question in the same way.
struct Person {
    answer: bool,
    heard: Vec<Offer>,
}

impl Talk for Person {
    fn can_answer(&self) -> bool {
        true
    }

    fn agrees(&mut self, offers: &[Offer]) -> bool {
        self.heard.extend(offers.iter().cloned());
        self.answer
    }

    fn note(&mut self, _: &str) {}
}

#[test]
fn what_is_not_safe_is_asked_for_with_what_why_and_the_diff() {
    let (gateway, _stranger) = with_stranger();
    let config = gateway.path("config/flowgate.yaml");
    let before = state(&gateway.path("."));
    let ask = |answer| {
        let mut person = Person {
            answer,
            heard: Vec::new(),
        };
        let quiet: AtLine = Arc::new(|_, _| Ok(()));
        let report = inside::run_with(&config, FIX, quiet, &mut person).unwrap();
        (report.repair.unwrap(), person.heard)
    };
    let (repair, heard) = ask(false);
    assert_eq!(heard.len(), 1);
    let Offer { what, why, diff } = &heard[0];
    assert!(what.contains("config/cliproxyapi.yaml"), "{what}");
    assert!(why.contains(&gateway.proxy.to_string()), "{why}");
    assert!(diff.contains("+++ b/config/flowgate.yaml"), "{diff}");
    for secret in PLANTED {
        assert!(!diff.contains(secret), "{diff}");
    }
    assert_eq!(repair.skipped[0].reason, "it was declined");
    assert!(repair.rounds.is_empty());
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    let (repair, heard) = ask(true);
    assert_eq!(heard.len(), 1);
    assert!(repair.runs().all(|run| run.state == RunState::Kept));
    assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
}

#[test]
fn where_nothing_is_wrong_nothing_is_written() {
    let gateway = Gateway::running();
    let before = state(&gateway.path("."));
    let said = gateway.flowgate(&["doctor", "--fix=all", "--yes"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("nothing to repair"), "{}", said.out);
    assert!(!gateway.path(".router/runtime/doctor").exists());
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
}

#[test]
fn who_does_not_own_the_runtime_dir_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let gateway = exposed();
    chown(gateway.path(".router/runtime"), Some(12_345), Some(12_345)).unwrap();
    let before = state(&gateway.path("."));
    for args in [
        &["doctor", "--fix=safe"][..],
        &["doctor", "undo"],
        &["doctor", "mute", "readiness/slow", "--reason", "x"],
    ] {
        let said = gateway.flowgate(args);
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        assert!(
            said.err.contains("hint: run it as 12345") || said.err.contains("there is none"),
            "{}",
            said.err
        );
    }
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    chown(gateway.path(".router/runtime"), Some(0), Some(0)).unwrap();
}

#[test]
fn a_fix_that_nobody_asks_for_and_a_bundle_are_left_alone() {
    let (gateway, _stranger) = with_stranger();
    let document = gateway.doctor(&["--fix=set-api-base"]);
    assert_eq!(
        document["repair"]["skipped"],
        json!([{"fix": "set-api-base", "reason": "nothing that was found asks for it"}])
    );
    let document = gateway.doctor(&[&format!("--fix={FIX}")]);
    assert_eq!(document["repair"]["skipped"][0]["fix"], FIX);
    gateway.flowgate(&["doctor", "--bundle", "seen.json"]);
    let said = gateway.flowgate(&["doctor", "--from", "seen.json", "--fix"]);
    assert_eq!(said.code, 2, "{}", said.out);
    let said = gateway.flowgate(&["doctor", "--fix=safe", "--fix=all"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(!gateway.path(".router/runtime/doctor").exists());
}

#[test]
fn a_muted_finding_counts_no_more_and_its_effects_neither() {
    let gateway = exposed();
    let key = format!("secret-permissions/file-exposed:{TOKEN}");
    assert_eq!(gateway.flowgate(&["doctor"]).code, 1);
    let said = gateway.flowgate(&["doctor", "mute", &key, "--for", "7d", "--reason", "lab"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let document = gateway.doctor(&[]);
    assert_eq!(document["exitCode"], 0);
    assert_eq!(document["summary"]["error"], 0);
    assert!(document["summary"]["muted"].as_u64().unwrap() >= 1);
    let finding = crate::gateway::finding(&document, &key);
    assert_eq!(finding["muted"]["reason"], "lab");
    let text = gateway.flowgate(&["doctor"]);
    assert!(
        !text.out.contains(TOKEN) && text.out.contains("muted"),
        "{}",
        text.out
    );
    let fixed = gateway.doctor(&[&format!("--fix=set-mode:{TOKEN}")]);
    assert_eq!(
        fixed["repair"]["rounds"],
        json!([]),
        "it is not repaired either"
    );
    gateway.flowgate(&["doctor", "--bundle", "seen.json"]);
    let from = gateway.doctor(&["--from", "seen.json"]);
    assert_eq!(roots(&from), [key.as_str()], "a bundle knows no mutes");
    assert_eq!(from["exitCode"], 1);
    assert_eq!(gateway.flowgate(&["doctor", "unmute", &key]).code, 0);
    assert_eq!(gateway.flowgate(&["doctor"]).code, 1);
    assert_eq!(gateway.flowgate(&["doctor", "unmute", &key]).code, 1);
    assert_eq!(
        gateway
            .flowgate(&["doctor", "mute", "readiness/slwo", "--reason", "x"])
            .code,
        2
    );
}
