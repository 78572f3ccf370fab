//! What the documents say is there: links, commands, the runbook, completions and man pages.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
#[path = "../support/committed.rs"]
mod committed;
mod installed;
mod links;
mod pages;
mod runbook;
