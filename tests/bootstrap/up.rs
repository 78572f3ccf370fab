//! `flowgate up` and `down`.

use std::time::{Duration, Instant};

use crate::gateway::{Files, Gateway, bytes, write};
use crate::packed::{TAG, archive, executable, program, release};
use crate::server::Server;

/// A LiteLLM that is there already: the stand-in.
fn put_litellm(gateway: &Gateway) {
    let entry = gateway.path(".router/runtime/bin/litellm");
    let flowgate = crate::gateway::FLOWGATE;
    write(
        &entry,
        format!("#!/bin/sh\nexec '{flowgate}' standin litellm \"$@\"\n"),
    );
    executable(&entry);
}

#[test]
fn up_obtains_starts_and_verifies_and_a_second_one_changes_nothing_within_a_second() {
    let server = Server::new(release(TAG, &archive(&program("one"))));
    let gateway = Gateway::new(&server.base());
    put_litellm(&gateway);
    let said = gateway.run(&["up", "--yes"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(bytes(&gateway.program()), program("one"));
    for word in [
        "litellm=http://127.0.0.1:",
        "key_file=.router/secrets/litellm-master.key",
        "next=",
    ] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    assert!(said.err.contains("one step left: "), "{}", said.err);
    let asked = server.asked().len();

    let before = stable(&gateway);
    let begun = Instant::now();
    let again = gateway.run(&["up"]);
    let took = begun.elapsed();
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);
    assert_eq!(stable(&gateway), before);
    assert_eq!(server.asked().len(), asked);
    // A second on an idle machine; a busy one is given more.
    assert!(took < Duration::from_secs(4), "{took:?}");

    let said = gateway.run(&["down"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = gateway.run(&["status"]);
    assert!(said.out.contains("litellm_running=no"), "{}", said.out);
}

/// All files without the logs and records of what runs.
fn stable(gateway: &Gateway) -> Files {
    let runtime = gateway.path(".router/runtime");
    let moves = ["supervisor", "process-logs", "events.log"].map(|name| runtime.join(name));
    gateway
        .everything()
        .into_iter()
        .filter(|(path, _)| !moves.iter().any(|moves| path.starts_with(moves)))
        .collect()
}

#[test]
fn without_somebody_who_agrees_nothing_is_downloaded_and_the_rest_is_done() {
    let server = Server::new(release(TAG, &archive(&program("one"))));
    let gateway = Gateway::new(&server.base());
    put_litellm(&gateway);
    let said = gateway.run(&["up"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.err
            .contains("cliproxyapi_plus is missing, and nobody agreed to a download"),
        "{}",
        said.err
    );
    assert!(said.err.contains("up --yes"), "{}", said.err);
    assert_eq!(server.asked().len(), 0);
    assert!(!gateway.program().exists());
    assert!(
        said.out.contains("litellm:started pid="),
        "{}{}",
        said.out,
        said.err
    );
}

#[test]
fn a_machine_that_cannot_reach_the_release_is_told_what_to_fetch_and_takes_it_then() {
    let gateway = Gateway::new("http://127.0.0.1:9");
    gateway.add(&format!(
        "    version: {TAG}\n    sha256: {}\n",
        "ab".repeat(32)
    ));
    put_litellm(&gateway);
    let said = gateway.run(&["up", "--yes"]);
    assert_eq!(said.code, 1, "{}", said.out);
    for word in [
        "  asset   CLIProxyAPIPlus_7.2.1-0_linux_",
        "  url     http://127.0.0.1:9/",
        "  sha256  abab",
        "bootstrap download --archive ",
    ] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
    assert!(said.out.contains("litellm:started pid="), "{}", said.out);
}
