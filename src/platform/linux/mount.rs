//! The mounted file systems.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::platform::Mount;
use crate::sys::read;

/// What is mounted, in the order of mounting; empty when it cannot be seen.
pub fn mounts() -> Vec<Mount> {
    let bytes = read::head(Path::new("/proc/self/mountinfo"), 4 * 1024 * 1024).unwrap_or_default();
    parse(&bytes)
}

/// Kinds that never keep modes.
const WITHOUT_MODES: [&str; 5] = ["vfat", "msdos", "exfat", "vboxsf", "drvfs"];

/// A line: `36 35 98:0 /mnt1 /mnt2 rw,noexec shared:1 - ext3 /dev/root rw`; the mount point is the
/// fifth field, with blanks as `\040`, the options of the mount are the sixth; behind the dash stand
/// the kind, the device and the options of the disk.
fn parse(table: &[u8]) -> Vec<Mount> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b' ');
            let point = unescape(fields.nth(4)?);
            let options = fields.next()?;
            let kind = fields.by_ref().skip_while(|field| *field != b"-").nth(1);
            let kind = String::from_utf8_lossy(kind.unwrap_or_default()).into_owned();
            let of_disk = fields.nth(1).unwrap_or_default();
            let has = |options: &[u8], wanted: &[u8]| {
                options
                    .split(|byte| *byte == b',' || *byte == b';')
                    .any(|option| option == wanted)
            };
            Some(Mount {
                point,
                noexec: has(options, b"noexec"),
                // A drive of Windows below WSL 2 keeps modes where it was asked to.
                without_modes: WITHOUT_MODES.contains(&kind.as_str())
                    || kind == "9p" && has(of_disk, b"aname=drvfs") && !has(of_disk, b"metadata"),
                kind,
            })
        })
        .collect()
}

fn unescape(field: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'\\'
            && let Some(digits) = after.get(..3)
            && let Ok(text) = std::str::from_utf8(digits)
            && let Ok(byte) = u8::from_str_radix(text, 8)
        {
            out.push(byte);
            rest = &after[3..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_in_mount_points_are_read_and_noexec_is_seen() {
        let table = b"22 27 0:21 / /proc rw,relatime - proc proc rw\n\
            23 1 8:1 / /mnt/my\\040disk rw,nosuid,noexec shared:1 - ext4 /dev/sda1 rw\n";
        assert_eq!(
            parse(table),
            [
                Mount {
                    point: "/proc".into(),
                    noexec: false,
                    kind: "proc".into(),
                    without_modes: false,
                },
                Mount {
                    point: "/mnt/my disk".into(),
                    noexec: true,
                    kind: "ext4".into(),
                    without_modes: false,
                },
            ]
        );
        let table = b"24 1 8:1 / /boot/efi rw shared:1 - vfat /dev/sda1 rw,umask=0077\n\
            25 1 0:9 / /mnt/c rw - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\;uid=1000\n\
            26 1 0:9 / /srv rw - 9p srv rw,trans=virtio\n";
        let without: Vec<bool> = parse(table)
            .iter()
            .map(|mount| mount.without_modes)
            .collect();
        assert_eq!(without, [true, true, false]);
        assert!(
            mounts()
                .iter()
                .any(|mount| mount.point == Path::new("/proc"))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
        }
    }
}
