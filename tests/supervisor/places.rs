//! Runtime dirs of every kind.

use std::os::unix::fs::{PermissionsExt, chown};

use flowgate::supervisor::client::Client;
use flowgate::supervisor::daemon::{Daemon, DaemonError};

use crate::house::{FLOWGATE, House};

fn refusal(house: &House) -> String {
    let client = Client::ensure_with(FLOWGATE.as_ref(), &house.runtime, &house.config());
    let Err(error) = client else {
        panic!("not refused");
    };
    error.to_string()
}

#[test]
fn a_very_long_runtime_dir_is_served() {
    let long = format!("{}/{}/run", "a".repeat(120), "b".repeat(120));
    let house = House::at(&long).with_supervisor();
    house.start_ready("cliproxyapi_plus");
}

#[test]
fn a_runtime_dir_that_is_a_file_is_refused() {
    let house = House::at("file");
    house.write("file", "");
    assert!(
        refusal(&house).ends_with("file: it is no folder"),
        "{}",
        refusal(&house)
    );
}

#[test]
fn a_runtime_dir_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    let house = House::at("foreign");
    std::fs::create_dir(&house.runtime).unwrap();
    chown(&house.runtime, Some(54_321), None).unwrap();
    let said = refusal(&house);
    assert!(
        said.contains("belongs to 54321; run flowgate as 54321"),
        "{said}"
    );
    assert!(!house.runtime.join("supervisor").exists());
    chown(&house.runtime, Some(0), None).unwrap();
}

#[test]
fn a_runtime_dir_that_cannot_be_written_is_refused() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: no mode keeps root from writing");
        return;
    }
    let house = House::at("closed");
    std::fs::create_dir(&house.runtime).unwrap();
    std::fs::set_permissions(&house.runtime, std::fs::Permissions::from_mode(0o500)).unwrap();
    let said = refusal(&house);
    std::fs::set_permissions(&house.runtime, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert!(said.contains("permission denied"), "{said}");
}

#[test]
fn there_is_one_supervisor_for_a_runtime_dir() {
    let house = House::new();
    let second = Daemon::open(&house.runtime, &house.config());
    let Err(DaemonError::Held { pid: Some(pid), .. }) = second else {
        panic!("a second one");
    };
    assert!(crate::house::is_alive(pid));
}
