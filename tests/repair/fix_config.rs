//! Fixes of flowgate.yaml and of what runs beside it.

use crate::fix::{apply, has_variable, mode, text, undo};
use crate::fix_readiness::REFUSED;
use crate::gateway::{MASTER_KEY, UPSTREAM_KEY, free_port};
use crate::ports::status_with_key;
use crate::state::{differences, state};
use crate::supervised::Supervised;

const ACTIVE: &str = ".router/runtime/litellm.active.yaml";
const FLOWGATE_YAML: &str = "config/flowgate.yaml";

fn started(env: &[(&str, &str, &str)]) -> Supervised {
    let gateway = Supervised::new(env);
    gateway.flowgate(&["service", "start", "all"]);
    gateway
}

#[test]
fn ports_that_differ_become_one() {
    let gateway = Supervised::new(&[]);
    let other = free_port().to_string();
    let own = format!("port: {}", gateway.proxy);
    gateway.edit("config/cliproxyapi.yaml", &own, &format!("port: {other}"));
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    gateway.flowgate(&["service", "start", "litellm"]);
    let root = "config/port-mismatch:cliproxyapi_plus";
    apply(&gateway, root, "set-port:cliproxyapi_plus");
    assert!(text(&gateway, "config/cliproxyapi.yaml").contains(&own));
    assert_eq!(mode(&gateway, "config/cliproxyapi.yaml"), 0o600);
    assert_eq!(status_with_key(gateway.proxy, UPSTREAM_KEY), 200);
}

#[test]
fn a_port_that_is_not_written_is_added_as_a_line() {
    let gateway = Supervised::new(&[]);
    let own = format!("port: {}\n", gateway.proxy);
    gateway.edit("config/cliproxyapi.yaml", &own, "");
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    gateway.flowgate(&["service", "start", "litellm"]);
    let root = "config/port-mismatch:cliproxyapi_plus";
    apply(&gateway, root, "set-port:cliproxyapi_plus");
    assert!(text(&gateway, "config/cliproxyapi.yaml").contains(&own));
    assert_eq!(status_with_key(gateway.proxy, UPSTREAM_KEY), 200);
}

#[test]
fn a_changed_config_is_read_by_a_restart() {
    let gateway = started(&[]);
    let other = "sk-another-master-key-0001";
    gateway.edit(ACTIVE, MASTER_KEY, other);
    let root = "config/running-config-differs:litellm";
    let pid = gateway.pid("litellm");
    apply(&gateway, root, "restart:litellm");
    assert_ne!(gateway.pid("litellm"), pid);
    assert_eq!(status_with_key(gateway.litellm, other), 200);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), REFUSED);
}

#[test]
fn a_variable_that_takes_the_config_away_is_left_out() {
    let gateway = started(&[("cliproxyapi_plus", "PGSTORE_DSN", "postgres://127.0.0.1/x")]);
    let before = gateway.pid("cliproxyapi_plus").unwrap();
    assert!(has_variable(before, "PGSTORE_DSN"));
    let root = "config/overridden:cliproxyapi_plus";
    apply(&gateway, root, "restart:cliproxyapi_plus");
    assert!(text(&gateway, FLOWGATE_YAML).contains("PGSTORE_DSN: \"\""));
    assert_eq!(status_with_key(gateway.proxy, UPSTREAM_KEY), 200);
}

#[test]
fn a_readiness_path_that_costs_money_becomes_one_that_does_not() {
    let gateway = started(&[]);
    gateway.edit(FLOWGATE_YAML, "/health/readiness", "/health");
    let before = state(&gateway.path("."));
    let root = "config/costly-readiness-path:litellm";
    apply(&gateway, root, "set-readiness-path:litellm");
    assert!(text(&gateway, FLOWGATE_YAML).contains("readiness_path: /health/readiness\n"));
    undo(&gateway);
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new());
}

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
