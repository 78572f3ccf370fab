//! Small faithful copies of the outward behaviour of the two programs, for tests and benches.
//!
//! They listen on loopback only, call nobody but loopback, and say what the real programs said when
//! they were run (`facts/real-stack.md`, `facts/litellm.md`, `facts/cliproxyapi.md`);
//! `tests/conformance.rs` holds them to it.

pub mod cliproxyapi;
pub mod console;
pub mod http;
pub mod journal;
pub mod litellm;
pub mod scene;
pub mod server;
pub mod yaml;
