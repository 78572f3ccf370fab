//! `start-service` and its relatives: a service that should run and does not.

use serde_json::Value;

use crate::gateway::roots;
use crate::supervised::{Supervised, is_alive};

#[test]
fn a_service_that_died_with_its_supervisor_is_started_again() {
    let gateway = Supervised::new(&[]);
    assert_eq!(gateway.flowgate(&["service", "start", "all"]).code, 0);
    let litellm = gateway.pid("litellm").unwrap();
    gateway.kill_supervisor();
    crate::supervised::send(litellm, rustix::process::Signal::KILL);
    crate::process::wait_for("litellm to end", || !is_alive(litellm));
    let broken = roots(&gateway.doctor(&[]));
    assert!(!broken.is_empty());

    let document: Value = gateway.doctor(&["--fix=safe"]);

    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert!(gateway.pid("litellm").is_some());
}
