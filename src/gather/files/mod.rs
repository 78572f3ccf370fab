//! Modes, owners and reach of the files that hold secrets.

mod dumps;
mod look;
mod tokens;

pub use dumps::has_open_dumps;
pub use look::{WantedFile, look};
pub use tokens::{TokenFiles, token_files};
