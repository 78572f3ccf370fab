//! Commands: one command, one file.
