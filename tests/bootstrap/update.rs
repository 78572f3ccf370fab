//! A newer version has to get ready once before the old one goes.

use crate::gateway::{Gateway, bytes};
use crate::packed::{TAG, archive, program, release};
use crate::server::Server;

const NEWER: &str = "v7.2.2-0";

/// A gateway with [`TAG`] installed, whose newest release holds this.
fn gateway_before(newer: &[u8]) -> (Server, Gateway) {
    let mut answers = release(TAG, &archive(&program("one")));
    answers.extend(release(NEWER, &archive(newer)));
    let server = Server::new(answers);
    let gateway = Gateway::new(&server.base());
    let said = gateway.download(&["--cliproxy-version", TAG]);
    assert_eq!(said.code, 0, "{}", said.err);
    (server, gateway)
}

const UPDATE: [&str; 4] = ["bootstrap", "update", "--only", "cliproxyapi"];

#[test]
fn nothing_is_replaced_until_somebody_agrees() {
    let (_server, gateway) = gateway_before(&program("two"));
    let before = gateway.everything();
    let said = gateway.run(&UPDATE);
    let line = format!("cliproxyapi_plus:update_available current={TAG} latest={NEWER}\n");
    assert_eq!((said.code, said.out), (2, line), "{}", said.err);
    assert_eq!(gateway.everything(), before);
}

#[test]
fn a_newer_version_that_gets_ready_stays_and_the_old_one_goes() {
    let (_server, gateway) = gateway_before(&program("two"));
    let said = gateway.run(&[&UPDATE[..], &["--yes"]].concat());
    let line = format!("cliproxyapi_plus:updated version={NEWER}\n");
    assert_eq!((said.code, said.out), (0, line), "{}", said.err);
    assert_eq!(bytes(&gateway.program()), program("two"));
    assert_eq!(gateway.manifest()["cliproxyapiPlus"]["version"], NEWER);
    assert!(
        !gateway
            .path(".router/runtime/bootstrap/CLIProxyAPIPlus.previous")
            .exists()
    );
    let again = gateway.run(&UPDATE);
    let line = format!("cliproxyapi_plus:up_to_date current={NEWER}\n");
    assert_eq!((again.code, again.out), (0, line), "{}", again.err);
}

#[test]
fn a_newer_version_that_does_not_get_ready_gives_way_to_the_old_one() {
    let (_server, gateway) = gateway_before(b"#!/bin/sh\nexit 3\n");
    let said = gateway.run(&["service", "start", "cliproxyapi_plus"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let said = gateway.run(&[&UPDATE[..], &["--yes"]].concat());
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
    assert!(
        said.err.contains("did not get ready") && said.err.contains("the old one is back"),
        "{}",
        said.err
    );
    assert_eq!(bytes(&gateway.program()), program("one"));
    assert_eq!(gateway.manifest()["cliproxyapiPlus"]["version"], TAG);
    let said = gateway.run(&["bootstrap", "verify"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let said = gateway.run(&["status"]);
    assert!(
        said.out.contains("cliproxyapi_plus_running=yes"),
        "{}",
        said.out
    );
}
