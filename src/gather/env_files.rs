//! The `.env` files of a service, by the names in them alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flowgate_checks::model::{EnvFile, EnvVariable, Observed, Program, ProgramState, ServiceKind};
use secrecy::SecretString;

use super::context::Context;
use super::environment::{changes_behaviour, interpret};
use crate::config::secrets;
use crate::config::service::ServiceConfig;
use crate::sys::read;
use crate::sys::redact::Redactor;

/// A larger file is no `.env`.
const LARGEST: u64 = 256 * 1024;

/// The file that the program reads by itself, and those that lie where a person would put one: in
/// its working directory and at the root. Only names that configs reference or that change
/// behaviour are told.
pub fn look(
    service: &ServiceConfig,
    program: Option<&Program>,
    referenced: &BTreeSet<String>,
    context: &Context,
) -> Vec<EnvFile> {
    let cwd = service.cwd.as_deref().unwrap_or(&context.cwd);
    let own = match service.kind {
        ServiceKind::Litellm => package_of(program, context).and_then(|from| nearest(&from)),
        // CLIProxyAPI reads the one in its working directory (facts/cliproxyapi.md section 1.3).
        ServiceKind::Cliproxyapi => Some(cwd.join(".env")).filter(|path| path.is_file()),
        ServiceKind::Other => None,
    };
    let mut files: Vec<EnvFile> = Vec::new();
    for path in own
        .iter()
        .cloned()
        .chain([cwd.join(".env"), context.root.resolve(".env")])
    {
        let shown = context.show(&path);
        if files.iter().any(|file| file.path == shown) {
            continue;
        }
        let Ok(bytes) = read::whole(&path, LARGEST) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        files.push(EnvFile {
            values: values(&text, context),
            names: names(&text, referenced, &context.redactor),
            is_read: own.as_ref() == Some(&path),
            path: shown,
        });
    }
    files
}

/// Where LiteLLM's package lies, from which it looks upwards (facts/litellm.md section 3.5).
fn package_of(program: Option<&Program>, context: &Context) -> Option<PathBuf> {
    let ProgramState::File(file) = &program?.state else {
        return None;
    };
    match &file.packages {
        Observed::Known(packages) => Some(
            context
                .root
                .resolve(&packages.site_packages)
                .join("litellm"),
        ),
        Observed::Unknown(_) | Observed::NotAsked => None,
    }
}

fn nearest(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .map(|folder| folder.join(".env"))
        .find(|path| path.is_file())
}

/// The names that matter among the lines of a `.env`: `export A=1`, `A = "x"`, `# no line`.
fn names(text: &str, referenced: &BTreeSet<String>, redactor: &Redactor) -> Vec<String> {
    let mut names = BTreeSet::new();
    for (name, value) in text.lines().filter_map(assignment) {
        if value.is_empty() {
            continue;
        }
        if secrets::is_secret_name(name) || secrets::has_secret_form(value) {
            redactor.learn(&SecretString::from(value.to_owned()));
        }
        if referenced.contains(name) || changes_behaviour(name) {
            names.insert(name.to_owned());
        }
    }
    names.into_iter().collect()
}

/// The values that are known to be no secret; the others are learnt by the redactor.
fn values(text: &str, context: &Context) -> BTreeMap<String, String> {
    let pairs = text
        .lines()
        .filter_map(assignment)
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let look = interpret(
        pairs,
        &BTreeSet::new(),
        &context.fingerprinter,
        &context.redactor,
    );
    look.variables
        .into_iter()
        .filter_map(|(name, variable)| match variable {
            EnvVariable::Text(text) => Some((name, text)),
            EnvVariable::Secret { .. } | EnvVariable::Empty => None,
        })
        .collect()
}

/// `export NAME = "value" # comment` is NAME and value; none for a line that is no assignment.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = value.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        _ => value
            .split_once(" #")
            .map_or(value, |(value, _)| value.trim_end()),
    };
    is_name.then_some((name, value))
}

#[cfg(test)]
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
            assert_eq!(assignment(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}") {
            assignment(&line);
        }
    }

    #[test]
    fn only_names_that_matter_and_have_a_value_are_told() {
        let redactor = Redactor::default();
        let referenced = BTreeSet::from(["UPSTREAM_KEY".to_owned(), "EMPTY_KEY".to_owned()]);
        let text = "# UPSTREAM_OLD=1\nexport UPSTREAM_KEY = \"lab-upstream-0001\"\nEMPTY_KEY=\n\
                    PORT=4001\nEDITOR=vi\nno line\n=x\n";
        assert_eq!(
            names(text, &referenced, &redactor),
            ["PORT", "UPSTREAM_KEY"]
        );
        assert_eq!(redactor.clean("lab-upstream-0001"), "[redacted]");
    }

    #[test]
    fn the_nearest_file_above_the_package_is_the_one() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("venv/lib/litellm");
        std::fs::create_dir_all(&package).unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test prepares its own file")]
        std::fs::write(folder.path().join("venv/.env"), "A=1").unwrap();
        assert_eq!(nearest(&package), Some(folder.path().join("venv/.env")));
    }
}
