//! Words that a reader of YAML 1.1, such as LiteLLM's, takes for something else than text.

/// Booleans, numbers to the base of 60 and others, dates, marks, and nothing.
pub const MISREAD: [&str; 23] = [
    "yes",
    "no",
    "No",
    "on",
    "off",
    "OFF",
    "12:30",
    "190:20:30",
    "1_000",
    "1_0.5",
    "2026-11-23",
    "<<",
    "=",
    "null",
    "~",
    "1e3",
    "010",
    "0x1f",
    "0o14",
    "1.5",
    "True",
    "",
    "y",
];
