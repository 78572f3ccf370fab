//! The questions on a real terminal: what is seen before the answer, and what the answer does.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::crash::{FIX, with_stranger};
use crate::gateway::{FLOWGATE, Gateway, PLANTED};
use crate::state::{differences, state};

/// Runs flowgate on a terminal of its own, with this typed; none where nothing makes one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn typed(gateway: &Gateway, args: &str, answer: &str) -> Option<String> {
    let mut child = Command::new("script")
        .args(["-qec", &format!("{FLOWGATE} {args}"), "/dev/null"])
        .current_dir(gateway.path("."))
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child
        .stdin
        .take()
        .unwrap()
        .write_all(answer.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_person_sees_what_why_and_the_diff_and_a_no_changes_nothing() {
    let (gateway, mut stranger) = with_stranger();
    let before = state(&gateway.path("."));
    let args = format!("doctor --fix={FIX}");
    let Some(said) = typed(&gateway, &args, "n\n") else {
        return;
    };
    for part in [
        "why",
        "change",
        "+++ b/config/flowgate.yaml",
        "apply it? [y/N]",
        "it was declined",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for secret in PLANTED {
        assert!(!said.contains(secret), "{said}");
    }
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );

    let said = typed(&gateway, &args, "y\n").unwrap();
    assert!(said.contains("run 1 kept"), "{said}");
    assert!(!differences(&before, &state(&gateway.path("."))).is_empty());
    assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert!(stranger.is_well());
}
