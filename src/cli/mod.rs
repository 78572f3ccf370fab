//! Commands: one command, one file.

pub mod standin;
