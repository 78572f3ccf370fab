//! Primitives, each once.

pub mod event_log;
pub mod fingerprint;
pub mod links;
pub mod place;
pub mod plain;
pub mod read;
pub mod redact;
pub mod users;
pub mod write;
mod write_error;
