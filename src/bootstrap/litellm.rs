//! LiteLLM in an environment of its own: `venv` is a link to the folder of one installation, which
//! is made beside it and only named when it is whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::environment::{self, Tools};
use super::error::{BootstrapError, Reason};
use super::manifest::{InstalledPackages, Manifest};
use super::places::Places;
use super::watch::Watch;
use super::{digest, room};
use crate::sys::hex::random_id;
use crate::sys::read;
use crate::sys::write::{self, Modes};

/// The packages that are known to work, with their digests.
const LIST: &str = include_str!("../../config/litellm.requirements.txt");

/// An environment, and what pip or uv keep on the way to it, in bytes.
const ROOM: u64 = 1400 << 20;

/// A list of one package, in bytes.
const ROOM_OF_ONE: u64 = 12 << 20;

/// A list is far smaller, in bytes.
const LARGEST: u64 = 4 << 20;

/// It lies in an environment that is whole.
const WHOLE: &str = "flowgate.whole";

/// The beginning of the names of the folders of installations.
const PREFIX: &str = "venv-";

/// The packages to install, each with its digests.
pub struct List {
    text: String,
    source: String,
}

/// What lies where the entry of LiteLLM belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// What flowgate installed.
    Installed(Box<InstalledPackages>),
    /// Something else that can run.
    Other,
    /// Something that cannot run.
    Broken,
}

impl List {
    /// The list that flowgate brings.
    pub fn built_in() -> Self {
        Self {
            text: LIST.to_owned(),
            source: "built in".into(),
        }
    }

    /// The list that flowgate.yaml names, else the one that flowgate brings.
    ///
    /// # Errors
    /// When it cannot be read, or holds a package without a digest.
    pub fn of(file: Option<&Path>) -> Result<Self, BootstrapError> {
        let Some(file) = file else {
            return Ok(Self::built_in());
        };
        let source = file.display().to_string();
        let refused =
            |why: String| BootstrapError::new(Reason::Refused, format!("{source}: {why}"));
        let bytes = read::whole(file, LARGEST).map_err(|error| refused(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8".into()))?;
        let list = Self { text, source };
        match list.without_digest() {
            Some(line) => Err(BootstrapError::new(
                Reason::Refused,
                format!(
                    "{}: {line} has no --hash; every package needs one",
                    list.source
                ),
            )),
            None => Ok(list),
        }
    }

    /// SHA-256 of the text.
    pub fn sha256(&self) -> String {
        digest::of(self.text.as_bytes())
    }

    /// The version of LiteLLM that it names.
    pub fn version(&self) -> Option<&str> {
        let line = self
            .text
            .lines()
            .find(|line| line.starts_with("litellm=="))?;
        line.strip_prefix("litellm==")?
            .split([' ', '\\', ';'])
            .next()
    }

    /// How many packages it names.
    pub fn count(&self) -> usize {
        let names: BTreeSet<&str> = self
            .entries()
            .filter_map(|entry| entry.split("==").next())
            .collect();
        names.len()
    }

    fn entries(&self) -> impl Iterator<Item = &str> {
        let is_entry = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphanumeric());
        self.text.lines().filter(is_entry)
    }

    /// The first package without a digest.
    fn without_digest(&self) -> Option<&str> {
        let whole = self.text.replace("\\\n", " ");
        let is_bare = |line: &str| !line.contains("--hash=sha256:");
        let number = whole
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric()))
            .position(is_bare)?;
        self.entries()
            .nth(number)
            .map(|line| line.trim_end_matches('\\').trim())
    }
}

/// What lies there.
pub fn look(places: &Places, manifest: &Manifest) -> Found {
    let entry = places.entry();
    if std::fs::symlink_metadata(&entry).is_err() {
        return Found::Nothing;
    }
    if let Some(installed) = &manifest.litellm {
        let folder = places.runtime().join(&installed.environment);
        let own = folder.join("bin/litellm");
        let is_led_there = entry.canonicalize().ok() == own.canonicalize().ok();
        if is_led_there && is_whole(&folder) && runs(&entry) {
            return Found::Installed(Box::new(installed.clone()));
        }
    }
    match runs(&entry) {
        true => Found::Other,
        false => Found::Broken,
    }
}

/// Whether a script and the interpreter that it names are there.
fn runs(entry: &Path) -> bool {
    if !super::program::is_usable(entry) {
        return false;
    }
    let head = read::head(entry, 4096).unwrap_or_default();
    let Some(line) = head.strip_prefix(b"#!") else {
        return true;
    };
    let line = String::from_utf8_lossy(line).into_owned();
    let interpreter = line.lines().next().unwrap_or_default().trim();
    let interpreter = interpreter.split(' ').next().unwrap_or_default();
    Path::new(interpreter).exists()
}

fn is_whole(folder: &Path) -> bool {
    folder.join(WHOLE).is_file() && folder.join("bin/python").exists()
}

/// Installs LiteLLM from a list, and gives what is there then. The old environment goes, unless
/// `keep_old` asks for it until somebody says that the new one is good.
///
/// # Errors
/// One sentence; what was there is then as it was.
pub fn install(
    list: &List,
    places: &Places,
    tools: &Tools,
    keep_old: bool,
    watch: &dyn Watch,
) -> Result<InstalledPackages, BootstrapError> {
    let Some(installer) = tools.installer() else {
        return Err(BootstrapError::new(
            Reason::NoPython,
            "there is no Python 3.10 or newer with its venv module here, and no uv",
        ));
    };
    let needed = ROOM.min(ROOM_OF_ONE * list.count() as u64);
    room::ensure(places.runtime(), needed, "LiteLLM")?;
    let manifest = Manifest::read(places).unwrap_or_default();
    sweep(places, &manifest);
    let digest = list.sha256();
    let name = format!("{PREFIX}{}-{}", &digest[..8], &random_id()[..8]);
    let folder = places.runtime().join(&name);
    let text = places.folder().join("requirements.txt");
    write::replace(&text, list.text.as_bytes(), Modes::PLAIN, None)?;
    let made = installer
        .make(&folder, &text, list.count(), watch)
        .and_then(|()| describe(&folder))
        .and_then(|found| {
            write::replace(&folder.join(WHOLE), digest.as_bytes(), Modes::PLAIN, None)?;
            Ok(found)
        });
    let found = made.inspect_err(|_| remove(&folder))?;
    let entry = InstalledPackages {
        version: found.version,
        source: list.source.clone(),
        requirements_sha256: digest,
        packages: found.packages,
        sha256: found.sha256,
        environment: name,
        previous: manifest.litellm.clone().filter(|_| keep_old).map(Box::new),
        python: environment::python_version(&folder).unwrap_or_default(),
        installer: installer.name().into(),
        at: Timestamp::now(),
    };
    let manifest = Manifest {
        litellm: Some(entry.clone()),
        ..manifest
    };
    manifest.write(places)?;
    show(places, &entry)?;
    // The one before, and what the tools of a killed try wrote once more after the first sweep.
    sweep(places, &manifest);
    Ok(entry)
}

/// An installation that is whole and was not named yet, because somebody was killed at that moment.
///
/// # Errors
/// One sentence, when the links cannot be made.
pub fn resume(places: &Places, manifest: &Manifest) -> Result<bool, BootstrapError> {
    let Some(installed) = &manifest.litellm else {
        return Ok(false);
    };
    if !is_whole(&places.runtime().join(&installed.environment)) {
        return Ok(false);
    }
    show(places, installed)?;
    Ok(true)
}

/// Goes back to the environment before; false when there is none.
///
/// # Errors
/// One sentence.
pub fn go_back(places: &Places) -> Result<bool, BootstrapError> {
    let mut manifest = Manifest::read(places).unwrap_or_default();
    let Some(new) = manifest.litellm.take() else {
        return Ok(false);
    };
    let Some(old) = new.previous.clone() else {
        return Ok(false);
    };
    show(places, &old)?;
    manifest.litellm = Some(*old);
    manifest.write(places)?;
    remove(&places.runtime().join(new.environment));
    Ok(true)
}

/// The new environment was ready once: the one before goes.
///
/// # Errors
/// One sentence.
pub fn settle(places: &Places) -> Result<(), BootstrapError> {
    let mut manifest = Manifest::read(places).unwrap_or_default();
    let Some(installed) = &mut manifest.litellm else {
        return Ok(());
    };
    let Some(old) = installed.previous.take() else {
        return Ok(());
    };
    manifest.write(places)?;
    remove(&places.runtime().join(old.environment));
    Ok(())
}

/// Lets `venv` and the entry lead to an installation. What lies there and is not flowgate's is put
/// aside, never removed.
fn show(places: &Places, installed: &InstalledPackages) -> Result<(), BootstrapError> {
    let (venv, entry) = (places.venv(), places.entry());
    for path in [&venv, &entry] {
        let is_link = std::fs::symlink_metadata(path).map(|facts| facts.is_symlink());
        if is_link.is_ok_and(|is_link| !is_link) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let aside = places
                .folder()
                .join(format!("{name}.replaced-{}", &random_id()[..8]));
            write::create_folder(&places.folder(), Modes::PLAIN.folder)?;
            write::rename(path, &aside)?;
        }
    }
    write::point(&venv, Path::new(&installed.environment))?;
    write::point(&entry, Path::new("../venv/bin/litellm"))?;
    Ok(())
}

/// What an environment holds.
struct Described {
    version: String,
    packages: usize,
    sha256: String,
}

fn describe(folder: &Path) -> Result<Described, BootstrapError> {
    let packages = environment::metadata(folder);
    let version = packages.iter().find_map(|path| {
        let name = path.file_name()?.to_str()?.strip_prefix("litellm-")?;
        name.strip_suffix(".dist-info").map(str::to_owned)
    });
    let (Some(version), true) = (version, folder.join("bin/litellm").is_file()) else {
        return Err(BootstrapError::new(
            Reason::Packages,
            "the list installed no LiteLLM",
        ));
    };
    Ok(Described {
        version,
        packages: packages.len(),
        sha256: records_digest(&packages),
    })
}

/// SHA-256 over the records of all packages, which hold the digest of each of their files.
pub fn records_digest(packages: &[PathBuf]) -> String {
    let mut all = String::new();
    for path in packages {
        let record = digest::of_file(&path.join("RECORD")).unwrap_or_default();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        all.push_str(&format!("{record}  {name}\n"));
    }
    digest::of(all.as_bytes())
}

/// Removes the folders of installations that nobody names: of tries that were cut short.
fn sweep(places: &Places, manifest: &Manifest) {
    let mut kept = BTreeSet::new();
    let mut entry = manifest.litellm.as_ref();
    while let Some(installed) = entry {
        kept.insert(installed.environment.clone());
        entry = installed.previous.as_deref();
    }
    if let Ok(target) = std::fs::read_link(places.venv()) {
        kept.insert(target.to_string_lossy().into_owned());
    }
    let entries = std::fs::read_dir(places.runtime()).into_iter().flatten();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_ours(&name) && !kept.contains(&name) {
            remove(&entry.path());
        }
    }
}

/// `venv-` with 8 and 8 hex digits: nobody else makes such names.
fn is_ours(name: &str) -> bool {
    let is_hex = |part: &str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(list, random)| is_hex(list) && is_hex(random))
}

/// Removes the folder of an installation; what cannot be removed now goes the next time.
fn remove(folder: &Path) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if is_ours(&name) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test writes its own files")]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_is_hash_locked_and_names_no_index() {
        let list = List::built_in();
        assert_eq!(list.version(), Some("1.106.2"));
        assert!((115..=130).contains(&list.count()), "{}", list.count());
        assert_eq!(list.without_digest(), None);
        for line in LIST.lines().filter(|line| !line.starts_with('#')) {
            let is_known = line.starts_with("    --hash=sha256:")
                || line
                    .split(' ')
                    .next()
                    .is_some_and(|word| word.contains("=="));
            assert!(is_known, "{line}");
        }
        assert!(!LIST.contains("://"));
    }

    #[test]
    fn a_list_with_a_package_without_a_digest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.txt");
        let hash = format!("--hash=sha256:{}", "0".repeat(64));
        for (text, fault) in [
            (
                format!("a==1 \\\n    {hash}\nb==2\n"),
                Some("b==2 has no --hash"),
            ),
            (format!("a==1 {hash}\n# b==2\n"), None),
            ("a==1 \\\nb==2\n".to_owned(), Some("a==1 has no --hash")),
        ] {
            std::fs::write(&file, &text).unwrap();
            let said = List::of(Some(&file))
                .map(|_| ())
                .map_err(|error| error.to_string());
            match fault {
                Some(fault) => assert!(said.unwrap_err().contains(fault), "{text}"),
                None => assert_eq!(said, Ok(())),
            }
        }
    }

    #[test]
    fn only_folders_of_cut_short_tries_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::of(folder.path());
        for name in [
            "venv-01234567-89abcdef",
            "venv-01234567-00000000",
            "venv-mine",
            "venv-2",
        ] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("venv-01234567-00000000", places.venv()).unwrap();
        sweep(&places, &Manifest::default());
        let left: BTreeSet<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let wanted = ["venv", "venv-01234567-00000000", "venv-2", "venv-mine"];
        assert_eq!(left, wanted.map(str::to_owned).into());
    }
}
