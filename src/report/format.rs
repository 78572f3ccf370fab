//! The forms in which a report is printed.

use clap::ValueEnum;

/// Form of a report; each is made from the same value, and the exit code is the same in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document.
    Json,
    /// For a page: one HTML file that loads nothing.
    Html,
    /// For CI: one JUnit testsuite.
    Junit,
}
