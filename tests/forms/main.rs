//! The report in its forms: every form of every scenario agrees, a hostile text stays text, and a
//! run without a report says so in the form that was asked for.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use flowgate::doctor::report_on;
use flowgate::report::{FailOn, Report, Selection};

mod agree;
mod early;
mod hostile;
mod html;
mod junit;
mod plant;
#[path = "../support/scenario.rs"]
mod scenario;

/// The report on a scenario.
fn report(folder: &std::path::Path, fail_on: FailOn) -> Report {
    let snapshot = serde_json::from_value(scenario::whole(folder)).unwrap();
    report_on(
        &snapshot,
        Selection::default(),
        fail_on,
        Vec::new(),
        Duration::from_millis(31),
    )
}
