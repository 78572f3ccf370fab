//! Whether a file can be the program on this machine, by its first bytes.

use std::path::Path;

use super::error::{BootstrapError, Reason};
use crate::sys::content::{Sniffed, sniff};
use crate::sys::elf::parse_elf;
use crate::sys::read;

/// Headers stand in the first bytes.
const HEAD: usize = 64 << 10;

/// Says what keeps a program from running here; `what` names it.
///
/// # Errors
/// When it is none, is for another machine, is cut off, or asks for a loader that is not here.
pub fn check(bytes: &[u8], what: &str) -> Result<(), BootstrapError> {
    fault(bytes, bytes.len() as u64).map_or(Ok(()), |fault| {
        let sentence = format!("the program in {what} does not run here: it is {fault}");
        Err(BootstrapError::new(Reason::BadArchive, sentence))
    })
}

/// Whether what lies somewhere could run, whoever put it there.
pub fn is_usable(path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD};
    let (Ok(head), Ok(facts)) = (read::head(path, HEAD as u64), std::fs::metadata(path)) else {
        // One that may be executed and not read still runs.
        return std::fs::metadata(path).is_ok_and(|facts| facts.is_file())
            && rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    };
    rustix::fs::accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
        && fault(&head, facts.len()).is_none()
}

/// The first bytes of a file of so many bytes.
pub fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(HEAD)]
}

fn fault(bytes: &[u8], size: u64) -> Option<String> {
    let head = head(bytes);
    match sniff(head) {
        Sniffed::Script => None,
        Sniffed::Elf => elf_fault(head, size),
        // Other systems have other forms of programs.
        Sniffed::Other if cfg!(not(target_os = "linux")) => None,
        Sniffed::Empty => Some("empty".into()),
        Sniffed::Html => Some("an HTML page".into()),
        Sniffed::Archive(kind) => Some(format!("a {kind} archive")),
        Sniffed::Text | Sniffed::Other => Some("no program".into()),
    }
}

fn elf_fault(head: &[u8], size: u64) -> Option<String> {
    let Some(header) = parse_elf(head) else {
        return Some("cut off in its header".into());
    };
    if !header.is_native(std::env::consts::ARCH) {
        return Some(format!("for {}", header.machine_name()));
    }
    if header.promised_size > size {
        return Some(format!(
            "cut off at {size} of {} bytes",
            header.promised_size
        ));
    }
    let loader = header.loader.filter(|loader| !Path::new(loader).exists());
    loader.map(|loader| format!("for another C library: {loader} is not here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_and_this_very_program_can_run() {
        assert!(check(b"#!/bin/sh\n", "x").is_ok());
        let ourselves = std::env::current_exe().unwrap();
        assert!(is_usable(&ourselves));
        let head = read::head(&ourselves, HEAD as u64).unwrap();
        let error = check(&head, "x.tar.gz").unwrap_err().to_string();
        assert!(error.contains("it is cut off at 65536 of"), "{error}");
    }

    #[test]
    fn what_cannot_run_is_named() {
        let mut other = read::head(&std::env::current_exe().unwrap(), HEAD as u64).unwrap();
        other[18] = 243;
        for (bytes, what) in [
            (&b""[..], "empty"),
            (b"<html>", "an HTML page"),
            (b"\x1f\x8b", "a gzip archive"),
            (b"hello", "no program"),
            (b"\x7fELF", "cut off in its header"),
            (&other, "for riscv64"),
        ] {
            assert_eq!(
                check(bytes, "x.tar.gz").unwrap_err().to_string(),
                format!("the program in x.tar.gz does not run here: it is {what}")
            );
        }
    }
}
