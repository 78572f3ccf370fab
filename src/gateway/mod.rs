//! What flowgate knows of the two programs.

pub mod classify;
pub mod client;
pub mod excerpt;
pub mod failure;
pub mod management;
pub mod pinned;
pub mod requests;
pub mod target;

pub mod cliproxyapi;
pub mod litellm;
