//! Hashes that stand in the place of a secret.

/// Whether a text is a bcrypt hash and not the key itself: `$2a$10$…`
/// (`facts/cliproxyapi.md` 3.1: the program hashes `remote-management.secret-key` in place).
pub fn is_bcrypt(text: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}
