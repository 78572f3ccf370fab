//! What the environment of an interpreter holds and lacks.

use std::path::{Path, PathBuf};

use flowgate_checks::model::{Observed, PackageFacts};

use super::environment::{Environment, find};
use super::site::Site;
use crate::sys::place::Root;

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

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the environments that are looked at"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::packages::REQUIRED;
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
