//! Repair on real files and processes: what `--fix` changes, what it proves, and how it is taken back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../live/gateway.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod gateway;
mod modes;
mod ports;
#[path = "../live/process.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod process;
#[path = "../live/report.rs"]
mod report;
mod services;
mod state;
#[path = "../live/supervised.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod supervised;
