//! One named entry out of a release's archive. Nothing is ever unpacked to the disk by its own name.

use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::error::{BootstrapError, Reason};

/// The names that the program has in archives, in lower case, the best first.
const PROGRAMS: [&str; 4] = [
    "cli-proxy-api-plus",
    "cliproxyapiplus",
    "cli-proxy-api",
    "cliproxyapi",
];

/// No release unpacks to more, in bytes.
pub const LARGEST: u64 = 512 << 20;

/// No release holds more files.
const MOST_ENTRIES: usize = 4096;

/// The program of an archive, its bytes.
///
/// # Errors
/// One sentence when it is no such archive, is damaged, unpacks to more than any release, or holds
/// an entry that no release has: a link, a device, a path that leads out.
pub fn program(bytes: &[u8], name: &str) -> Result<Vec<u8>, BootstrapError> {
    let bad = |what: String| BootstrapError::new(Reason::BadArchive, format!("{name} {what}"));
    if let Some(kind) = no_archive(bytes) {
        return Err(bad(format!("is no tar.gz archive: it is {kind}")));
    }
    let damaged = |error: &io::Error| match error.get_ref().is_some_and(|inner| inner.is::<Bomb>())
    {
        true => bad(format!("unpacks to more than {} MB", LARGEST >> 20)),
        false => bad("is cut off or damaged: it cannot be unpacked to its end".into()),
    };
    let mut archive = Archive::new(Bounded::new(GzDecoder::new(bytes)));
    let mut found: Option<(usize, Vec<u8>)> = None;
    let mut count = 0;
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        count += 1;
        if count > MOST_ENTRIES {
            return Err(bad(format!("holds more than {MOST_ENTRIES} entries")));
        }
        let file = plain_name(&entry).map_err(&bad)?;
        if entry.size() > LARGEST {
            return Err(bad(format!("unpacks to more than {} MB", LARGEST >> 20)));
        }
        let rank = file.and_then(|file| {
            let file = file.to_ascii_lowercase();
            PROGRAMS.iter().position(|program| *program == file)
        });
        let Some(rank) = rank else { continue };
        if found.as_ref().is_none_or(|(best, _)| rank < *best) {
            let mut program = Vec::new();
            entry
                .read_to_end(&mut program)
                .map_err(|error| damaged(&error))?;
            found = Some((rank, program));
        }
    }
    // The checksum of the archive stands at its end.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| damaged(&error))?;
    found.map(|(_, program)| program).ok_or_else(|| {
        bad(format!(
            "holds no program: none of its {count} entries is named {}",
            PROGRAMS.join(", ")
        ))
    })
}

/// What a file is that is no gzip.
fn no_archive(bytes: &[u8]) -> Option<&'static str> {
    use crate::sys::content::{Sniffed, sniff};
    match sniff(&bytes[..bytes.len().min(64 << 10)]) {
        Sniffed::Archive("gzip") => None,
        Sniffed::Archive(other) => Some(other),
        Sniffed::Html => Some("an HTML page"),
        Sniffed::Empty => Some("empty"),
        Sniffed::Elf => Some("a program that is not packed"),
        Sniffed::Script | Sniffed::Text => Some("a text"),
        Sniffed::Other => Some("of no known kind"),
    }
}

/// The last part of the name of a regular file; none for a folder.
fn plain_name(entry: &Entry<'_, impl Read>) -> Result<Option<String>, String> {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let shown: String = path.chars().filter(|c| !c.is_control()).take(80).collect();
    let leads_out = Path::new(&path)
        .components()
        .any(|part| matches!(part, Component::ParentDir | Component::RootDir));
    if leads_out {
        return Err(format!(
            "holds {shown}, a path that leads out of it; nothing was taken"
        ));
    }
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => Ok(Path::new(&path)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())),
        EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => Ok(None),
        EntryType::Symlink | EntryType::Link => {
            Err(format!("holds {shown}, a link; nothing was taken"))
        }
        _ => Err(format!(
            "holds {shown}, which is no file; nothing was taken"
        )),
    }
}

/// Ends with [`Bomb`] behind [`LARGEST`] bytes.
struct Bounded<R> {
    inner: R,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("too much")]
struct Bomb;

impl<R> Bounded<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            left: LARGEST,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(Bomb))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use tar::{Builder, Header};

    use super::*;

    fn entry(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o755);
        header
    }

    fn packed(fill: impl FnOnce(&mut Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        fill(&mut builder);
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn with(name: &str, content: &[u8]) -> Vec<u8> {
        packed(|builder| {
            builder
                .append_data(
                    &mut entry(EntryType::Regular, content.len() as u64),
                    name,
                    content,
                )
                .unwrap();
        })
    }

    fn sentence(bytes: &[u8]) -> String {
        program(bytes, "x.tar.gz").unwrap_err().to_string()
    }

    #[test]
    fn the_program_is_found_under_each_of_its_names() {
        for name in [
            "cli-proxy-api-plus",
            "folder/CLIProxyAPIPlus",
            "cli-proxy-api",
        ] {
            assert_eq!(program(&with(name, b"#!x"), "x").unwrap(), b"#!x", "{name}");
        }
        assert!(sentence(&with("LICENSE", b"MIT")).contains("none of its 1 entries"));
    }

    #[test]
    fn a_plus_build_wins_over_another_in_the_same_archive() {
        let both = packed(|builder| {
            for (name, content) in [("cli-proxy-api", b"a"), ("cli-proxy-api-plus", b"b")] {
                builder
                    .append_data(&mut entry(EntryType::Regular, 1), name, &content[..])
                    .unwrap();
            }
        });
        assert_eq!(program(&both, "x").unwrap(), b"b");
    }

    #[test]
    fn links_are_refused_wherever_they_stand() {
        for kind in [EntryType::Symlink, EntryType::Link] {
            let bytes = packed(|builder| {
                builder
                    .append_link(&mut entry(kind, 0), "cli-proxy-api-plus", "/etc/passwd")
                    .unwrap();
            });
            assert_eq!(
                sentence(&bytes),
                "x.tar.gz holds cli-proxy-api-plus, a link; nothing was taken"
            );
        }
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for path in ["../../etc/cron.d/x", "/etc/cron.d/x"] {
            let bytes = packed(|builder| {
                let mut header = entry(EntryType::Regular, 1);
                header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
                header.set_cksum();
                builder.append(&header, &b"x"[..]).unwrap();
            });
            assert_eq!(
                sentence(&bytes),
                format!("x.tar.gz holds {path}, a path that leads out of it; nothing was taken")
            );
        }
    }

    #[test]
    fn what_unpacks_to_two_gigabytes_is_refused_unread() {
        let zeros = vec![0; 1 << 20];
        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = entry(EntryType::Regular, 2 << 30);
        header.set_path("cli-proxy-api-plus").unwrap();
        header.set_cksum();
        bomb.write_all(header.as_bytes()).unwrap();
        bomb.write_all(&zeros).unwrap();
        assert_eq!(
            sentence(&bomb.finish().unwrap()),
            "x.tar.gz unpacks to more than 512 MB"
        );
    }

    #[test]
    fn an_archive_that_is_cut_off_or_flipped_is_never_taken() {
        // Random, so that it does not shrink.
        let mut content = vec![0; 4096];
        getrandom::fill(&mut content).unwrap();
        let whole = with("cli-proxy-api-plus", &content);
        for end in (20..whole.len()).step_by(97) {
            assert!(program(&whole[..end], "x").is_err(), "cut at {end}");
        }
        for at in (40..whole.len()).step_by(97) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            assert!(
                program(&flipped, "x").is_err_and(|error| error.reason == Reason::BadArchive),
                "flipped at {at}"
            );
        }
    }

    #[test]
    fn what_is_no_archive_is_named() {
        for (bytes, what) in [
            (&b""[..], "empty"),
            (b"<!DOCTYPE html><html>", "an HTML page"),
            (b"PK\x03\x04....", "zip"),
            (b"\x7fELF....", "a program that is not packed"),
        ] {
            assert_eq!(
                sentence(bytes),
                format!("x.tar.gz is no tar.gz archive: it is {what}")
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = program(&bytes, "x");
            let _ = program(&[b"\x1f\x8b\x08\x00".as_slice(), &bytes].concat(), "x");
        }
    }
}
