//! Fixes of flowgate's own supervisor and its records.

use crate::fix::{apply, undo};
use crate::gateway::{MASTER_KEY, roots};
use crate::ports::status_with_key;
use crate::process::write;
use crate::supervised::{Supervised, is_alive};

#[test]
fn a_supervisor_that_is_gone_is_started_and_takes_over_who_runs() {
    let gateway = Supervised::new(&[]);
    assert_eq!(gateway.flowgate(&["service", "start", "all"]).code, 0);
    let pids = ["litellm", "cliproxyapi_plus"].map(|name| gateway.pid(name).unwrap());
    gateway.kill_supervisor();
    let root = "supervisor/gone:supervisor";
    apply(&gateway, root, "start-supervisor:supervisor");
    assert!(is_alive(gateway.supervisor().unwrap()));
    let now = ["litellm", "cliproxyapi_plus"].map(|name| gateway.pid(name).unwrap());
    assert_eq!(now, pids);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
fn a_record_of_a_run_that_is_over_is_removed_and_comes_back_by_undo() {
    let gateway = Supervised::new(&[]);
    let record = gateway.path(".router/runtime/pids/litellm.pid");
    write(&record, "{\"pid\": 999999, \"cmd\": [\"litellm\"]}", 0o644);
    let supervisor = gateway.path(".router/runtime/supervisor/litellm.json");
    let stopped = serde_json::json!({"v": 1, "wanted": "stopped", "state": "stopped", "run": null,
        "restarts": 0, "nextTryAt": null, "lastExit": null});
    write(&supervisor, &stopped.to_string(), 0o600);
    let document = gateway.doctor(&["--fix=safe"]);
    assert_eq!(roots(&document), Vec::<String>::new());
    assert!(!record.exists(), "{document:#}");
    undo(&gateway);
    assert!(record.exists());
}
