//! The packages of an environment, by their modules and their metadata.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::packages::{REQUIRED, declared, normal_name, version_of};
use crate::sys::read;

/// At most so many entries of a folder are read.
const ENTRIES: usize = 20_000;

/// At most so many entries of a module are looked at.
const MODULE_ENTRIES: usize = 500;

/// Where LiteLLM comes in through FastAPI alone, so that its own metadata does not name it.
const INDIRECT: [&str; 2] = ["litellm", "starlette"];

/// The packages of an environment.
pub(super) struct Site {
    /// The site-packages folders and those that their `.pth` files add.
    folders: Vec<PathBuf>,
    /// The names in all of them.
    names: BTreeSet<String>,
}

impl Site {
    /// Reads the names in the folders, and in those that their `.pth` files add.
    ///
    /// # Errors
    /// Why a folder could not be read whole, as a fragment.
    pub fn read(mut folders: Vec<PathBuf>) -> Result<Self, String> {
        let mut names = BTreeSet::new();
        for folder in &folders {
            names.extend(names_in(folder)?);
        }
        let added: Vec<PathBuf> = folders
            .iter()
            .flat_map(|folder| {
                names
                    .iter()
                    .filter(|name| name.ends_with(".pth"))
                    .flat_map(|name| paths_in(&folder.join(name), folder))
            })
            .collect();
        for folder in added {
            // An added folder that cannot be read brings nothing.
            if let Ok(more) = names_in(&folder) {
                names.extend(more);
                folders.push(folder);
            }
        }
        Ok(Self { folders, names })
    }

    /// The packages that the proxy needs at its start and that cannot be imported, sorted.
    pub fn missing(&self) -> Vec<String> {
        let declared = self.declared();
        let mut missing: Vec<String> = REQUIRED
            .iter()
            .filter(|(package, module)| {
                // A later LiteLLM may not need it any more, and then does not declare it.
                let is_needed = declared
                    .as_ref()
                    .is_none_or(|declared| declared.contains(*package))
                    || INDIRECT.contains(package);
                is_needed && !self.has_module(module) && !self.is_editable(package)
            })
            .map(|(package, _)| (*package).to_owned())
            .collect();
        missing.sort();
        missing
    }

    /// Whether the module can be imported, as far as names tell. Metadata without a module is no
    /// module; a module without metadata is one.
    fn has_module(&self, module: &str) -> bool {
        let is_file = self.names.iter().any(|name| {
            name.strip_prefix(module)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == "py" || rest == "pyc" || rest.ends_with("so"))
        });
        is_file
            || (self.names.contains(module)
                && self
                    .folders
                    .iter()
                    .any(|folder| holds_code(&folder.join(module))))
    }

    /// Whether an editable install brings it through a finder of its own: `__editable___litellm_1_0_finder.py`.
    fn is_editable(&self, package: &str) -> bool {
        self.names
            .iter()
            .any(|name| name.starts_with("__editable__") && normal_name(name).contains(package))
    }

    /// Version of a package, by its metadata.
    pub fn version(&self, package: &str) -> Option<String> {
        self.metadata_folders(package)
            .last()
            .map(|(_, version)| version.clone())
    }

    fn declared(&self) -> Option<BTreeSet<String>> {
        let (name, _) = self.metadata_folders("litellm").pop()?;
        let declared = self.folders.iter().find_map(|folder| {
            let metadata = read::head(&folder.join(&name).join("METADATA"), 512 * 1024).ok()?;
            Some(declared(&String::from_utf8_lossy(&metadata)))
        })?;
        // Metadata that declares nothing is cut off and proves nothing.
        (!declared.is_empty()).then_some(declared)
    }

    fn metadata_folders(&self, package: &str) -> Vec<(String, String)> {
        self.names
            .iter()
            .filter_map(|folder| {
                let (name, version) = version_of(folder)?;
                (name == package).then(|| (folder.clone(), version))
            })
            .collect()
    }
}

fn names_in(folder: &Path) -> Result<BTreeSet<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names = BTreeSet::new();
    for entry in entries {
        if names.len() >= ENTRIES {
            return Err(format!("{} has too many entries", folder.display()));
        }
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        names.insert(entry.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// The folders that a `.pth` file adds: one a line, relative to its own folder; `import` lines and
/// comments add none.
fn paths_in(file: &Path, folder: &Path) -> Vec<PathBuf> {
    let Ok(bytes) = read::head(file, 64 * 1024) else {
        return Vec::new();
    };
    String::from_utf8_lossy(&bytes)
        .lines()
        .map(str::trim_end)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with('#')
                && !line.starts_with("import ")
                && !line.starts_with("import\t")
        })
        .map(|line| folder.join(line))
        .take(100)
        .collect()
}

/// Whether a folder holds something that Python imports.
fn holds_code(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.take(MODULE_ENTRIES).flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        [".py", ".pyc", ".so"].iter().any(|end| name.ends_with(end))
    })
}
