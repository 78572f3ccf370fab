//! Modes, owners and reach of the files that hold secrets.

mod look;
mod tokens;

pub use look::{WantedFile, look};
pub use tokens::{TokenFiles, token_files};
