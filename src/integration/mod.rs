//! Clients pointed at the gateway, each in its own config, and put back key by key.
//!
//! [`client`] knows who the clients are and what each is told, [`format`] edits their files, and
//! [`record`] keeps what flowgate set, so that [`change`] can take exactly that back.

pub mod change;
pub mod client;
pub mod format;
pub mod gateway;
mod json;
mod lines;
pub mod look;
pub mod proof;
pub mod record;
mod toml;
