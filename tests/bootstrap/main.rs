//! Obtaining the two programs: a local release server with everything that goes wrong with releases,
//! and, where a variable asks for it, the real packages.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod download;
mod gateway;
mod packages;
mod packed;
mod refused;
mod server;
mod together;
mod up;
mod update;
