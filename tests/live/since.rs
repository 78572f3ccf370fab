//! What the doctor knows from the supervisor's memory: when it was last ready, what changed since, and
//! how often it ended.

use serde_json::Value;

use crate::gateway::{MASTER_KEY, effects, finding, roots};
use crate::process::wait_for;
use crate::supervised::Supervised;

const ACTIVE: &str = ".router/runtime/litellm.active.yaml";
const REFUSED: &str = "readiness/master-key-refused:litellm";

#[test]
fn a_service_that_ends_again_and_again_is_told_with_what_changed_since_it_was_ready() {
    let gateway = Supervised::new(&[]);
    let started = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(started.code, 0, "{}{}", started.out, started.err);
    assert_eq!(gateway.doctor(&[])["changes"], Value::Array(vec![]));

    gateway.edit(ACTIVE, MASTER_KEY, "sk-1234");
    let restarted = gateway.flowgate(&["service", "restart", "litellm"]);
    assert_eq!(restarted.code, 1, "{}{}", restarted.out, restarted.err);
    let mut document = gateway.doctor(&[]);
    assert_eq!(roots(&document), [REFUSED]);
    wait_for("the second of its ends", || {
        document = gateway.doctor(&[]);
        effects(&document) == ["readiness/crash-loop:litellm"]
    });
    assert_eq!(roots(&document), [REFUSED]);
    let found = finding(&document, "readiness/crash-loop:litellm").to_string();
    assert!(found.contains("status 3"), "{found}");
    let changes = document["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(
        changes[0]["what"],
        format!("{ACTIVE}: general_settings.master_key")
    );
    assert_eq!(changes[0]["before"], Value::Null);
    assert_eq!(changes[0]["after"], Value::Null, "a secret is not told");
    let text = gateway.flowgate(&["doctor"]).out;
    assert!(text.contains("since  last ready "), "{text}");

    gateway.edit(ACTIVE, "sk-1234", MASTER_KEY);
    wait_for("it to be tried with the corrected file", || {
        let document = gateway.doctor(&[]);
        document["exitCode"] == 0 && document["changes"] == Value::Array(vec![])
    });
}
