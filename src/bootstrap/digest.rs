//! SHA-256 of files and texts.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::sys::hex::hex;
use crate::sys::read::{self, ReadError};

/// SHA-256 of bytes, in hex.
pub fn of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of a file, in hex.
///
/// # Errors
/// When it cannot be read.
pub fn of_file(path: &Path) -> Result<String, ReadError> {
    let mut file = read::open_regular(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&digest.finalize()));
        }
        digest.update(&buffer[..count]);
    }
}

/// Whether a text is a SHA-256 in hex.
pub fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
