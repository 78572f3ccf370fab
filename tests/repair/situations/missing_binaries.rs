//! Faults of section 4 that need no download.

use crate::gateway::FLOWGATE;
use crate::oracle::{litellm_serves, proxy_serves};
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
        litellm_serves,
    )
    .stays(),
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
    write(&program, &script, 0o640);
    stage.start();
    stage
}

fn other_name() -> Stage {
    let stage = Stage::stopped();
    let bin = stage.gateway.path(".router/runtime/bin");
    let (from, to) = ("CLIProxyAPIPlus", "cli-proxy-api-plus");
    rustix::fs::rename(bin.join(from), bin.join(to)).unwrap();
    stage.start();
    stage
}
