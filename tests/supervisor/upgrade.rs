//! The supervisor becomes a newer flowgate, and no service notices.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use flowgate::supervisor::client::{Client, ClientError};
use flowgate::supervisor::protocol::{Answer, Command};
use flowgate::supervisor::records::ServiceState;
use flowgate_checks::model::ExitSource;

use crate::house::{FLOWGATE, House, kill, wait_for};

const PROXY: &str = "cliproxyapi_plus";

/// A flowgate that says to be of this version; `more` is done when it is asked.
fn flowgate_of(house: &House, version: &str, more: &str) -> PathBuf {
    house.write(
        "newer",
        &format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then echo flowgate {version}; {more} exit; fi\nexec {FLOWGATE} \"$@\"\n"
        ),
    );
    let program = house.path("newer");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn supervisor(house: &House) -> (u32, String) {
    match house.ask(Command::Status).0.unwrap() {
        Answer::Status { pid, instance, .. } => (pid, instance),
        other => panic!("{other:?}"),
    }
}

fn code(refused: Result<String, ClientError>) -> String {
    match refused {
        Err(ClientError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_upgrade_keeps_the_pids_and_the_children() {
    let house = House::new();
    let proxy = house.start_ready(PROXY);
    let litellm = house.start_ready("litellm");
    let (pid, instance) = supervisor(&house);
    let newer = flowgate_of(&house, "99.0.0", "");
    for _ in 0..3 {
        Client::reexec(&house.runtime, &newer).unwrap();
        assert_eq!(house.status(PROXY).pid, Some(proxy));
        assert_eq!(house.status("litellm").pid, Some(litellm));
    }
    let (now, next) = supervisor(&house);
    assert_eq!(now, pid);
    assert_ne!(next, instance);
    assert_eq!(house.spawns(PROXY) + house.spawns("litellm"), 2);
    kill(proxy);
    wait_for("the next one", || {
        let status = house.status(PROXY);
        status.state == ServiceState::Ready && status.pid != Some(proxy)
    });
    // They are still its children, so nothing is lost of how they end.
    let exit = house.record(PROXY).last_exit.unwrap();
    assert_eq!(
        (exit.signal.as_deref(), exit.source),
        (Some("KILL"), Some(ExitSource::Waited))
    );
}

#[test]
fn what_was_sent_with_a_start_is_there_after_an_upgrade() {
    let house = House::new();
    let active = "model_list: []\ngeneral_settings: {master_key: os.environ/SENT_KEY}\n";
    house.write("active.yaml", active);
    house.start("litellm", &[("SENT_KEY", "sk-of-a-test-0001")]);
    assert_eq!(house.status("litellm").state, ServiceState::Ready);
    house.write("active.yaml", "model_list: [\n");
    let broken = house.status("litellm").pid.unwrap();
    kill(broken);
    wait_for("the crash loop", || {
        house.status("litellm").state == ServiceState::CrashLoop
    });
    let newer = flowgate_of(&house, "99.0.0", "");
    Client::reexec(&house.runtime, &newer).unwrap();
    house.write("active.yaml", active);
    wait_for("litellm with its key", || {
        house.status("litellm").state == ServiceState::Ready
    });
}

#[test]
fn an_upgrade_that_cannot_be_leaves_the_old_one_serving() {
    let house = House::new();
    house.start_ready(PROXY);
    let before = supervisor(&house);
    let same = flowgate_of(&house, env!("CARGO_PKG_VERSION"), "");
    assert_eq!(code(Client::reexec(&house.runtime, &same)), "not-newer");
    let other = flowgate_of(&house, "", "");
    assert_eq!(code(Client::reexec(&house.runtime, &other)), "upgrade");
    let nowhere = house.path("nowhere");
    assert_eq!(code(Client::reexec(&house.runtime, &nowhere)), "upgrade");
    // One that goes between the question and the leap.
    let program = flowgate_of(&house, "99.0.0", "rm \"$0\";");
    let (answer, _) = house.ask(Command::Reexec { program });
    assert_eq!(answer.unwrap(), Answer::Done);
    wait_for("the note of it", || {
        crate::house::read(
            &house
                .runtime
                .join(format!("supervisor/{PROXY}.history.jsonl")),
        )
        .contains("not-upgraded")
    });
    assert_eq!(supervisor(&house), before);
    assert_eq!(house.status(PROXY).state, ServiceState::Ready);
}
