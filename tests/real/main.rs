//! Faults of LiteLLM as installed from its package: each is made for real, under flowgate's own
//! supervisor in a temp dir, and the doctor must name its cause first.
//!
//! `FLOWGATE_REAL_LITELLM` names the Python environment that holds it (`.ci/run` prepares one).
//! Without it nothing runs, and that is said. One LiteLLM runs at a time, whatever the arguments;
//! `cargo test --test real -- NAME` runs the cases whose name contains NAME.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking; this one has no harness and speaks for itself"
)]

use std::process::ExitCode;

mod by_hand;
mod case;
mod configs;
mod environments;
mod files;
mod keys;
mod network;
mod package;
mod ports;
mod programs;
mod running;
mod stage;
mod upstreams;

#[path = "../live/gateway.rs"]
#[expect(dead_code, reason = "shared with tests/live, which needs more of it")]
mod gateway;
#[path = "../live/process.rs"]
mod process;
#[path = "../live/report.rs"]
mod report;
#[path = "../live/supervised.rs"]
#[expect(dead_code, reason = "shared with tests/live, which needs more of it")]
mod supervised;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let cases = [
        ports::CASES,
        keys::CASES,
        configs::CASES,
        programs::CASES,
        environments::CASES,
        upstreams::CASES,
        running::CASES,
        files::CASES,
    ]
    .concat();
    if std::env::args().any(|arg| arg == "--list") {
        for case in &cases {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let Some(package) = package::named() else {
        eprintln!(
            "\nNOT RUN: {} cases with the real LiteLLM. {} names no Python environment with it; \
             .ci/run prepares one.\n",
            cases.len(),
            package::VARIABLE
        );
        return ExitCode::SUCCESS;
    };
    let network = network::enter();
    case::run_all(&cases, &wanted, &package, network)
}
