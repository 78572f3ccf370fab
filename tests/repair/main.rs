//! Repair on real files and processes: what `--fix` changes, what it proves, and how it is taken back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod crash;
mod disk;
#[path = "../live/gateway.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod gateway;
mod harm;
mod inside;
mod modes;
mod ports;
#[path = "../live/process.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod process;
mod races;
#[path = "../live/report.rs"]
mod report;
mod services;
mod state;
mod stranger;
#[path = "../live/supervised.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod supervised;
mod uncovered;
