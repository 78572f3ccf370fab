//! What the metadata of a Python environment says, without running Python.

mod environment;
mod look;
mod packages;
mod site;

pub use environment::{Environment, find};
pub use look::look;
pub use packages::{REQUIRED, declared, normal_name, version_of};
