//! Primitives, each once.

pub mod access;
pub mod autostart;
pub mod bind;
pub mod content;
pub mod distribution;
pub mod elf;
pub mod event_log;
pub mod fingerprint;
pub mod handle;
pub mod hash;
pub mod hex;
pub mod in_place;
pub mod jwt;
pub mod links;
pub mod lock;
pub mod on_path;
pub mod place;
pub mod plain;
pub mod python;
pub mod read;
pub mod redact;
pub mod rotated;
pub mod users;
pub mod write;
pub mod write_error;
