//! Modes, owners and reach of the files that hold secrets.

mod dumps;
mod logs;
mod look;
mod tokens;

pub use dumps::has_open_dumps;
pub use logs::{LogPlace, with_secrets};
pub use look::{WantedFile, look};
pub use tokens::{TokenFiles, token_files};
