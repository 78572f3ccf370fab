//! `manifest.json` of the runtime dir: what was installed, which version, from where, with which
//! digest, and when.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest;
use super::error::BootstrapError;
use super::places::Places;
use super::program;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Modes};

/// Version of the form.
const VERSION: u32 = 1;

/// A manifest is far smaller, in bytes.
const LARGEST: u64 = 64 << 10;

/// What flowgate installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of this form.
    pub v: u32,
    /// CLIProxyAPIPlus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliproxyapi_plus: Option<InstalledProgram>,
    /// LiteLLM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub litellm: Option<InstalledPackages>,
}

/// CLIProxyAPIPlus as it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledProgram {
    /// The tag of its release, or the name of the archive without its ending.
    pub version: String,
    /// The address of the archive, or its path.
    pub source: String,
    /// `owner/name`; none for an archive of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Name of the archive.
    pub asset: String,
    /// SHA-256 of the archive.
    pub archive_sha256: String,
    /// Whether that digest was known before the archive was there.
    pub verified: bool,
    /// SHA-256 of the program.
    pub sha256: String,
    /// SHA-256 of its first 64 KiB, which tells a damaged copy from another build.
    pub head_sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// The file as it was put in place.
    pub stamp: Stamp,
    /// When.
    pub at: Timestamp,
}

/// LiteLLM as it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledPackages {
    /// Version of LiteLLM.
    pub version: String,
    /// The list that it was installed from: `built in`, or a path.
    pub source: String,
    /// SHA-256 of that list.
    pub requirements_sha256: String,
    /// How many packages there are.
    pub packages: usize,
    /// SHA-256 over the digests that the packages give of their own files.
    pub sha256: String,
    /// Name of its folder in the runtime dir.
    pub environment: String,
    /// The folder before it, until this one was ready once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Box<InstalledPackages>>,
    /// Python, such as `3.11.2`.
    pub python: String,
    /// `uv` or `pip`.
    pub installer: String,
    /// When.
    pub at: Timestamp,
}

/// What the system says of a file; while it stays the same, so does the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// Device.
    pub device: u64,
    /// Inode.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content, in nanoseconds.
    pub modified_ns: i128,
    /// Last change of anything, in nanoseconds.
    pub changed_ns: i128,
}

/// How a program compares with the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The very bytes.
    Same,
    /// It begins like it and goes on in another way: a damaged copy.
    Damaged,
    /// Another build.
    Other,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            v: VERSION,
            cliproxyapi_plus: None,
            litellm: None,
        }
    }
}

impl Manifest {
    /// The manifest of a runtime dir; an empty one where nothing was installed.
    ///
    /// # Errors
    /// A sentence, when it is there and cannot be read.
    pub fn read(places: &Places) -> Result<Self, String> {
        let path = places.manifest();
        let bytes = match read::whole(&path, LARGEST) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing) => return Ok(Self::default()),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(manifest) if manifest.v == VERSION => Ok(manifest),
            Ok(other) => Err(format!("{}: form {} is not known", path.display(), other.v)),
            Err(_) => Err(format!("{}: it is no manifest", path.display())),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, places: &Places) -> Result<(), BootstrapError> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        write::replace(&places.manifest(), &text, Modes::PLAIN, None)?;
        Ok(())
    }
}

impl Stamp {
    /// The stamp of a file, links followed.
    ///
    /// # Errors
    /// As the system says.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let facts = std::fs::metadata(path)?;
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Ok(Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.len(),
            modified_ns: ns(facts.mtime(), facts.mtime_nsec()),
            changed_ns: ns(facts.ctime(), facts.ctime_nsec()),
        })
    }
}

impl InstalledProgram {
    /// Compares a file with what was installed; an untouched one is not read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn compare(&self, path: &Path) -> Result<Likeness, ReadError> {
        if Stamp::of(path)? == self.stamp {
            return Ok(Likeness::Same);
        }
        self.compare_bytes(path)
    }

    /// The same, and every byte is read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn compare_bytes(&self, path: &Path) -> Result<Likeness, ReadError> {
        if digest::of_file(path)? == self.sha256 {
            return Ok(Likeness::Same);
        }
        let head = read::head(path, self.size.min(64 << 10))?;
        Ok(match digest::of(program::head(&head)) == self.head_sha256 {
            true => Likeness::Damaged,
            false => Likeness::Other,
        })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test writes its own files")]
mod tests {
    use super::*;

    fn installed(bytes: &[u8], path: &Path) -> InstalledProgram {
        std::fs::write(path, bytes).unwrap();
        InstalledProgram {
            version: "v1".into(),
            source: "x".into(),
            repository: None,
            asset: "x".into(),
            archive_sha256: digest::of(b""),
            verified: true,
            sha256: digest::of(bytes),
            head_sha256: digest::of(program::head(bytes)),
            size: bytes.len() as u64,
            stamp: Stamp::of(path).unwrap(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_damaged_copy_is_told_from_another_build() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let bytes = vec![7; 100_000];
        let known = installed(&bytes, &path);
        assert_eq!(known.compare(&path).unwrap(), Likeness::Same);
        for (now, likeness) in [
            (vec![7; 70_000], Likeness::Damaged),
            ([vec![7; 99_999], vec![8]].concat(), Likeness::Damaged),
            (vec![8; 100_000], Likeness::Other),
            (Vec::new(), Likeness::Other),
            (bytes, Likeness::Same),
        ] {
            std::fs::write(&path, now).unwrap();
            assert_eq!(known.compare(&path).unwrap(), likeness);
            assert_eq!(known.compare_bytes(&path).unwrap(), likeness);
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_is_written_and_a_broken_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::of(folder.path());
        assert_eq!(Manifest::read(&places).unwrap(), Manifest::default());
        let program = installed(b"x", &folder.path().join("program"));
        let manifest = Manifest {
            cliproxyapi_plus: Some(program),
            ..Manifest::default()
        };
        manifest.write(&places).unwrap();
        assert_eq!(Manifest::read(&places).unwrap(), manifest);
        for broken in ["", "{}", "[]", "{\"v\":2}"] {
            std::fs::write(places.manifest(), broken).unwrap();
            assert!(Manifest::read(&places).is_err(), "{broken}");
        }
    }
}
