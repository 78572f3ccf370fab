//! Obtaining the two programs. The one part of flowgate that leaves this machine, and only when asked.

pub mod archive;
pub mod asset;
pub mod checksums;
pub mod cliproxyapi;
pub mod digest;
pub mod environment;
pub mod error;
pub mod failure;
pub mod fetch;
pub mod litellm;
pub mod manifest;
pub mod places;
pub mod program;
pub mod release;
pub mod room;
pub mod run;
pub mod verify;
pub mod watch;
