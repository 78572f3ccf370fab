//! A fault that needs a user who is not root, or a network of its own: the test runs itself there.

use crate::situation::Place;

/// The user and group of nobody, whom modes and low ports hold back.
const NOBODY: &str = "65534";

/// Proves one situation in a process of its own. An ordinary user cannot make a network; where the
/// kernel lets him make none the situation is left out, and that is said.
#[expect(clippy::disallowed_methods, reason = "a test runs itself as a process")]
pub fn prove(name: &str, way: &str, place: Place) {
    let is_root = rustix::process::geteuid().is_root();
    let mut words = vec!["unshare", "--net"];
    if !is_root {
        words.push("--map-root-user");
    }
    if !is_root && !can_run(&words) {
        println!("left out, no network of its own can be made here: {name}");
        return;
    }
    let user = format!("--reuid={NOBODY}");
    let group = format!("--regid={NOBODY}");
    // The loopback of a new network is down, and only root can raise it.
    words.extend(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
    if is_root && place == Place::OrdinaryUser {
        words.extend(["setpriv", &user, &group, "--clear-groups"]);
    }
    let own = std::env::current_exe().unwrap();
    let output = std::process::Command::new(words[0])
        .args(&words[1..])
        .arg(own)
        .args([
            "--exact",
            "harm::one_fault_elsewhere",
            "--ignored",
            "--nocapture",
        ])
        .env("REPAIR_SITUATION", name)
        .env("REPAIR_WAY", way)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("1 passed"), "{said}{errors}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test asks what the kernel allows"
)]
fn can_run(words: &[&str]) -> bool {
    std::process::Command::new(words[0])
        .args(&words[1..])
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
}
