//! Faults of section 4 that need no download.

use crate::gateway::FLOWGATE;
use crate::oracle::{is_mode, proxy_serves};
use crate::process::write;
use crate::situation::Situation;
use crate::stage::Stage;

const PROGRAM: &str = ".router/runtime/bin/litellm";

pub const ALL: &[Situation] = &[
    Situation::safe(
        "a program without its execute bit",
        "missing-binaries/not-executable:litellm",
        "set-mode",
        not_executable,
        |stage| is_mode(stage, PROGRAM, 0o740) && can_be_executed(stage),
    ),
    Situation::asked(
        "a program that has another name",
        "missing-binaries/not-found:cliproxyapi_plus",
        "use-found",
        other_name,
        proxy_serves,
    ),
];

/// The program as a file of its own, which hands over to the stand-in.
fn not_executable() -> Stage {
    let stage = Stage::stopped();
    let program = stage.gateway.path(PROGRAM);
    std::fs::remove_file(&program).unwrap();
    let script = format!("#!/bin/sh\nexec {FLOWGATE} \"$@\"\n");
    // Nothing runs: a supervisor would see the repair, and start it by itself.
    write(&program, &script, 0o640);
    stage
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn can_be_executed(stage: &Stage) -> bool {
    std::process::Command::new(stage.gateway.path(PROGRAM))
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn other_name() -> Stage {
    let stage = Stage::stopped();
    let bin = stage.gateway.path(".router/runtime/bin");
    let (from, to) = ("CLIProxyAPIPlus", "cli-proxy-api-plus");
    rustix::fs::rename(bin.join(from), bin.join(to)).unwrap();
    stage.start();
    stage
}
