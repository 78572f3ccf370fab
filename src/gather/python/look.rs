//! Which packages an environment holds, by its modules and its metadata.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use flowgate_checks::model::{Observed, PackageFacts};

use super::environment::{Environment, find};
use super::packages::{REQUIRED, declared, normal_name, version_of};
use crate::sys::place::Root;
use crate::sys::read;

/// At most so many entries of a folder are read.
const ENTRIES: usize = 20_000;

/// At most so many entries of a module are looked at.
const MODULE_ENTRIES: usize = 500;

/// Where LiteLLM comes in through FastAPI alone, so that its own metadata does not name it.
const INDIRECT: [&str; 2] = ["litellm", "starlette"];

/// Reads the environment of an interpreter. A package is called missing only when nothing else
/// can bring it; what is in doubt is unknown. Blocking.
pub fn look(interpreter: &Path, has_python_path: bool, root: &Root) -> Observed<PackageFacts> {
    let (folders, is_closed) = match find(interpreter) {
        Environment::Virtual { folders, is_closed } => (folders, is_closed),
        Environment::Whole { folders } => (folders, false),
        Environment::Unseen { instead, .. } => return unseen(&instead, has_python_path, root),
        Environment::Unclear(why) => return Observed::unknown(why),
    };
    let Some(first) = folders.first().cloned() else {
        return Observed::unknown("its site-packages folder is gone");
    };
    let site = match Site::read(folders) {
        Ok(site) => site,
        Err(why) => return Observed::unknown(why),
    };
    let missing = site.missing();
    if !missing.is_empty() && (!is_closed || has_python_path) {
        return Observed::unknown(format!(
            "{} may come from outside {}",
            missing.join(", "),
            root.show(&first)
        ));
    }
    Observed::Known(PackageFacts {
        site_packages: root.show(&first),
        litellm: site.version("litellm"),
        missing,
    })
}

/// Python looks elsewhere: unless LiteLLM is there, too, it cannot find it.
fn unseen(instead: &Path, has_python_path: bool, root: &Root) -> Observed<PackageFacts> {
    // Distributions keep packages beside the standard library, users in their home.
    let version_folder = instead.parent().and_then(Path::file_name);
    let mut places = vec![
        instead.to_owned(),
        instead.with_file_name("dist-packages"),
        PathBuf::from("/usr/lib/python3/dist-packages"),
    ];
    if let Some(version_folder) = version_folder {
        let local = Path::new("/usr/local/lib").join(version_folder);
        places.push(local.join("dist-packages"));
        places.push(local.join("site-packages"));
        if let Some(home) = std::env::home_dir() {
            places.push(
                home.join(".local/lib")
                    .join(version_folder)
                    .join("site-packages"),
            );
        }
    }
    let is_elsewhere = places.iter().any(|place| place.join("litellm").exists());
    if is_elsewhere || has_python_path {
        return Observed::unknown("its Python takes packages from outside the environment");
    }
    Observed::Known(PackageFacts {
        site_packages: root.show(instead),
        litellm: None,
        missing: vec!["litellm".into()],
    })
}

struct Site {
    /// The site-packages folders and those that their `.pth` files add.
    folders: Vec<PathBuf>,
    /// The names in all of them.
    names: BTreeSet<String>,
}

impl Site {
    fn read(mut folders: Vec<PathBuf>) -> Result<Self, String> {
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

    fn missing(&self) -> Vec<String> {
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

    fn version(&self, package: &str) -> Option<String> {
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

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the environments that are looked at"
)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A virtual environment in a temp dir, made from a whole Python beside it.
    struct Venv(tempfile::TempDir);

    impl Venv {
        fn new() -> Self {
            let venv = Self(tempfile::tempdir().unwrap());
            venv.write("base/lib/python3.11/os.py", "");
            venv.write("base/lib/python3.11/site-packages/README", "");
            venv.write("base/bin/python3.11", "");
            venv.write("base/bin/python3.12", "");
            venv.write("venv/pyvenv.cfg", "home = /x\nversion = 3.11.7\n");
            fs::create_dir_all(venv.at("venv/bin")).unwrap();
            symlink(venv.at("base/bin/python3.11"), venv.at("venv/bin/python")).unwrap();
            for (package, module) in REQUIRED {
                venv.write(&format!("{SITE}/{module}/__init__.py"), "");
                venv.write(&format!("{SITE}/{package}-1.0.dist-info/METADATA"), "");
            }
            venv.remove("litellm-1.0.dist-info");
            venv.write(
                &format!("{SITE}/litellm-1.106.2.dist-info/METADATA"),
                &REQUIRED
                    .iter()
                    .filter(|(package, _)| *package != "starlette")
                    .map(|(package, _)| format!("Requires-Dist: {package}>=1\n"))
                    .collect::<String>(),
            );
            venv
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.at(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn remove(&self, name: &str) {
            fs::remove_dir_all(self.at(SITE).join(name)).unwrap();
        }

        fn look(&self) -> Observed<PackageFacts> {
            let root = Root::new(self.at(""));
            look(&self.at("venv/bin/python"), false, &root)
        }

        fn known(&self) -> PackageFacts {
            self.look().known().unwrap().clone()
        }
    }

    const SITE: &str = "venv/lib/python3.11/site-packages";

    #[test]
    fn a_whole_environment_lacks_nothing() {
        let facts = Venv::new().known();
        assert_eq!(facts.site_packages, SITE);
        assert_eq!(facts.litellm.as_deref(), Some("1.106.2"));
        assert_eq!(facts.missing, [""; 0]);
    }

    #[test]
    fn the_module_decides_and_not_the_metadata() {
        let venv = Venv::new();
        venv.remove("click-1.0.dist-info");
        venv.remove("litellm-1.106.2.dist-info");
        let facts = venv.known();
        assert_eq!(facts.missing, [""; 0]);
        assert_eq!(facts.litellm, None);
        venv.remove("fastapi");
        venv.remove("yaml");
        fs::create_dir(venv.at(SITE).join("yaml")).unwrap();
        assert_eq!(venv.known().missing, ["fastapi", "pyyaml"]);
    }

    #[test]
    fn what_litellm_does_not_declare_is_not_missed() {
        let venv = Venv::new();
        venv.write(
            &format!("{SITE}/litellm-1.106.2.dist-info/METADATA"),
            "Requires-Dist: fastapi\n",
        );
        venv.remove("backoff");
        assert_eq!(venv.known().missing, [""; 0]);
        venv.remove("starlette");
        assert_eq!(venv.known().missing, ["starlette"]);
    }

    #[test]
    fn a_dangling_python_still_tells_its_packages() {
        let venv = Venv::new();
        fs::remove_file(venv.at("base/bin/python3.11")).unwrap();
        venv.remove("uvloop");
        assert_eq!(venv.known().missing, ["uvloop"]);
    }

    #[test]
    fn an_environment_without_its_settings_is_not_seen_by_python() {
        let venv = Venv::new();
        fs::remove_file(venv.at("venv/pyvenv.cfg")).unwrap();
        let facts = venv.known();
        assert_eq!(facts.missing, ["litellm"]);
        assert_eq!(facts.site_packages, "base/lib/python3.11/site-packages");
        venv.write("base/lib/python3.11/site-packages/litellm/__init__.py", "");
        assert!(venv.look().why_unknown().is_some());
    }

    #[test]
    fn a_python_of_another_version_does_not_see_the_packages() {
        let venv = Venv::new();
        fs::remove_file(venv.at("venv/bin/python")).unwrap();
        symlink(venv.at("base/bin/python3.12"), venv.at("venv/bin/python")).unwrap();
        let facts = venv.known();
        assert_eq!(facts.missing, ["litellm"]);
        assert_eq!(facts.site_packages, "venv/lib/python3.12/site-packages");
    }

    #[test]
    fn what_may_come_from_elsewhere_is_unknown_and_never_missing() {
        let venv = Venv::new();
        venv.remove("httpx");
        venv.write(
            "venv/pyvenv.cfg",
            "include-system-site-packages = true\nversion = 3.11.7\n",
        );
        assert!(venv.look().why_unknown().is_some());
        venv.write("venv/pyvenv.cfg", "version = 3.11.7\n");
        assert_eq!(venv.known().missing, ["httpx"]);
        let root = Root::new(venv.at(""));
        let read = look(&venv.at("venv/bin/python"), true, &root);
        assert!(read.why_unknown().is_some());
    }

    #[test]
    fn path_files_and_editable_installs_bring_modules() {
        let venv = Venv::new();
        venv.remove("httpx");
        venv.remove("click");
        venv.write("elsewhere/httpx/__init__.py", "");
        let line = venv.at("elsewhere").display().to_string();
        venv.write(
            &format!("{SITE}/more.pth"),
            &format!("# x\nimport sys\n{line}\n"),
        );
        venv.write(&format!("{SITE}/__editable___click_8_1_finder.py"), "");
        assert_eq!(venv.known().missing, [""; 0]);
    }

    #[test]
    fn the_python_of_the_system_is_not_judged() {
        let venv = Venv::new();
        let root = Root::new(venv.at(""));
        venv.write("usr/bin/python3", "");
        let read = look(&venv.at("usr/bin/python3"), false, &root);
        assert!(read.why_unknown().is_some());
    }
}
