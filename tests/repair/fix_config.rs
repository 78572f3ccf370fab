//! Fixes of flowgate.yaml and of what runs beside it.

use crate::state::{differences, state};
use crate::supervised::Supervised;

const FLOWGATE_YAML: &str = "config/flowgate.yaml";

#[test]
fn a_port_behind_an_alias_is_left_to_a_person() {
    let gateway = Supervised::new(&[]);
    let port = format!("    port: {}\n", gateway.litellm);
    gateway.edit(FLOWGATE_YAML, &port, "    port: *port\n");
    let head = format!(
        "config_version: 2\n_comment_port: &port {}\n",
        gateway.litellm
    );
    gateway.edit(FLOWGATE_YAML, "config_version: 2\n", &head);
    let mut stranger = crate::stranger::Stranger::on(gateway.litellm);
    gateway.flowgate(&["service", "start", "all"]);
    let before = state(&gateway.path("."));
    let document = gateway.doctor(&["--fix=move-port:litellm", "--yes"]);
    let key = "port-conflict/foreign-listener:litellm";
    let fixes = &crate::gateway::finding(&document, key)["fixes"];
    assert_eq!(fixes[1]["id"], "move-port");
    assert_eq!(fixes[1]["safety"], "manual");
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new());
    assert!(stranger.is_well());
}
