//! Bytes as hexadecimal digits, and words made of random ones.

use std::fmt::Write;

/// Two lower-case digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A text takes every byte.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A word of twelve digits that no other run has. Without randomness it is all zeros, and says less.
pub fn random_id() -> String {
    let mut bytes = [0; 6];
    let _ = getrandom::fill(&mut bytes);
    hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_two_digits() {
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
        assert_eq!(random_id().len(), 12);
    }
}
