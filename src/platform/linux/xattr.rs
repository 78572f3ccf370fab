//! Access control lists, from extended attributes.

use std::path::Path;

const NAMED_USER: u16 = 0x02;
const NAMED_GROUP: u16 = 0x08;
const MASK: u16 = 0x10;

/// Whether an ACL of the file (or, for a directory, its default ACL) grants something to a named
/// user or group. `path` is no symlink. None when the file system could not be asked.
pub fn has_acl(path: &Path) -> Option<bool> {
    let mut granted = false;
    for name in ["system.posix_acl_access", "system.posix_acl_default"] {
        let mut buffer = vec![0u8; 4096];
        match rustix::fs::lgetxattr(path, name, buffer.as_mut_slice()) {
            Ok(len) => granted |= grants(buffer.get(..len).unwrap_or_default()),
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP) => {}
            // An ACL that does not fit into the buffer has hundreds of entries.
            Err(rustix::io::Errno::RANGE) => granted = true,
            Err(_) => return None,
        }
    }
    Some(granted)
}

/// The attribute: a version (2) of four bytes, then entries of tag, permissions and id,
/// two, two and four bytes, little-endian. The mask limits what named entries grant.
fn grants(attribute: &[u8]) -> bool {
    let Some((version, entries)) = attribute.split_first_chunk::<4>() else {
        return false;
    };
    if u32::from_le_bytes(*version) != 2 {
        return false;
    }
    let entries: Vec<(u16, u16)> = entries
        .chunks_exact(8)
        .map(|entry| {
            (
                u16::from_le_bytes([entry[0], entry[1]]),
                u16::from_le_bytes([entry[2], entry[3]]),
            )
        })
        .collect();
    let mask = entries
        .iter()
        .find(|(tag, _)| *tag == MASK)
        .map_or(0o7, |(_, permissions)| *permissions);
    entries.iter().any(|(tag, permissions)| {
        (*tag == NAMED_USER || *tag == NAMED_GROUP) && permissions & mask & 0o7 != 0
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = 2u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(permissions.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn only_a_named_entry_that_the_mask_lets_through_grants() {
        let owner = (0x01, 6, u32::MAX);
        assert!(!grants(&acl(&[
            owner,
            (0x04, 4, u32::MAX),
            (0x20, 0, u32::MAX)
        ])));
        assert!(grants(&acl(&[
            owner,
            (NAMED_USER, 4, 1001),
            (MASK, 4, u32::MAX)
        ])));
        assert!(!grants(&acl(&[
            owner,
            (NAMED_USER, 4, 1001),
            (MASK, 0, u32::MAX)
        ])));
        assert!(grants(&acl(&[
            owner,
            (NAMED_GROUP, 6, 50),
            (MASK, 4, u32::MAX)
        ])));
    }

    #[test]
    fn an_acl_of_a_real_file_is_seen() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(has_acl(file.path()), Some(false));
        let entries = acl(&[
            (0x01, 6, u32::MAX),
            (NAMED_USER, 4, 1001),
            (0x04, 0, u32::MAX),
            (MASK, 4, u32::MAX),
            (0x20, 0, u32::MAX),
        ]);
        let flags = rustix::fs::XattrFlags::empty();
        match rustix::fs::setxattr(file.path(), "system.posix_acl_access", &entries, flags) {
            Ok(()) => assert_eq!(has_acl(file.path()), Some(true)),
            // A file system without ACLs has none to see.
            Err(error) => assert_eq!(error, rustix::io::Errno::OPNOTSUPP),
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            grants(&bytes);
        }
    }
}
