//! Runbook section 4 on real files.

use crate::gateway::{Gateway, roots};
use crate::process::write;

/// Replaces the program of CLIProxyAPIPlus and gives the roots.
fn roots_with(program: impl FnOnce(&Gateway)) -> Vec<String> {
    let mut gateway = Gateway::new();
    gateway.start("litellm");
    std::fs::remove_file(gateway.path(".router/runtime/bin/CLIProxyAPIPlus")).unwrap();
    program(&gateway);
    roots(&gateway.doctor(&["--expect", "serving"]))
}

const PROGRAM: &str = ".router/runtime/bin/CLIProxyAPIPlus";

#[test]
fn a_missing_program_is_not_found() {
    assert_eq!(
        roots_with(|_| {}),
        ["missing-binaries/not-found:cliproxyapi_plus"]
    );
}

#[test]
fn a_program_without_its_execute_bit_is_not_executable() {
    let roots = roots_with(|gateway| write(&gateway.path(PROGRAM), "#!/bin/sh\nexit 0\n", 0o644));
    assert_eq!(roots, ["missing-binaries/not-executable:cliproxyapi_plus"]);
}

#[test]
fn a_download_that_is_a_web_page_is_corrupt() {
    let roots = roots_with(|gateway| {
        write(
            &gateway.path(PROGRAM),
            "<!DOCTYPE html><html>Not Found</html>",
            0o755,
        )
    });
    assert_eq!(roots, ["missing-binaries/corrupt:cliproxyapi_plus"]);
}

#[test]
fn a_script_whose_interpreter_is_gone_is_told_from_a_missing_script() {
    let roots = roots_with(|gateway| {
        write(
            &gateway.path(PROGRAM),
            "#!/opt/python3.10-removed/bin/python\n",
            0o755,
        )
    });
    assert_eq!(
        roots,
        ["missing-binaries/broken-interpreter:cliproxyapi_plus"]
    );
}

#[test]
fn a_binary_for_another_machine_is_wrong_architecture() {
    let roots = roots_with(|gateway| {
        // The head of a 64-bit ELF for machine 243 (RISC-V), without sections.
        let mut head = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        head.resize(16, 0);
        head.extend([2, 0, 243, 0, 1, 0, 0, 0]);
        head.resize(64, 0);
        head[52] = 64;
        std::fs::File::create(gateway.path(PROGRAM))
            .and_then(|mut file| std::io::Write::write_all(&mut file, &head))
            .unwrap();
        crate::process::set_mode(&gateway.path(PROGRAM), 0o755);
    });
    assert_eq!(
        roots,
        ["missing-binaries/wrong-architecture:cliproxyapi_plus"]
    );
}
