//! Fingerprints: equality of secrets shows, their value does not.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::hex::hex;
use super::read;

/// Makes fingerprints: HMAC-SHA-256 under a key of this machine, 16 hex digits.
///
/// The key never enters a snapshot. A plain hash would not do: short or well-known keys could be
/// guessed from a bundle.
pub struct Fingerprinter {
    key: [u8; 32],
    kept: bool,
}

impl Fingerprinter {
    /// Reads the kept key (64 hex digits), or takes a random one when there is none to read;
    /// plain `doctor` writes nothing, so a random key lasts for this look only.
    pub fn load(path: &Path) -> Self {
        read::whole(path, 4096)
            .ok()
            .and_then(|bytes| Self::of_key(&bytes))
            .unwrap_or_else(Self::random)
    }

    /// Under a key that was kept as 64 hex digits; none where these are something else.
    pub fn of_key(digits: &[u8]) -> Option<Self> {
        parse_key(digits).map(|key| Self { key, kept: true })
    }

    /// A random key that lasts for this look only.
    pub fn random() -> Self {
        let mut key = [0; 32];
        // Without randomness the fingerprints still tell equal from different.
        let _ = getrandom::fill(&mut key);
        Self { key, kept: false }
    }

    /// A given key, for tests and recordings.
    pub fn fixed(key: [u8; 32]) -> Self {
        Self { key, kept: true }
    }

    /// Whether the key is a kept one, so that fingerprints can be compared over time.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// The fingerprint of a secret, 16 hex digits.
    pub fn of(&self, secret: &str) -> String {
        self.of_bytes(secret.as_bytes())
    }

    /// The same of what may not be text.
    pub fn of_bytes(&self, secret: &[u8]) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            // HMAC takes a key of any length.
            return "0000000000000000".into();
        };
        mac.update(secret);
        hex(&mac.finalize().into_bytes()[..8])
    }
}

fn parse_key(bytes: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_have_equal_fingerprints_under_one_key_only() {
        let one = Fingerprinter::fixed([1; 32]);
        let other = Fingerprinter::fixed([2; 32]);
        assert_eq!(one.of("sk-a"), one.of("sk-a"));
        assert_ne!(one.of("sk-a"), one.of("sk-b"));
        assert_ne!(one.of("sk-a"), other.of("sk-a"));
        assert_eq!(one.of("sk-a").len(), 16);
    }
}
