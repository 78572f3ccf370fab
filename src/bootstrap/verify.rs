//! Whether what is installed is, byte for byte, what was installed.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::environment;
use super::litellm::records_digest;
use super::manifest::{InstalledPackages, InstalledProgram, Likeness};
use super::places::Places;
use crate::sys::read;

/// No list of the files of a package is larger, in bytes.
const LARGEST: u64 = 32 << 20;

/// So many files are named, in words.
const NAMED: usize = 3;

/// Compares CLIProxyAPIPlus; what differs, in words.
pub fn program(places: &Places, entry: &InstalledProgram) -> Result<(), String> {
    let path = places.program();
    match entry.compare_bytes(&path) {
        Ok(Likeness::Same) => Ok(()),
        Ok(Likeness::Damaged) => Err("it is damaged: it begins like what was installed".into()),
        Ok(Likeness::Other) => Err("it is another build than what was installed".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Compares every file of LiteLLM and its packages with the records of the packages, and these with
/// the manifest; what differs, in words.
pub fn packages(places: &Places, entry: &InstalledPackages) -> Result<usize, String> {
    let folder = places.runtime().join(&entry.environment);
    let Some(site) = environment::site_packages(&folder) else {
        return Err("its environment is gone".into());
    };
    let packages = environment::metadata(&folder);
    let mut wrong = Vec::new();
    let mut count = 0;
    for package in &packages {
        let record = read::whole(&package.join("RECORD"), LARGEST).unwrap_or_default();
        for file in recorded(&String::from_utf8_lossy(&record)) {
            count += 1;
            if !holds(&site.join(&file.path), &file.digest) {
                wrong.push(file.path);
            }
        }
    }
    if !wrong.is_empty() {
        let named: Vec<String> = wrong
            .iter()
            .take(NAMED)
            .map(|path| path.display().to_string())
            .collect();
        return Err(format!(
            "{} of {count} files differ: {}",
            wrong.len(),
            named.join(", ")
        ));
    }
    if packages.len() != entry.packages || records_digest(&packages) != entry.sha256 {
        return Err(format!(
            "its packages were changed: {} are there, {} were installed",
            packages.len(),
            entry.packages
        ));
    }
    Ok(count)
}

/// A file of a package as its record tells.
struct Recorded {
    path: PathBuf,
    digest: String,
}

/// Lines such as `litellm/main.py,sha256=…,1234`; those without a digest are left out.
fn recorded(text: &str) -> impl Iterator<Item = Recorded> {
    text.lines().filter_map(|line| {
        let (rest, _) = line.rsplit_once(',')?;
        let (path, digest) = rest.rsplit_once(",sha256=")?;
        Some(Recorded {
            path: PathBuf::from(path.trim_matches('"').replace("\"\"", "\"")),
            digest: digest.to_owned(),
        })
    })
}

fn holds(path: &Path, digest: &str) -> bool {
    use std::io::Read;
    let Ok(mut file) = read::open_regular(path) else {
        return false;
    };
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return base64(&hash.finalize()) == digest,
            Ok(count) => hash.update(&buffer[..count]),
            Err(_) => return false,
        }
    }
}

/// The URL-safe form without padding, as records have it.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain([0, 0].iter().take(3 - chunk.len()))
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        for place in 0..=chunk.len() {
            let letter = (number >> (18 - 6 * place)) & 63;
            text.push(LETTERS[letter as usize] as char);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_spelt_as_records_spell_them() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (&[0xfb, 0xff], "-_8"),
        ] {
            assert_eq!(base64(bytes), text);
        }
    }

    #[test]
    fn lines_of_a_record_are_read() {
        let text = "a/b.py,sha256=xyz,3\n\"c,d.py\",sha256=uvw,4\na.dist-info/RECORD,,\n";
        let found: Vec<(String, String)> = recorded(text)
            .map(|file| (file.path.display().to_string(), file.digest))
            .collect();
        let of = |path: &str, digest: &str| (path.to_owned(), digest.to_owned());
        assert_eq!(found, [of("a/b.py", "xyz"), of("c,d.py", "uvw")]);
    }
}
