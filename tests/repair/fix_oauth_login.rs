//! Fixes of section 2: the oracle is the program's own file, environment or process.

use crate::fix::{apply, has_variable, text, undo};
use crate::gateway::MANAGEMENT_KEY;
use crate::process::read;
use crate::supervised::Supervised;

const FLOWGATE_YAML: &str = "config/flowgate.yaml";
const PROXY_YAML: &str = "config/cliproxyapi.yaml";

fn logged_out() -> Supervised {
    let gateway = Supervised::new(&[]);
    let token = ".router/auths/codex-ana@example.com.json";
    std::fs::remove_file(gateway.path(token)).unwrap();
    gateway
}

fn start(gateway: &Supervised) {
    let said = gateway.flowgate(&["service", "start", "all"]);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_login_path_that_does_not_exist_becomes_the_one_that_does() {
    let gateway = logged_out();
    let right = text(&gateway, FLOWGATE_YAML);
    gateway.edit(
        FLOWGATE_YAML,
        "management/codex-auth-url?is_webui=true",
        "management/oauth/codex/auth-url",
    );
    start(&gateway);
    apply(
        &gateway,
        "oauth-login/wrong-endpoint:codex",
        "set-endpoint:codex",
    );
    assert_eq!(text(&gateway, FLOWGATE_YAML), right);
    undo(&gateway);
    assert!(text(&gateway, FLOWGATE_YAML).contains("oauth/codex/auth-url"));
}

#[test]
fn without_a_management_api_flowgate_brings_its_own_key() {
    let gateway = logged_out();
    let yaml = text(&gateway, PROXY_YAML);
    let line = yaml
        .lines()
        .find(|line| line.contains("secret-key"))
        .unwrap();
    gateway.edit(PROXY_YAML, line, "  secret-key: \"\"");
    start(&gateway);
    let before = text(&gateway, PROXY_YAML);
    let root = "oauth-login/management-disabled:cliproxyapi_plus";
    apply(&gateway, root, "set-management-key:cliproxyapi_plus");
    assert!(text(&gateway, FLOWGATE_YAML).contains("management: auto"));
    assert_eq!(
        text(&gateway, PROXY_YAML),
        before,
        "the file of the program is not touched"
    );
    let pid = gateway.pid("cliproxyapi_plus").unwrap();
    assert!(has_variable(pid, "MANAGEMENT_PASSWORD"));
}

#[test]
fn the_kept_management_key_becomes_the_one_of_the_program() {
    let gateway = logged_out();
    start(&gateway);
    let other = bcrypt::hash("planted-other-management-1", 4).unwrap();
    let yaml = text(&gateway, PROXY_YAML);
    let line = yaml
        .lines()
        .find(|line| line.contains("secret-key"))
        .unwrap();
    gateway.edit(PROXY_YAML, line, &format!("  secret-key: \"{other}\""));
    let root = "oauth-login/management-key-mismatch:cliproxyapi_plus";
    apply(&gateway, root, "set-management-key:cliproxyapi_plus");
    let yaml = read(&gateway.path(PROXY_YAML));
    let written = yaml
        .lines()
        .find_map(|line| line.trim().strip_prefix("secret-key: "))
        .unwrap()
        .trim_matches('"')
        .to_owned();
    let is_it = written == MANAGEMENT_KEY || bcrypt::verify(MANAGEMENT_KEY, &written).unwrap();
    assert!(is_it, "neither the key nor its hash");
}

#[test]
fn a_restart_forgets_a_ban() {
    let gateway = Supervised::new(&[("cliproxyapi_plus", "FLOWGATE_STANDIN_EDITION", "mainline")]);
    std::fs::remove_file(gateway.path(".router/auths/codex-ana@example.com.json")).unwrap();
    start(&gateway);
    let ask = |key: &str| crate::ports::status(gateway.proxy, "/v0/management/auth-files", key);
    for _ in 0..5 {
        assert_eq!(ask("wrong"), 401);
    }
    assert_eq!(ask(MANAGEMENT_KEY), 403, "banned, the right key too");
    let root = "oauth-login/banned:cliproxyapi_plus";
    apply(&gateway, root, "restart:cliproxyapi_plus");
    assert_eq!(ask(MANAGEMENT_KEY), 200);
}
