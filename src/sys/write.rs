//! The one file writer: a file is there whole, with its mode and owner, or as it was before.
//!
//! Source of the rules: a temporary file beside the target, `fsync`, rename, `fsync` of the
//! folder; mode and owner of the old file are kept; a symlink stays one.

mod append;
mod create;
mod folder;
mod install;
mod replace;
mod sweep;
mod target;
mod temp;

pub use super::write_error::WriteError;
pub use append::append_line;
pub use create::{create, create_new_secret, remove};
pub use folder::create_folder;
pub use install::{install, point, rename};
pub use replace::{Prepared, prepare, replace, replace_soon};
pub use sweep::sweep;

/// The modes of a written file and of the folders made for it, whatever the umask says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Mode of a new file.
    pub file: u32,
    /// Mode of folders that are made for it.
    pub folder: u32,
    /// Whether an existing file that everybody may use is closed to `file`; one that is open to a
    /// group alone stays so, since a umask does not make that.
    pub closes: bool,
}

impl Modes {
    /// A file that everybody may read.
    pub const PLAIN: Self = Self {
        file: 0o644,
        folder: 0o755,
        closes: false,
    };
    /// A file for this user alone, in a folder that others may enter.
    pub const PRIVATE: Self = Self {
        file: 0o600,
        folder: 0o755,
        closes: true,
    };
    /// A secret in a folder of secrets.
    pub const SECRET: Self = Self {
        file: 0o600,
        folder: 0o700,
        closes: true,
    };
}

/// What became of a file that is only written when it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was written.
    Written,
    /// Something is there; it was left alone.
    Kept,
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
