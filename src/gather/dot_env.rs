//! The `.env` files that the programs load by themselves.

use std::path::{Path, PathBuf};

use flowgate_checks::model::{DotEnv, Observed, Program, ProgramState, ServiceKind, Unknown};
use flowgate_checks::shell;

use super::context::Context;
use super::environment;
use crate::config::service::ServiceConfig;
use crate::sys::read::{self, ReadError};

/// A larger file is no list of variables.
const LARGEST: u64 = 64 * 1024;

/// At most so many folders are looked into.
const FOLDERS: usize = 40;

/// The `.env` file that a service loads; not asked when there is none.
///
/// CLIProxyAPIPlus reads the one in its working directory, LiteLLM the first one on the way up from
/// where it is installed (`facts/cliproxyapi.md` 1.3, `facts/litellm.md` 3.5).
pub fn of_service(
    service: &ServiceConfig,
    program: Option<&Program>,
    context: &Context,
) -> Observed<DotEnv> {
    let path = match service.kind {
        ServiceKind::Cliproxyapi => {
            let cwd = service.cwd.as_deref().unwrap_or(&context.cwd);
            Some(cwd.join(".env")).filter(|path| is_there(path))
        }
        ServiceKind::Litellm => program
            .and_then(site_packages)
            .and_then(|folder| above(&context.root.resolve(&folder).join("litellm"))),
        ServiceKind::Other => None,
    };
    path.map_or(Observed::NotAsked, |path| look(&path, context))
}

fn site_packages(program: &Program) -> Option<String> {
    match &program.state {
        ProgramState::File(file) => Some(file.packages.known()?.site_packages.clone()),
        _ => None,
    }
}

fn above(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .take(FOLDERS)
        .map(|folder| folder.join(".env"))
        .find(|path| is_there(path))
}

fn is_there(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file())
}

fn look(path: &Path, context: &Context) -> Observed<DotEnv> {
    match read::whole(path, LARGEST) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let look = environment::interpret(
                text.lines().filter_map(assignment),
                &std::collections::BTreeSet::new(),
                &context.fingerprinter,
                &context.redactor,
            );
            Observed::Known(DotEnv {
                path: context.show(path),
                variables: look.variables,
            })
        }
        // It went away meanwhile.
        Err(ReadError::Missing) => Observed::NotAsked,
        Err(error) => Observed::Unknown(Unknown {
            why: format!("{}: {error}", context.show(path)),
            command: Some(format!(
                "ls -l {}",
                shell::quote(&path.display().to_string())
            )),
        }),
    }
}

/// `export NAME = "value" # comment` is NAME and value.
fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = value.trim();
    let quote = value
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let value = match quote {
        Some(quote) => {
            let inner = &value[1..];
            inner.split(quote).next().unwrap_or(inner)
        }
        None => value
            .split_once(" #")
            .map_or(value, |(value, _)| value.trim_end()),
    };
    is_name.then(|| (name.to_owned(), value.to_owned()))
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn assignments_are_read_as_the_programs_read_them() {
        for (line, expected) in [
            ("PORT=4001", Some(("PORT", "4001"))),
            ("export PORT = \"4001\" # moved", Some(("PORT", "4001"))),
            ("PORT='40 01'", Some(("PORT", "40 01"))),
            ("PORT=4001 # moved", Some(("PORT", "4001"))),
            ("PORT=", Some(("PORT", ""))),
            ("# PORT=4001", None),
            ("PORT", None),
            ("", None),
        ] {
            let read = assignment(line);
            let read = read
                .as_ref()
                .map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(read, expected, "{line}");
        }
    }

    #[test]
    fn the_nearest_file_above_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("venv/lib/site-packages/litellm");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(dir.path().join(".env"), "PORT=1\n").unwrap();
        assert_eq!(above(&deep), Some(dir.path().join(".env")));
        std::fs::write(dir.path().join("venv/.env"), "PORT=2\n").unwrap();
        assert_eq!(above(&deep), Some(dir.path().join("venv/.env")));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}") {
            assignment(&line);
        }
    }
}
