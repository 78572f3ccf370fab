//! Writes into a file that is watched by its inode: no other file takes its name, and it is never
//! empty in between (DESIGN section 8).

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::handle::Handle;
use super::write::WriteError;

/// Puts `bytes` in the place of the content, from its first byte on, and cuts off what is left of
/// the old one. The file must hold `expected`, or nothing is done.
///
/// When the disk is full in between, the old content is put back.
///
/// # Errors
/// [`WriteError`].
pub fn overwrite(path: &Path, bytes: &[u8], expected: &[u8]) -> Result<(), WriteError> {
    let said = |error: io::Error| WriteError::io(path, &error);
    let file = Handle::open(path)
        .and_then(|held| held.open_for_writing())
        .map_err(said)?;
    if content(&file, expected.len()).map_err(said)? != expected {
        return Err(WriteError::Changed { path: path.into() });
    }
    let written = write_from_start(&file, bytes);
    if let Err(error) = written {
        // The blocks of the old content are still the file's own.
        write_from_start(&file, expected).map_err(said)?;
        return Err(said(error));
    }
    if content(&file, bytes.len()).map_err(said)? != bytes {
        return Err(WriteError::NotReadBack { path: path.into() });
    }
    Ok(())
}

fn write_from_start(file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, 0)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// The content, and one byte more than expected when there is more.
fn content(mut file: &File, expected: usize) -> io::Result<Vec<u8>> {
    use std::io::{Seek, SeekFrom};
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(expected as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a content is what an [`overwrite`] that was cut short leaves: the beginning of the new
/// text over the old one.
pub fn is_torn(now: &[u8], old: &[u8], new: &[u8]) -> bool {
    let same = now.iter().zip(new).take_while(|(a, b)| a == b).count();
    let is_rest_of_old = |from: usize| old.get(from..).is_some_and(|rest| now[from..] == *rest);
    // The new text whole with a tail of the old one, or a part of it.
    (0..=same)
        .rev()
        .any(|from| is_rest_of_old(from) || (from == now.len() && from > old.len()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes what it looks at")]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_file_stays_the_same_one_and_a_changed_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        std::fs::write(&path, "a: 1\nlong: text\n").unwrap();
        let inode = std::fs::metadata(&path).unwrap().ino();
        overwrite(&path, b"a: 2\n", b"a: 1\nlong: text\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"a: 2\n");
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
        let error = overwrite(&path, b"a: 3\n", b"a: 1\n").unwrap_err();
        assert!(matches!(error, WriteError::Changed { .. }), "{error}");
        let error = overwrite(&path, b"a: 3\n", b"a: ").unwrap_err();
        assert!(matches!(error, WriteError::Changed { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"a: 2\n");
    }

    #[test]
    fn a_write_that_was_cut_short_is_known_as_one() {
        let (old, new) = (
            &b"port: 4000\nhost: x\n"[..],
            &b"port: 40011\nhost: x\n"[..],
        );
        for cut in 0..=new.len() {
            let mut torn = old.to_vec();
            torn.resize(torn.len().max(cut), 0);
            torn[..cut].copy_from_slice(&new[..cut]);
            assert!(is_torn(&torn, old, new), "{cut}");
        }
        let (old, new) = (new, old);
        for cut in 0..=new.len() {
            let mut torn = old.to_vec();
            torn[..cut].copy_from_slice(&new[..cut]);
            assert!(is_torn(&torn, old, new), "{cut}");
        }
        assert!(!is_torn(b"port: 1\n", old, new));
        assert!(!is_torn(b"port: 4000\nhost: y\n", old, new));
    }
}
