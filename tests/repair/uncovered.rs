//! What a repair uncovers is the next round, not a reason to take it back.

use serde_json::{Value, json};

use crate::gateway::{MASTER_KEY, roots};
use crate::ports::status_with_key;
use crate::supervised::{Supervised, is_alive, send};

/// Both services dead, and a key of which nobody can see that it is wrong.
fn two_faults_one_behind_the_other() -> Supervised {
    let gateway = Supervised::new(&[]);
    let kept = gateway.path(".router/secrets/litellm-master.key");
    crate::process::write(&kept, "sk-another-key-00000000", 0o600);
    assert_eq!(gateway.flowgate(&["service", "start", "all"]).code, 0);
    let pids: Vec<u32> = ["litellm", "cliproxyapi_plus"]
        .iter()
        .map(|service| gateway.pid(service).unwrap())
        .collect();
    gateway.kill_supervisor();
    for pid in &pids {
        send(*pid, rustix::process::Signal::KILL);
        crate::process::wait_for("the service to end", || !is_alive(*pid));
    }
    gateway
}

fn states(document: &Value) -> Vec<(String, String)> {
    let rounds = document["repair"]["rounds"].as_array().unwrap();
    let runs = rounds
        .iter()
        .flat_map(|round| round["runs"].as_array().unwrap());
    runs.map(|run| {
        let word = |key: &str| run[key].as_str().unwrap().to_owned();
        (word("root"), word("state"))
    })
    .collect()
}

#[test]
fn the_next_fault_is_shown_and_the_first_repair_is_kept() {
    let gateway = two_faults_one_behind_the_other();
    let document = gateway.doctor(&["--fix=safe"]);
    assert!(
        states(&document).iter().all(|(_, state)| state == "kept"),
        "{:#}",
        document["repair"]
    );
    let key = "readiness/client-key-rejected:litellm";
    assert_eq!(roots(&document), [key]);
    assert_eq!(document["repair"]["uncovered"], json!([key]));
    assert_eq!(document["exitCode"], 1);
    let said = gateway.flowgate(&["doctor", "--fix=safe"]);
    assert!(said.out.contains("exit 1"), "{}", said.out);
}

#[test]
fn the_next_fault_is_mended_in_the_next_round_of_the_same_group() {
    let gateway = two_faults_one_behind_the_other();
    let document = gateway.doctor(&["--fix=all", "--yes"]);
    assert!(document["repair"]["rounds"].as_array().unwrap().len() >= 2);
    assert!(states(&document).iter().all(|(_, state)| state == "kept"));
    assert_eq!(roots(&document), Vec::<String>::new());
    assert_eq!(document["exitCode"], 0);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}
