//! LiteLLM as installed, and copies of its environment that can be damaged.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::process::{read, write};

/// The variable that names the environment.
pub const VARIABLE: &str = "FLOWGATE_REAL_LITELLM";

/// A Python environment that holds LiteLLM.
pub struct Package {
    root: PathBuf,
}

/// The environment that the variable names.
pub fn named() -> Option<Package> {
    let root = PathBuf::from(std::env::var_os(VARIABLE).filter(|value| !value.is_empty())?);
    let package = Package::at(root);
    let script = package.script();
    assert!(script.is_file(), "{VARIABLE}: no {}", script.display());
    Some(package)
}

impl Package {
    /// The one in a folder.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The program.
    pub fn script(&self) -> PathBuf {
        self.root.join("bin/litellm")
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.root.join("bin/python3")
    }

    /// A copy in a folder that does not exist yet, made of links: quick, small, and what is changed
    /// in it stays in it. The packages named in `without` are left out.
    pub fn copy_to(&self, root: &Path, without: &[&str]) -> Self {
        let site = self.site_packages();
        let own_site = root.join(site.strip_prefix(&self.root).unwrap());
        std::fs::create_dir_all(&own_site).unwrap();
        std::fs::create_dir_all(root.join("bin")).unwrap();
        for entry in std::fs::read_dir(&site).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            if !without.iter().any(|hidden| is_of(&name, hidden)) {
                symlink(entry.path(), own_site.join(&name)).unwrap();
            }
        }
        let interpreter = self.python().canonicalize().unwrap();
        symlink(interpreter, root.join("bin/python3")).unwrap();
        write(
            &root.join("pyvenv.cfg"),
            &read(&self.root.join("pyvenv.cfg")),
            0o644,
        );
        let copy = Self::at(root.to_owned());
        copy.write_script(&copy.python());
        copy
    }

    /// Writes the script anew for an interpreter, as an installer does.
    pub fn write_script(&self, interpreter: &Path) {
        let script = "# -*- coding: utf-8 -*-\nimport sys\nfrom litellm import run_server\nsys.exit(run_server())\n";
        let shebang = format!("#!{}\n", interpreter.display());
        write(&self.script(), &(shebang + script), 0o755);
    }

    fn site_packages(&self) -> PathBuf {
        let mut folders = std::fs::read_dir(self.root.join("lib")).unwrap();
        let python = folders.find_map(|entry| {
            let site = entry.unwrap().path().join("site-packages");
            site.is_dir().then_some(site)
        });
        python.unwrap_or_else(|| panic!("no packages below {}", self.root.display()))
    }
}

/// Whether an entry of `site-packages` belongs to a package: the folder, the module, the metadata.
fn is_of(entry: &str, package: &str) -> bool {
    entry
        .strip_prefix(package)
        .is_some_and(|rest| rest.is_empty() || rest == ".py" || rest.starts_with('-'))
}
