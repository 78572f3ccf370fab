//! Repair on real files and processes: what `--fix` changes, what it proves, and how it is taken back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod asked;
#[path = "../fixes/catalogue.rs"]
#[expect(dead_code, reason = "the tests of all scenarios need more of it")]
mod catalogue;
mod covered;
mod crash;
mod disk;
mod elsewhere;
mod fix;
mod fix_config;
mod fix_port_conflict;
mod fix_readiness;
mod fix_secret_permissions;
#[path = "../live/gateway.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod gateway;
mod harm;
mod inside;
mod modes;
mod oracle;
mod ports;
#[path = "../live/process.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod process;
mod races;
mod renewed;
#[path = "../live/report.rs"]
mod report;
mod rotate;
mod services;
mod situation;
mod situations;
mod stage;
mod state;
mod stranger;
#[path = "../live/supervised.rs"]
#[expect(dead_code, reason = "the live tests need more of it")]
mod supervised;
mod template_keys;
mod terminal;
mod uncovered;
mod words;
