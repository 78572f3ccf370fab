//! A fault that needs a user who is not root, or a network of its own: the test runs itself there.

use std::net::SocketAddr;

use crate::oracle::value_of;
use crate::process::read;
use crate::situation::Place;
use crate::stranger::{answer_everybody, serve_everybody};

/// The user and group of nobody, whom modes and low ports hold back.
const NOBODY: &str = "65534";
/// Makes a root without the files by which a container is known, of all folders of this one.
const WITHOUT_MARKS: &str = "mount -t tmpfs none /mnt && \
    for entry in /*; do \
        if [ -L $entry ]; then cp -P $entry /mnt$entry; \
        elif [ -d $entry ]; then \
            mkdir /mnt$entry && { [ $entry = /mnt ] || mount --rbind $entry /mnt$entry; }; \
        fi; \
    done";
/// A port that a server of root holds, in a network where nobody else is.
pub const HELD: u16 = 47_000;

/// Proves one situation in a process and a network of its own, where no other test takes its ports.
/// An ordinary user cannot everywhere make a network: then false is returned for a situation that needs
/// none, and the others are left out, which is said.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test runs itself as a process, or says that it did not"
)]
pub fn prove(name: &str, way: &str, place: Place) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let mut words = vec!["unshare", "--net", "--mount"];
    if !is_root {
        words.push("--map-root-user");
    }
    // Who is an ordinary user himself needs nothing around him; as the root of a network of his own
    // modes would not hold him back.
    if !is_root && place == Place::OrdinaryUser {
        return false;
    }
    if !is_root && !can_run(&words) {
        if place != Place::Anywhere {
            println!("left out, no network of its own can be made here: {name}");
        }
        return place != Place::Anywhere;
    }
    if !is_root && place == Place::BesideRoot {
        println!("left out, only root has both users: {name}");
        return true;
    }
    let user = format!("--reuid={NOBODY} --regid={NOBODY} --clear-groups");
    let server = command("a_server_at_a_port", &[("REPAIR_PORT", &HELD.to_string())]);
    // The loopback of a new network is down, and only root can raise it.
    let script = match (place, is_root) {
        (Place::BesideRoot, _) => format!(
            "ip link set lo up && {{ {server} & }}\nsetpriv {user} \"$@\"\ncode=$?; kill $!; exit $code"
        ),
        (Place::OrdinaryUser, true) => format!("ip link set lo up && exec setpriv {user} \"$@\""),
        (Place::OutsideContainers, _) => {
            format!("ip link set lo up && {WITHOUT_MARKS} && exec chroot /mnt \"$@\"")
        }
        _ => "ip link set lo up && exec \"$@\"".to_owned(),
    };
    words.extend(["sh", "-c", &script, "sh"]);
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
    true
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

/// The words with which a shell runs one of the ignored tests of this program as a process.
pub fn command(test: &str, env: &[(&str, &str)]) -> String {
    let own = std::env::current_exe().unwrap();
    let env: Vec<String> = env
        .iter()
        .map(|(name, value)| format!("{name}='{value}'"))
        .collect();
    format!(
        "env {} '{}' --exact harm::{test} --ignored",
        env.join(" "),
        own.display()
    )
}

/// Serves at a loopback port until it is ended.
pub fn serve_at_a_port() {
    let port: u16 = std::env::var("REPAIR_PORT").unwrap().parse().unwrap();
    serve_everybody(crate::oracle::local(port));
}

/// Answers as CLIProxyAPIPlus without keys does, at the address of its file.
pub fn serve_to_everybody() {
    let config = read(std::path::Path::new(
        &std::env::var("REPAIR_CONFIG").unwrap(),
    ));
    let address = format!(
        "{}:{}",
        value_of(&config, "host"),
        value_of(&config, "port")
    );
    let address: SocketAddr = address.parse().unwrap();
    answer_everybody(address, |request| match request.split(' ').nth(1) {
        Some("/") => Some(
            "{\"endpoints\":[\"POST /v1/chat/completions\",\"POST /v1/completions\",\"GET /v1/models\"],\"message\":\"CLI Proxy API Server\"}",
        ),
        Some("/v1/models") => {
            Some("{\"data\":[{\"id\":\"gpt-5\",\"object\":\"model\"}],\"object\":\"list\"}")
        }
        _ => None,
    });
}
