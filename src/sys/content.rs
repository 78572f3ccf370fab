//! What the first bytes of a file are.

/// The kind of a file by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    /// An ELF file; its header may still be cut.
    Elf,
    /// A script with a shebang.
    Script,
    /// Text without a shebang.
    Text,
    /// Nothing at all.
    Empty,
    /// An HTML page.
    Html,
    /// An archive, by kind.
    Archive(&'static str),
    /// Something else.
    Other,
}

/// Names and magic numbers of archives.
const ARCHIVES: [(&str, &[u8]); 6] = [
    ("gzip", b"\x1f\x8b"),
    ("zip", b"PK\x03\x04"),
    ("xz", b"\xfd7zXZ\x00"),
    ("bzip2", b"BZh"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("7z", b"7z\xbc\xaf\x27\x1c"),
];

/// So many bytes are looked at to tell text from anything else.
const SAMPLE: usize = 512;

/// Tells the kind of a file by its first bytes (512 at least, when the file has them).
pub fn sniff(head: &[u8]) -> Sniffed {
    if head.is_empty() {
        return Sniffed::Empty;
    }
    if head.starts_with(b"\x7fELF") {
        return Sniffed::Elf;
    }
    if head.starts_with(b"#!") {
        return Sniffed::Script;
    }
    for (kind, magic) in ARCHIVES {
        if head.starts_with(magic) {
            return Sniffed::Archive(kind);
        }
    }
    // The magic of tar stands behind the first file's header fields.
    if head.get(257..262) == Some(b"ustar") {
        return Sniffed::Archive("tar");
    }
    let sample = &head[..head.len().min(SAMPLE)];
    let text = String::from_utf8_lossy(sample);
    if is_html(&text) {
        return Sniffed::Html;
    }
    // The sample may end inside a character.
    let is_whole = |text: &str| !text.trim_end_matches('\u{fffd}').contains('\u{fffd}');
    let is_text = is_whole(&text)
        && !text
            .chars()
            .any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t' | '\u{1b}'));
    if is_text {
        Sniffed::Text
    } else {
        Sniffed::Other
    }
}

fn is_html(text: &str) -> bool {
    let start = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .get(..64)
        .unwrap_or_else(|| text.trim_start_matches('\u{feff}').trim_start())
        .to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn failed_downloads_are_told_from_programs() {
        let mut tar = vec![0; 300];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, kind) in [
            (&b""[..], Sniffed::Empty),
            (b"\x7fELF\x02", Sniffed::Elf),
            (b"#!/bin/sh\n", Sniffed::Script),
            (b"\n  <!DOCTYPE html><html>", Sniffed::Html),
            (b"\xef\xbb\xbf<HTML>", Sniffed::Html),
            (b"Not Found", Sniffed::Text),
            (b"import sys\nprint(1)\n", Sniffed::Text),
            (b"\x1f\x8b\x08\x00", Sniffed::Archive("gzip")),
            (b"PK\x03\x04\x14", Sniffed::Archive("zip")),
            (b"\xfd7zXZ\x00\x00", Sniffed::Archive("xz")),
            (&tar, Sniffed::Archive("tar")),
            (b"\xcf\xfa\xed\xfe\x07", Sniffed::Other),
            (b"MZ\x90\x00", Sniffed::Other),
        ] {
            assert_eq!(sniff(head), kind, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
            sniff(&bytes);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            sniff(text.as_bytes());
        }
    }
}
