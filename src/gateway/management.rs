//! Management keys that are proven right before they are ever sent.
//!
//! Five wrong or missing keys ban an address for 30 minutes (`facts/cliproxyapi.md` 3.4), so a key
//! is compared with what the program compares it with: the stored bcrypt hash, or the
//! `MANAGEMENT_PASSWORD` of the running process.

pub mod answers;
pub mod client;

use secrecy::{ExposeSecret, SecretString};

use crate::sys::hash::is_bcrypt;

/// The highest bcrypt cost that is tried; the program itself writes cost 10, each step doubles.
const HIGHEST_COST: u32 = 12;

/// Longest key that bcrypt compares whole; the program refuses longer ones at its start.
const LONGEST_KEY: usize = 72;

/// A management key that the running service will accept; made by [`confirm_hash`] and
/// [`confirm_equal`] alone.
#[derive(Debug, Clone)]
pub struct ConfirmedKey(SecretString);

impl ConfirmedKey {
    pub(super) fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// What came of comparing a key.
#[derive(Debug, Clone)]
pub enum Comparison {
    /// It is the key.
    Confirmed(ConfirmedKey),
    /// It is not.
    Different,
    /// It could not be compared, with the reason as a fragment.
    Unknown(String),
}

/// Compares a key with `remote-management.secret-key` as it stands in the file: a hash, or the
/// plain text that the program could not replace (a read-only file).
///
/// Takes 0.1 s of CPU for a hash of cost 10: call it where it may block.
pub fn confirm_hash(key: &SecretString, stored: &SecretString) -> Comparison {
    let (text, stored) = (key.expose_secret(), stored.expose_secret());
    if !is_sendable(text) {
        return Comparison::Different;
    }
    if !is_bcrypt(stored) {
        return verdict(!stored.is_empty() && stored == text, key);
    }
    let Some(cost) = stored.get(4..6).and_then(|cost| cost.parse::<u32>().ok()) else {
        return Comparison::Unknown("stored hash is damaged".into());
    };
    if cost > HIGHEST_COST {
        return Comparison::Unknown(format!(
            "stored hash has cost {cost}, which takes too long to try"
        ));
    }
    if text.len() > LONGEST_KEY {
        return Comparison::Different;
    }
    match bcrypt::verify(text, stored) {
        Ok(is_right) => verdict(is_right, key),
        Err(_) => Comparison::Unknown("stored hash is damaged".into()),
    }
}

/// Compares a key with the `MANAGEMENT_PASSWORD` of the running service, which the program trims.
pub fn confirm_equal(key: &SecretString, password: &SecretString) -> Comparison {
    let (text, password) = (key.expose_secret(), password.expose_secret().trim());
    verdict(is_sendable(text) && text == password, key)
}

fn verdict(is_right: bool, key: &SecretString) -> Comparison {
    if is_right {
        Comparison::Confirmed(ConfirmedKey(key.clone()))
    } else {
        Comparison::Different
    }
}

/// Whether a key can stand in a header.
fn is_sendable(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `lab-mgmt-secret-0001`, as the real program hashed it.
    const STORED: &str = "$2a$10$SrqNE1hZNHV0EAVAy2y9Ju7g0Rvt3wEGD19itflIdz13imt/TcQMa";

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn the_hash_of_the_real_program_confirms_its_key_alone() {
        assert!(matches!(
            confirm_hash(&secret("lab-mgmt-secret-0001"), &secret(STORED)),
            Comparison::Confirmed(_)
        ));
        assert!(matches!(
            confirm_hash(&secret("lab-wrong"), &secret(STORED)),
            Comparison::Different
        ));
    }

    #[test]
    fn the_stored_hash_itself_is_no_key() {
        assert!(matches!(
            confirm_hash(&secret(STORED), &secret(STORED)),
            Comparison::Different
        ));
    }

    #[test]
    fn plain_texts_and_passwords_are_compared_whole() {
        assert!(matches!(
            confirm_hash(&secret("a-key"), &secret("a-key")),
            Comparison::Confirmed(_)
        ));
        assert!(matches!(
            confirm_equal(&secret("a-key"), &secret(" a-key\n")),
            Comparison::Confirmed(_)
        ));
        for (key, other) in [("", ""), ("a", "b"), ("a\nb", "a\nb")] {
            assert!(matches!(
                confirm_equal(&secret(key), &secret(other)),
                Comparison::Different
            ));
            assert!(matches!(
                confirm_hash(&secret(key), &secret(other)),
                Comparison::Different
            ));
        }
    }

    #[test]
    fn costly_and_damaged_hashes_are_unknown() {
        let costly = STORED.replace("$10$", "$15$");
        for stored in [costly.as_str(), "$2a$10$short", "$2a$xx$abc", "$2a$"] {
            assert!(
                matches!(
                    confirm_hash(&secret("a-key"), &secret(stored)),
                    Comparison::Unknown(_)
                ),
                "{stored}"
            );
        }
    }
}
