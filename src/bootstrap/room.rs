//! Whether the disk has room, asked before anything is downloaded.

use std::path::Path;

use super::error::{BootstrapError, Reason};

/// Says when fewer than `needed` bytes are free where `folder` lies, or will lie.
///
/// # Errors
/// One sentence. A disk that does not tell has room.
pub fn ensure(folder: &Path, needed: u64, what: &str) -> Result<(), BootstrapError> {
    let facts = folder
        .ancestors()
        .find_map(|folder| rustix::fs::statvfs(folder).ok());
    let Some(facts) = facts else { return Ok(()) };
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    if free >= needed {
        return Ok(());
    }
    Err(BootstrapError::new(
        Reason::Disk,
        format!(
            "{what} needs {} MB and the disk of {} has {} MB left",
            needed.div_ceil(1 << 20),
            folder.display(),
            free >> 20
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_before_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("not/there/yet");
        assert!(ensure(&below, 1, "x").is_ok());
        let error = ensure(&below, u64::MAX, "LiteLLM").unwrap_err();
        assert_eq!(error.reason, Reason::Disk);
        assert!(
            error
                .sentence
                .starts_with("LiteLLM needs 17592186044416 MB"),
            "{error}"
        );
    }
}
