//! What flowgate knows of the two programs.

pub mod as_client;
pub mod auth_files;
pub mod classify;
pub mod client;
pub mod cliproxyapi;
pub mod excerpt;
pub mod hosts;
pub mod litellm;
pub mod management;
pub mod requests;
pub mod target;

mod failure;
mod pinned;
mod readiness;
