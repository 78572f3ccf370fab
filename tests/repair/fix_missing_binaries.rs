//! Fixes of section 4 that need no download.

use crate::fix::{apply, mode, text};
use crate::gateway::{FLOWGATE, MASTER_KEY, roots};
use crate::ports::status_with_key;
use crate::process::{set_mode, write};
use crate::supervised::Supervised;

const PROGRAM: &str = ".router/runtime/bin/litellm";

/// The program as a file of its own, which hands over to the stand-in.
fn with_a_script() -> Supervised {
    let gateway = Supervised::new(&[]);
    std::fs::remove_file(gateway.path(PROGRAM)).unwrap();
    let script = format!("#!/bin/sh\nexec {FLOWGATE} \"$@\"\n");
    write(&gateway.path(PROGRAM), &script, 0o755);
    gateway
}

#[test]
fn a_program_without_its_execute_bit_gets_that_of_its_owner() {
    let gateway = with_a_script();
    set_mode(&gateway.path(PROGRAM), 0o640);
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    gateway.flowgate(&["service", "start", "litellm"]);
    let document = gateway.doctor(&["--fix=safe"]);
    assert_eq!(mode(&gateway, PROGRAM), 0o740);
    assert_eq!(roots(&document), Vec::<String>::new(), "{document:#}");
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test puts a file where it is looked for"
)]
fn a_program_under_another_name_is_named() {
    let gateway = Supervised::new(&[]);
    let bin = gateway.path(".router/runtime/bin");
    std::fs::rename(bin.join("CLIProxyAPIPlus"), bin.join("cli-proxy-api-plus")).unwrap();
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    gateway.flowgate(&["service", "start", "litellm"]);
    let root = "missing-binaries/not-found:cliproxyapi_plus";
    apply(&gateway, root, "use-found:cliproxyapi_plus");
    let named = ".router/runtime/bin/cli-proxy-api-plus";
    assert!(text(&gateway, "config/flowgate.yaml").contains(named));
    assert!(gateway.pid("cliproxyapi_plus").is_some());
}
