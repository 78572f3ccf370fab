//! Flowgate's own keys, made when they are first needed.

use std::path::Path;

use secrecy::SecretString;

use super::places::Places;
use crate::sys::read;
use crate::sys::write::{self, WriteError};

/// A key file is never larger.
const LARGEST: u64 = 4096;

/// The key with which flowgate asks CLIProxyAPIPlus for its state (`management: auto`).
///
/// # Errors
/// [`WriteError`], when there is none and none can be kept.
pub fn management(places: &Places) -> Result<SecretString, WriteError> {
    kept(&places.secrets().join("management.key"))
}

/// Makes the key of the fingerprints where there is none, so that they can be compared over time.
///
/// # Errors
/// [`WriteError`], when none can be kept.
pub fn make_fingerprint_key(path: &Path) -> Result<(), WriteError> {
    if path.exists() {
        return Ok(());
    }
    write::create_new_secret(path, random(path)?.as_bytes()).map(drop)
}

/// The key in a file; a new one of 64 hex digits, mode 0600 in a folder of mode 0700, when it is not
/// there.
fn kept(path: &Path) -> Result<SecretString, WriteError> {
    write::create_new_secret(path, random(path)?.as_bytes())?;
    let bytes = read::whole(path, LARGEST).map_err(|error| WriteError::Io {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(SecretString::from(text.trim()))
}

fn random(path: &Path) -> Result<String, WriteError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| WriteError::Io {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new(&dir.path().join("runtime"));
        let first = management(&places).unwrap();
        assert_eq!(first.expose_secret().len(), 64);
        let again = management(&places).unwrap();
        assert_eq!(first.expose_secret(), again.expose_secret());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&places.secrets()), 0o700);
        assert_eq!(mode(&places.secrets().join("management.key")), 0o600);
    }
}
