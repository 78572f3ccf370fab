//! Bundles: a snapshot in a file, to be diagnosed elsewhere.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flowgate_checks::model::{SNAPSHOT_SCHEMA_VERSION, Snapshot};
use thiserror::Error;

use super::left_out::LeftOut;
use crate::sys::read::{self, ReadError};

/// Bytes of a bundle at most, unpacked; a real one has about 100 KB.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Why a bundle could not be read or written.
#[derive(Debug, Error)]
pub enum BundleError {
    /// It cannot be read.
    #[error("failed to read bundle {path}: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: ReadError,
    },
    /// It is no bundle.
    #[error(
        "failed to read bundle {path}: line {line} column {column}: {why}; expected what `flowgate doctor --bundle` writes"
    )]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
    /// It is not the gzip stream that its bytes promise.
    #[error("failed to unpack bundle {path}: {why}")]
    Unpack {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It comes from a newer flowgate.
    #[error(
        "failed to read bundle {path}: it has version {found}, this flowgate reads up to {SNAPSHOT_SCHEMA_VERSION}"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// It cannot be written.
    #[error("failed to write bundle {path}: {why}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
}

/// Reads a bundle, gzip or not, by its bytes.
///
/// # Errors
/// [`BundleError`], naming the file and, where it has one, the place.
pub fn read(path: &Path) -> Result<Snapshot, BundleError> {
    let bytes = read::whole(path, LIMIT).map_err(|why| BundleError::Read {
        path: path.into(),
        why,
    })?;
    let text = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpack(path, &bytes)?
    } else {
        bytes
    };
    let parse = |error: serde_json::Error| BundleError::Parse {
        path: path.into(),
        line: error.line(),
        column: error.column(),
        why: describe(&error),
    };
    let version = serde_json::from_slice::<serde_json::Value>(&text)
        .map_err(parse)?
        .get("schemaVersion")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or_default();
    if version > u64::from(SNAPSHOT_SCHEMA_VERSION) {
        return Err(BundleError::Newer {
            path: path.into(),
            found: version,
        });
    }
    serde_json::from_slice(&text).map_err(parse)
}

fn unpack(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
    let mut text = Vec::new();
    let failed = |why: String| BundleError::Unpack {
        path: path.into(),
        why,
    };
    GzDecoder::new(bytes)
        .take(LIMIT + 1)
        .read_to_end(&mut text)
        .map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > LIMIT {
        return Err(failed(format!("larger than {LIMIT} bytes")));
    }
    Ok(text)
}

/// What is wrong, without the position, which is said apart.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(what, _)| what.to_owned())
}

/// Writes a bundle that only this user can read; gzip when the name ends in `.gz`.
/// An existing file is never overwritten. Gives what is not in it.
///
/// # Errors
/// [`BundleError::Write`].
pub fn write(path: &Path, snapshot: &Snapshot) -> Result<LeftOut, BundleError> {
    let failed = |why: io::Error| BundleError::Write {
        path: path.into(),
        why,
    };
    let left_out = LeftOut::of(snapshot).map_err(|error| failed(error.into()))?;
    let mut text = serde_json::to_vec_pretty(snapshot).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut packed = GzEncoder::new(file, Compression::default());
        packed
            .write_all(&text)
            .and_then(|()| packed.finish())
            .map_err(failed)?;
    } else {
        file.write_all(&text).map_err(failed)?;
    }
    Ok(left_out)
}
