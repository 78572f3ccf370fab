//! A profile that is set while LiteLLM runs.

use std::process::{Command, Output};

use flowgate::supervisor::records::ServiceState;

use crate::house::{FLOWGATE, House, is_alive, read};

const LITELLM: &str = "litellm";

/// Two profiles under which LiteLLM starts, and one whose master key it refuses.
fn house() -> House {
    let house = House::new();
    let text = read(&house.config());
    let profiles = "profiles:
  first: {general_settings: {master_key: sk-of-a-test}}
  second: {general_settings: {master_key: sk-of-a-test}, litellm_settings: {num_retries: 3}}
  refused: {general_settings: {master_key: sk-1234}}
";
    house.write(
        "config/flowgate.yaml",
        &text.replace("profiles: {p: {}}\n", profiles),
    );
    house
}

#[expect(clippy::disallowed_methods, reason = "a test starts what it tests")]
fn set(house: &House, profile: &str) -> Output {
    Command::new(FLOWGATE)
        .arg("--config")
        .arg(house.config())
        .args(["profile", "set", profile])
        .output()
        .unwrap()
}

#[test]
fn litellm_is_restarted_under_a_new_profile() {
    let house = house();
    assert_eq!(set(&house, "first").status.code(), Some(0));
    let before = house.start_ready(LITELLM);
    let said = set(&house, "second");
    let out = String::from_utf8(said.stdout).unwrap();
    let err = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(0), "{out}{err}");
    let now = house.status(LITELLM).pid.unwrap();
    assert!(now != before && !is_alive(before));
    assert_eq!(
        out,
        format!(
            "profile=second\nactive_config={}\nstate_file={}\nlitellm:restarted pid={now}\n",
            house.path("active.yaml").display(),
            house.path("state.json").display()
        )
    );
    assert_eq!(house.events("profile_switch"), ["success", "success"]);
}

#[test]
fn a_profile_under_which_litellm_does_not_come_up_is_taken_back() {
    let house = house();
    assert_eq!(set(&house, "first").status.code(), Some(0));
    house.start_ready(LITELLM);
    let files = ["active.yaml", "state.json"].map(|name| read(&house.path(name)));
    let said = set(&house, "refused");
    let err = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{err}");
    assert_eq!(said.stdout, b"", "{err}");
    assert!(
        err.contains("litellm:restart-failed reason=") && err.contains("master key"),
        "{err}"
    );
    assert!(
        err.contains("not ready under profile refused: profile first is active again"),
        "{err}"
    );
    let now = ["active.yaml", "state.json"].map(|name| read(&house.path(name)));
    assert_eq!(files, now);
    assert_eq!(house.status(LITELLM).state, ServiceState::Ready);
    assert_eq!(house.events("profile_switch"), ["success", "failed"]);
}
