//! CLIProxyAPIPlus: from an archive to `bin/CLIProxyAPIPlus`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::asset::Platform;
use super::error::{BootstrapError, Reason};
use super::fetch::Fetcher;
use super::manifest::{InstalledProgram, Likeness, Manifest, Stamp};
use super::places::Places;
use super::release::{self, Wish};
use super::watch::Watch;
use super::{archive, checksums, digest, program, room};
use crate::sys::read;
use crate::sys::write::{self, Modes};

/// An archive and its program together, in bytes.
const ROOM: u64 = 250 << 20;

/// No archive is larger, in bytes.
const LARGEST: u64 = 256 << 20;

/// A list of digests is far smaller, in bytes.
const LARGEST_SUMS: u64 = 1 << 20;

/// The program of an archive, proven as far as that was possible.
pub struct Obtained {
    /// The program.
    pub bytes: Vec<u8>,
    /// What the manifest will say, but for the stamp.
    pub entry: InstalledProgram,
}

/// What lies where the program belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// What flowgate installed, unchanged.
    Installed(Box<InstalledProgram>),
    /// Something else that can run: a build of the user's own.
    Other,
    /// Something that cannot run.
    Broken,
}

/// What lies there.
pub fn look(places: &Places, manifest: &Manifest) -> Found {
    let path = places.program();
    if std::fs::symlink_metadata(&path).is_err() {
        return Found::Nothing;
    }
    let is_usable = program::is_usable(&path);
    match &manifest.cliproxyapi_plus {
        Some(entry) if is_usable => match entry.compare(&path) {
            Ok(Likeness::Same) => Found::Installed(Box::new(entry.clone())),
            Ok(Likeness::Damaged) => Found::Broken,
            Ok(Likeness::Other) | Err(_) => Found::Other,
        },
        None if is_usable => Found::Other,
        _ => Found::Broken,
    }
}

/// Downloads a release and takes the program out of it.
///
/// # Errors
/// One sentence.
pub fn download(
    wish: &Wish,
    places: &Places,
    token: Option<SecretString>,
    stall: Duration,
    watch: &dyn Watch,
) -> Result<Obtained, BootstrapError> {
    let platform = Platform::here();
    room::ensure(places.runtime(), ROOM, "CLIProxyAPIPlus")?;
    let fetcher =
        fetcher(wish, token, stall).map_err(|error| error.wanting(&wish.foreseen(&platform)))?;
    let downloaded = wait_for(release::download(wish, &platform, &fetcher, watch))?;
    let wanted = &downloaded.wanted;
    let entry = InstalledProgram {
        version: downloaded.version.clone(),
        source: wanted.url.clone(),
        repository: Some(wish.repository.clone()),
        asset: wanted.asset.clone(),
        verified: true,
        ..unknown(&downloaded.bytes)
    };
    obtained(&downloaded.bytes, entry).map_err(|error| error.wanting(wanted))
}

/// The tag of the newest release.
///
/// # Errors
/// One sentence.
pub fn latest(
    wish: &Wish,
    token: Option<SecretString>,
    stall: Duration,
) -> Result<String, BootstrapError> {
    let fetcher = fetcher(wish, token, stall)?;
    wait_for(release::latest(wish, &fetcher))
}

fn fetcher(
    wish: &Wish,
    token: Option<SecretString>,
    stall: Duration,
) -> Result<Fetcher, BootstrapError> {
    Fetcher::new(wish.base(), token, stall).map_err(|error| {
        BootstrapError::new(Reason::Unreachable, format!("{} {error}", wish.base()))
    })
}

/// Takes the program out of an archive on this machine. Its digest is the one that was given, else
/// that of a `checksums.txt` beside it.
///
/// # Errors
/// One sentence; also when a digest is required and none is known.
pub fn from_archive(
    file: &Path,
    given: Option<&str>,
    is_digest_required: bool,
    places: &Places,
) -> Result<Obtained, BootstrapError> {
    room::ensure(places.runtime(), ROOM, "CLIProxyAPIPlus")?;
    let shown = file.display().to_string();
    let bytes = read::whole(file, LARGEST)
        .map_err(|error| BootstrapError::new(Reason::BadArchive, format!("{shown}: {error}")))?;
    let name = file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let listed = || {
        let sums = file.parent()?.join("checksums.txt");
        let text = read::whole(&sums, LARGEST_SUMS).ok()?;
        checksums::parse(&String::from_utf8_lossy(&text)).remove(&name)
    };
    let expected = given.map(str::to_owned).or_else(listed);
    if expected.is_none() && is_digest_required {
        return Err(BootstrapError::new(
            Reason::Refused,
            format!(
                "no sha256 of {name} is known: give it with --sha256, as \
                 bootstrap.cliproxyapi.sha256, or put its checksums.txt beside it"
            ),
        ));
    }
    release::prove(&bytes, &name, expected.as_deref())?;
    let entry = InstalledProgram {
        version: version_of(&name),
        source: std::path::absolute(file)
            .unwrap_or_else(|_| file.to_owned())
            .display()
            .to_string(),
        asset: name,
        verified: expected.is_some(),
        ..unknown(&bytes)
    };
    obtained(&bytes, entry)
}

/// `CLIProxyAPIPlus_7.2.127-7_linux_amd64.tar.gz` is v7.2.127-7; another name stands for itself.
fn version_of(name: &str) -> String {
    let bare = name.trim_end_matches(".gz").trim_end_matches(".tar");
    match bare.split('_').nth(1) {
        Some(version) if version.starts_with(|c: char| c.is_ascii_digit()) => format!("v{version}"),
        _ => bare.to_owned(),
    }
}

fn unknown(archive: &[u8]) -> InstalledProgram {
    InstalledProgram {
        version: String::new(),
        source: String::new(),
        repository: None,
        asset: String::new(),
        archive_sha256: digest::of(archive),
        verified: false,
        sha256: String::new(),
        head_sha256: String::new(),
        size: 0,
        stamp: Stamp {
            device: 0,
            inode: 0,
            size: 0,
            modified_ns: 0,
            changed_ns: 0,
        },
        at: Timestamp::UNIX_EPOCH,
    }
}

fn obtained(archive: &[u8], mut entry: InstalledProgram) -> Result<Obtained, BootstrapError> {
    let bytes = archive::program(archive, &entry.asset)?;
    program::check(&bytes, &entry.asset)?;
    entry.sha256 = digest::of(&bytes);
    entry.head_sha256 = digest::of(program::head(&bytes));
    entry.size = bytes.len() as u64;
    Ok(Obtained { bytes, entry })
}

/// Puts a program in its place and writes the manifest; gives the place. With `keep_old` what was
/// there is kept until somebody says that the new one is good.
///
/// # Errors
/// One sentence; then the old program is in its place.
pub fn put_in_place(
    obtained: Obtained,
    places: &Places,
    keep_old: bool,
) -> Result<PathBuf, BootstrapError> {
    let path = places.program();
    let mut manifest = Manifest::read(places).unwrap_or_default();
    if keep_old {
        keep(places)?;
        let before = serde_json::to_vec(&manifest.cliproxyapi_plus).unwrap_or_default();
        write::replace(&places.previous_entry(), &before, Modes::PLAIN, None)?;
    }
    write::install(&path, &obtained.bytes, 0o755)?;
    let mut entry = obtained.entry;
    entry.stamp = Stamp::of(&path).map_err(|error| write::WriteError::io(&path, &error))?;
    entry.at = Timestamp::now();
    manifest.cliproxyapi_plus = Some(entry);
    manifest.write(places)?;
    Ok(path)
}

/// Gives what is in place a second name, so that it can come back.
fn keep(places: &Places) -> Result<(), BootstrapError> {
    let (from, to) = (places.program(), places.previous_program());
    let said = |error: std::io::Error| BootstrapError::from(write::WriteError::io(&to, &error));
    if std::fs::symlink_metadata(&from).is_err() {
        return Ok(());
    }
    if std::fs::symlink_metadata(&to).is_ok() {
        std::fs::remove_file(&to).map_err(said)?;
    }
    std::fs::hard_link(&from, &to).map_err(said)
}

/// Goes back to the program before; false when there is none.
///
/// # Errors
/// One sentence.
pub fn go_back(places: &Places) -> Result<bool, BootstrapError> {
    let (path, old) = (places.program(), places.previous_program());
    if std::fs::symlink_metadata(&old).is_err() {
        return Ok(false);
    }
    write::rename(&old, &path)?;
    let before = read::whole(&places.previous_entry(), LARGEST_SUMS).unwrap_or_default();
    let mut manifest = Manifest::read(places).unwrap_or_default();
    manifest.cliproxyapi_plus = serde_json::from_slice::<InstalledProgram>(&before)
        .ok()
        .and_then(|mut entry| {
            // The rename changed its time of change and nothing else.
            entry.stamp = Stamp::of(&path).ok()?;
            Some(entry)
        });
    manifest.write(places)?;
    Ok(true)
}

/// The new program was ready once: the one before goes.
///
/// # Errors
/// One sentence.
pub fn settle(places: &Places) -> Result<(), BootstrapError> {
    for path in [places.previous_program(), places.previous_entry()] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(write::WriteError::io(&path, &error).into());
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn wait_for<T>(work: impl Future<Output = Result<T, BootstrapError>>) -> Result<T, BootstrapError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| BootstrapError::new(Reason::Unreachable, error.to_string()))?;
    let done = runtime.block_on(work);
    // A name that is still looked up waits for nobody.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_in_the_name_of_an_archive() {
        for (name, version) in [
            ("CLIProxyAPIPlus_7.2.127-7_linux_amd64.tar.gz", "v7.2.127-7"),
            ("my-build.tar.gz", "my-build"),
            ("my_build.tar.gz", "my_build"),
            ("", ""),
        ] {
            assert_eq!(version_of(name), version);
        }
    }
}
