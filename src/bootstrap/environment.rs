//! A Python environment, made by uv where it is found, else by Python and pip.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::{BootstrapError, Reason};
use super::run::{self, ToolError};
use super::watch::{Doing, Watch};
use crate::sys::on_path::find_executable;
use crate::sys::{plain, python, read};

/// A config of a tool is far smaller, in bytes.
const LARGEST: u64 = 64 << 10;

/// What can make environments here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tools {
    /// uv.
    pub uv: Option<PathBuf>,
    /// A Python of the system that can make environments.
    pub python: Option<PathBuf>,
}

/// Who installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installer {
    /// uv, with a Python of the system where there is one.
    Uv {
        /// uv.
        uv: PathBuf,
        /// Python; without one uv brings its own.
        python: Option<PathBuf>,
    },
    /// Python, and the pip that it brings.
    Pip {
        /// Python.
        python: PathBuf,
    },
}

impl Tools {
    /// Looks on PATH.
    pub fn find() -> Self {
        let path = std::env::var_os("PATH");
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        Self {
            uv: find_executable("uv", path.as_deref(), &cwd),
            python: python::find(path.as_deref(), &cwd),
        }
    }

    /// Who installs; none when nothing here can. Where only pip was told of an index of the user's
    /// own, pip is asked: uv would ask the public one.
    pub fn installer(&self) -> Option<Installer> {
        self.installer_with(is_only_pip_told())
    }

    fn installer_with(&self, is_only_pip_told: bool) -> Option<Installer> {
        match (&self.uv, &self.python) {
            (_, Some(python)) if self.uv.is_none() || is_only_pip_told => Some(Installer::Pip {
                python: python.clone(),
            }),
            (Some(uv), python) => Some(Installer::Uv {
                uv: uv.clone(),
                python: python.clone(),
            }),
            (None, _) => None,
        }
    }
}

/// Whether pip has an index of the user's own and uv has none.
fn is_only_pip_told() -> bool {
    let is_set = |names: &[&str]| names.iter().any(|name| std::env::var_os(name).is_some());
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let named = std::env::var_os("PIP_CONFIG_FILE").map(PathBuf::from);
    let below = |below: &str| home.as_ref().map(|home| home.join(below));
    let files = [
        named,
        below(".config/pip/pip.conf"),
        below(".pip/pip.conf"),
        Some(PathBuf::from("/etc/pip.conf")),
    ];
    let names_an_index = |path: &PathBuf| {
        let text = read::whole(path, LARGEST).unwrap_or_default();
        String::from_utf8_lossy(&text).contains("index-url")
    };
    let pip = is_set(&["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"])
        || files.iter().flatten().any(names_an_index);
    let uv = is_set(&[
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_EXTRA_INDEX_URL",
    ]) || below(".config/uv/uv.toml").is_some_and(|path| path.exists());
    pip && !uv
}

impl Installer {
    /// Its name in the manifest.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Uv { .. } => "uv",
            Self::Pip { .. } => "pip",
        }
    }

    /// Makes an environment in `folder`, which is not there yet, with exactly what `list` names, each
    /// file with the digest that it gives, and compiles it: the first start is three times as slow
    /// otherwise.
    ///
    /// # Errors
    /// One sentence; what is in `folder` then is of no use.
    pub fn make(
        &self,
        folder: &Path,
        list: &Path,
        count: usize,
        watch: &dyn Watch,
    ) -> Result<(), BootstrapError> {
        let above = folder.parent().unwrap_or(Path::new("/"));
        let inner = folder.join("bin/python");
        let quiet = &mut |_: &str| {};
        watch.step("environment");
        match self {
            Self::Uv { uv, python } => {
                let mut args = words(&["venv", "--quiet"]);
                if let Some(python) = python {
                    args.extend([OsString::from("--python"), python.into()]);
                }
                args.push(folder.into());
                run::run(uv, &args, above, quiet).map_err(|error| sentence(&error))?;
                let mut args = words(&["pip", "install", "--compile-bytecode", "--python"]);
                args.push(inner.into());
                args.extend(strict(list));
                self.packages(uv, &args, folder, count, watch)
            }
            Self::Pip { python } => {
                let mut args = words(&["-m", "venv"]);
                args.push(folder.into());
                run::run(python, &args, above, quiet).map_err(|error| sentence(&error))?;
                let mut args = words(&[
                    "-m",
                    "pip",
                    "install",
                    "--disable-pip-version-check",
                    "--no-input",
                    "--no-compile",
                ]);
                args.extend(strict(list));
                self.packages(&inner, &args, folder, count, watch)?;
                watch.step("compile");
                let mut args = words(&["-m", "compileall", "-q", "-j", "0"]);
                args.extend(site_packages(folder).map(OsString::from));
                // Packages bring files for other versions of Python, which do not compile: what
                // counts is that the others are.
                match run::run(&inner, &args, folder, quiet) {
                    Ok(()) | Err(ToolError::Failed { .. }) => Ok(()),
                    Err(error) => Err(sentence(&error)),
                }
            }
        }
    }

    fn packages(
        &self,
        program: &Path,
        args: &[OsString],
        folder: &Path,
        total: usize,
        watch: &dyn Watch,
    ) -> Result<(), BootstrapError> {
        let mut collected = BTreeSet::new();
        watch.step("packages");
        let ran = run::run(program, args, folder, &mut |line| {
            // pip tells what it obtains; what is installed shows in the folder.
            if let Some(name) = line.trim_start().strip_prefix("Collecting ") {
                collected.insert(name.split(['=', ' ']).next().unwrap_or(name).to_owned());
            }
            let installed = installed(folder);
            let (verb, done) = match installed > 1 || collected.is_empty() {
                true => ("install", installed),
                false => ("obtain", collected.len()),
            };
            watch.note(Doing::Packages {
                verb,
                done: done.min(total),
                total,
            });
        });
        ran.map_err(|error| sentence(&error))
    }
}

/// Nothing but what the list names, nothing without a digest, nothing that would be built here.
fn strict(list: &Path) -> Vec<OsString> {
    let mut args = words(&[
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-r",
    ]);
    args.push(list.into());
    args
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// The folder of the packages of an environment.
pub fn site_packages(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder.join("lib")).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|path| path.is_dir())
}

/// The metadata folders of the packages of an environment, sorted.
pub fn metadata(folder: &Path) -> Vec<PathBuf> {
    let entries = site_packages(folder).and_then(|site| std::fs::read_dir(site).ok());
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "dist-info"))
        .collect();
    found.sort();
    found
}

fn installed(folder: &Path) -> usize {
    metadata(folder).len()
}

/// The version of the Python of an environment.
pub fn python_version(folder: &Path) -> Option<String> {
    let text = read::whole(&folder.join("pyvenv.cfg"), LARGEST).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| ["version", "version_info"].contains(&key.trim()))
        .map(|(_, version)| version.trim().to_owned())
}

/// Words by which the tools say that a digest is not the one of the list.
const MISMATCH: [&str; 3] = ["DO NOT MATCH THE HASHES", "Hash mismatch", "hash mismatch"];

/// Words by which they say that the index cannot be reached.
const UNREACHABLE: [&str; 9] = [
    "NewConnectionError",
    "Failed to establish",
    "Name or service not known",
    "Temporary failure in name resolution",
    "ConnectTimeoutError",
    "ProxyError",
    "dns error",
    "Failed to fetch",
    "error sending request",
];

/// Why the packages are not there, in one sentence.
fn sentence(error: &ToolError) -> BootstrapError {
    let ToolError::Failed { program, lines } = error else {
        return BootstrapError::new(Reason::Packages, error.to_string());
    };
    let with = |words: &[&str]| {
        let has = |line: &&String| words.iter().any(|word| line.contains(word));
        lines.iter().find(has)
    };
    let begin = lines
        .iter()
        .position(|line| MISMATCH.iter().any(|word| line.contains(word)));
    if let Some(begin) = begin {
        // The lines before it name packages that are as they should be.
        let package = lines[begin..]
            .iter()
            .find_map(|line| mismatched(line))
            .map_or_else(|| "a package".to_owned(), |name| plain::cut(&name, 80));
        return BootstrapError::new(
            Reason::HashMismatch,
            format!(
                "the file of {package} has another sha256 than the list gives; nothing was installed"
            ),
        );
    }
    if with(&["No space left on device"]).is_some() {
        return BootstrapError::new(
            Reason::Disk,
            "the disk became full while packages were installed",
        );
    }
    if let Some(line) = with(&UNREACHABLE) {
        return BootstrapError::new(
            Reason::Unreachable,
            format!(
                "the package index cannot be reached: {}",
                plain::cut(line.trim(), 160)
            ),
        );
    }
    // pip repeats itself; the first line that it calls an error says why.
    let why = lines
        .iter()
        .find(|line| line.trim_start().to_lowercase().starts_with("error"))
        .or(lines.last())
        .map_or("it said nothing", |line| line.trim());
    BootstrapError::new(
        Reason::Packages,
        format!("{program} failed: {}", plain::cut(why, 200)),
    )
}

/// The package of a line such as `idna==3.7 from …:` (pip) or ``Hash mismatch for `idna==3.7` `` (uv).
fn mismatched(line: &str) -> Option<String> {
    let word = line
        .split([' ', '`'])
        .find(|word| word.contains("==") || word.ends_with(".whl"))?;
    Some(word.trim_matches([':', ',', '`', '(']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(lines: &[&str]) -> BootstrapError {
        sentence(&ToolError::Failed {
            program: "python".into(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        })
    }

    #[test]
    fn uv_is_asked_before_pip_unless_pip_alone_knows_the_index() {
        let (uv, python) = (
            Some(PathBuf::from("/uv")),
            Some(PathBuf::from("/python3.11")),
        );
        let name = |uv: &Option<PathBuf>, python: &Option<PathBuf>, told| {
            let tools = Tools {
                uv: uv.clone(),
                python: python.clone(),
            };
            tools.installer_with(told).map(|installer| installer.name())
        };
        assert_eq!(name(&uv, &python, false), Some("uv"));
        assert_eq!(name(&uv, &python, true), Some("pip"));
        assert_eq!(name(&uv, &None, true), Some("uv"));
        assert_eq!(name(&None, &python, false), Some("pip"));
        assert_eq!(name(&None, &None, false), None);
    }

    #[test]
    fn what_the_tools_say_becomes_one_sentence() {
        let pip = failed(&[
            "Collecting click==8.1 (from -r list (line 1))",
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "    idna==3.7 from https://index.example.net/idna.whl (from -r list (line 1)):",
            "        Expected sha256 00",
        ]);
        assert_eq!(pip.reason, Reason::HashMismatch);
        assert!(
            pip.sentence
                .starts_with("the file of idna==3.7 has another sha256"),
            "{pip}"
        );
        let uv = failed(&[
            "  × Failed to download `idna==3.7`",
            "  ╰─▶ Hash mismatch for `idna==3.7`",
        ]);
        assert_eq!(uv.reason, Reason::HashMismatch);
        assert!(uv.sentence.contains("idna==3.7"), "{uv}");
        let offline = failed(&[
            "WARNING: Retrying … NewConnectionError('x: Failed to establish a new connection')",
            "ERROR: No matching distribution found for idna==3.7",
        ]);
        assert_eq!(offline.reason, Reason::Unreachable);
        let other = failed(&[
            "ERROR: Could not find a version",
            "ERROR: No matching distribution",
        ]);
        assert_eq!(
            other.sentence,
            "python failed: ERROR: Could not find a version"
        );
    }
}
