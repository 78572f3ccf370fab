//! Primitives, each once.

pub mod fingerprint;
pub mod place;
pub mod read;
pub mod redact;
