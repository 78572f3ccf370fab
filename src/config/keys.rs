//! The keys that flowgate keeps: one file each in `secrets` beside the runtime dir.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::sys::hex;
use crate::sys::read::{self, ReadError};
use crate::sys::write::{self, Created, WriteError};

/// What clients send to LiteLLM.
pub const MASTER: &str = "litellm-master.key";
/// What LiteLLM sends to CLIProxyAPIPlus.
pub const UPSTREAM: &str = "upstream.key";
/// What flowgate sends to the management API of CLIProxyAPIPlus.
pub const MANAGEMENT: &str = "management.key";
/// Under which flowgate makes fingerprints, 64 hex digits.
pub const FINGERPRINT: &str = "fingerprint.key";
/// The variables that LiteLLM is started with.
pub const LITELLM_ENV: &str = "litellm.env";

/// A key is far shorter, in bytes.
const LARGEST: u64 = 4096;

/// The folder of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretsDir(PathBuf);

/// Why a key cannot be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Its file cannot be read.
    #[error("failed to read {}: {why}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        why: ReadError,
    },
    /// Its file holds no key.
    #[error("failed to read {}: it holds no key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Its file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The system gives no random bytes.
    #[error("failed to make a key: {0}")]
    Random(getrandom::Error),
}

impl SecretsDir {
    /// The one that belongs to a runtime dir.
    pub fn beside(runtime_dir: &Path) -> Self {
        Self(
            runtime_dir
                .parent()
                .unwrap_or(Path::new("/"))
                .join("secrets"),
        )
    }

    /// The file of a key.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A key; none when it is not kept.
    ///
    /// # Errors
    /// [`KeyError`], when its file is there and cannot be read, or holds none.
    pub fn read(&self, name: &str) -> Result<Option<SecretString>, KeyError> {
        let path = self.path(name);
        let bytes = match read::whole(&path, LARGEST) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing) => return Ok(None),
            Err(why) => return Err(KeyError::Read { path, why }),
        };
        match std::str::from_utf8(&bytes).map(str::trim) {
            Ok(key) if is_one_word(key) => Ok(Some(SecretString::from(key))),
            _ => Err(KeyError::NoKey { path }),
        }
    }

    /// The kept key, or a new one that is kept from now on. Of two that do this at once both get
    /// the same.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn ensure(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<SecretString, KeyError>,
    ) -> Result<(SecretString, Created), KeyError> {
        if let Some(kept) = self.read(name)? {
            return Ok((kept, Created::Kept));
        }
        let path = self.path(name);
        let created = write::create_new_secret(&path, make()?.expose_secret().as_bytes())?;
        match self.read(name)? {
            Some(key) => Ok((key, created)),
            None => Err(KeyError::NoKey { path }),
        }
    }
}

/// A random key of the form that LiteLLM wants: `sk-` and 48 hex digits.
///
/// # Errors
/// [`KeyError::Random`].
pub fn random_api_key() -> Result<SecretString, KeyError> {
    Ok(SecretString::from(format!("sk-{}", hex::<24>()?)))
}

/// 64 random hex digits.
///
/// # Errors
/// [`KeyError::Random`].
pub fn random_hex() -> Result<SecretString, KeyError> {
    Ok(SecretString::from(hex::<32>()?))
}

fn hex<const BYTES: usize>() -> Result<String, KeyError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(KeyError::Random)?;
    Ok(hex::hex(&bytes))
}

/// A key goes into a header and into a variable.
fn is_one_word(key: &str) -> bool {
    !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = SecretsDir::beside(&folder.path().join(".router/runtime"));
        assert!(secrets.read(UPSTREAM).unwrap().is_none());
        let (first, made) = secrets.ensure(UPSTREAM, random_api_key).unwrap();
        let (again, kept) = secrets.ensure(UPSTREAM, random_api_key).unwrap();
        assert_eq!((made, kept), (Created::Written, Created::Kept));
        assert_eq!(first.expose_secret(), again.expose_secret());
        assert!(first.expose_secret().starts_with("sk-") && first.expose_secret().len() == 51);
        assert_eq!(
            secrets.path(UPSTREAM),
            folder.path().join(".router/secrets/upstream.key")
        );
    }

    #[test]
    fn a_file_without_a_key_is_never_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = SecretsDir::beside(&folder.path().join("runtime"));
        for content in ["", "\n", "two words", "a\nb"] {
            write::replace(
                &secrets.path(MASTER),
                content.as_bytes(),
                write::Modes::SECRET,
                None,
            )
            .unwrap();
            let error = secrets.ensure(MASTER, random_api_key).unwrap_err();
            assert!(error.to_string().ends_with("it holds no key"), "{error}");
        }
    }
}
