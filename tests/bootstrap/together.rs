//! Two at once, and one that is killed.

use std::process::Stdio;
use std::time::Duration;

use crate::gateway::{Gateway, bytes, wait_for};
use crate::packed::{TAG, archive, asset, path_of, program, release};
use crate::server::{Answer, Server};

#[test]
fn the_second_is_told_who_installs_and_a_killed_one_leaves_nothing() {
    let packed = archive(&program("one"));
    let mut answers = release(TAG, &packed);
    answers.insert(path_of(TAG, &asset()), Answer::Stalled(packed.clone(), 50));
    let server = Server::new(answers);
    let gateway = Gateway::new(&server.base());
    let before = gateway.everything();
    let mut first = gateway
        .command(&["bootstrap", "download", "--only", "cliproxyapi"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(
        "the archive to be asked for",
        Duration::from_secs(20),
        || {
            server
                .asked()
                .iter()
                .any(|request| request.contains(".tar.gz"))
        },
    );
    let second = gateway.download(&[]);
    assert_eq!(second.code, 1);
    let wanted = format!(
        "bootstrap failed: another flowgate installs at this moment (pid {}",
        first.id()
    );
    assert!(second.err.starts_with(&wanted), "{}", second.err);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(gateway.everything(), before);

    // What was killed is simply called again.
    let file = gateway.path("x.tar.gz");
    crate::gateway::write(&file, &packed);
    assert_eq!(gateway.download(&["--archive", "x.tar.gz"]).code, 0);
    assert_eq!(bytes(&gateway.program()), program("one"));
}
