//! Runner scripts: `exec uv run --project DIR … litellm "$@"`, as the original writes them.

use std::path::{Path, PathBuf};

/// What a runner script needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// The `uv` that it calls, as written: a bare name or a path.
    pub uv: String,
    /// The folder behind `--project`, absolute, when it can be told without running the script.
    pub project: Option<PathBuf>,
}

/// Reads a runner script; none when it calls no `uv run` unconditionally.
///
/// Only lines that begin at the margin count: an indented one stands in a branch that may not be taken.
/// `script` is the path of the script, to which such folders are mostly relative.
pub fn parse_runner(text: &str, script: &Path) -> Option<Runner> {
    let joined = text.replace("\\\n", " ");
    let mut variables: Vec<(String, PathBuf)> = Vec::new();
    for line in joined.lines() {
        if let Some((name, value)) = assignment(line) {
            if let Some(path) = folder(value, script, &variables) {
                variables.push((name.to_owned(), path));
            }
            continue;
        }
        let words = words(line);
        let command = match words.first().map(String::as_str) {
            Some("exec") => words.get(1..).unwrap_or_default(),
            _ => &words[..],
        };
        let (Some(uv), Some("run")) = (command.first(), command.get(1).map(String::as_str)) else {
            continue;
        };
        if uv.rsplit('/').next() != Some("uv") {
            continue;
        }
        let project = command
            .iter()
            .position(|word| word == "--project" || word == "--directory")
            .and_then(|index| command.get(index + 1).cloned())
            .or_else(|| {
                command
                    .iter()
                    .find_map(|word| word.strip_prefix("--project=").map(str::to_owned))
            });
        return Some(Runner {
            uv: uv.clone(),
            project: project.and_then(|value| folder(&value, script, &variables)),
        });
    }
    None
}

/// `ROOT="…"`, also behind `export` or `readonly`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line
        .strip_prefix("export ")
        .or_else(|| line.strip_prefix("readonly "))
        .unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_');
    is_name.then(|| (name, unquote(value.trim())))
}

/// The words of a line; quotes keep a word together and stay out of it.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_open = false;
    for char in line.chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (Some(_), _) => word.push(char),
            (None, '"' | '\'') => {
                quote = Some(char);
                is_open = true;
            }
            // An indented line begins with an empty word, which is no command.
            (None, ' ' | '\t') => {
                if is_open || !word.is_empty() || words.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            (None, _) => word.push(char),
        }
    }
    if is_open || !word.is_empty() {
        words.push(word);
    }
    words
}

/// The folder that a value names, when it is one of the forms that people write:
/// `/abs`, `$ROOT/..`, `${ROOT}`, `$(dirname "$0")/../..`, `$(cd "$(dirname "$0")/../.." && pwd)`.
fn folder(value: &str, script: &Path, variables: &[(String, PathBuf)]) -> Option<PathBuf> {
    let value = unquote(value.trim());
    let inner = value
        .strip_prefix("$(cd ")
        .or_else(|| value.strip_prefix("$(cd -P "))
        .and_then(|rest| {
            rest.strip_suffix("&& pwd)")
                .or_else(|| rest.strip_suffix("&& pwd -P)"))
        });
    if let Some(inner) = inner {
        let inner = inner.trim().trim_start_matches("-- ");
        return folder(inner, script, variables);
    }
    if let Some(rest) = value.strip_prefix("$(dirname ") {
        let rest = rest.trim_start_matches("-- ");
        for this in [
            "\"$0\"",
            "$0",
            "\"${BASH_SOURCE[0]}\"",
            "${BASH_SOURCE[0]}",
            "\"$BASH_SOURCE\"",
        ] {
            if let Some(below) = rest
                .strip_prefix(this)
                .and_then(|rest| rest.strip_prefix(')'))
            {
                return below_of(script.parent()?, below);
            }
        }
        return None;
    }
    if let Some(rest) = value.strip_prefix('$') {
        let (name, below) = match rest.strip_prefix('{') {
            Some(rest) => rest.split_once('}')?,
            None => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        };
        // The last assignment counts.
        let (_, base) = variables.iter().rev().find(|(known, _)| known == name)?;
        return below_of(base, below);
    }
    below_of(Path::new("/"), value).filter(|_| value.starts_with('/'))
}

fn below_of(base: &Path, below: &str) -> Option<PathBuf> {
    let is_literal = !below.contains(['$', '`', '*', '?', '"', '\'', '(', ')']);
    let below = below.trim_start_matches('/');
    is_literal.then(|| crate::sys::place::normalise(&base.join(below)))
}

fn unquote(text: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<Runner> {
        parse_runner(text, Path::new("/gw/.router/runtime/bin/litellm"))
    }

    #[test]
    fn the_project_is_found_in_every_usual_spelling() {
        for (line, project) in [
            (
                "exec uv run --project /srv/gw --group runtime litellm \"$@\"",
                "/srv/gw",
            ),
            (
                "exec uv run --project \"/srv/my gw\" litellm \"$@\"",
                "/srv/my gw",
            ),
            ("uv run --project=/srv/gw litellm", "/srv/gw"),
            ("R=/srv/gw\nexec uv run --project \"$R\" litellm", "/srv/gw"),
            (
                "D=\"$(cd \"$(dirname \"${BASH_SOURCE[0]}\")\" && pwd)\"\nexec uv run --project \"${D}/../../..\" \\\n  litellm \"$@\"",
                "/gw",
            ),
            (
                "ROOT=\"$(cd \"$(dirname \"$0\")/../../..\" && pwd)\"\nexec uv run --project \"$ROOT\" litellm",
                "/gw",
            ),
        ] {
            let runner = read(&format!("#!/usr/bin/env bash\nset -euo pipefail\n{line}\n"));
            let expected = Runner {
                uv: "uv".into(),
                project: Some(project.into()),
            };
            assert_eq!(runner, Some(expected), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_told_without_running_is_left_open() {
        let runner = read("exec /opt/uv run --project \"$(find_root)\" litellm\n").unwrap();
        assert_eq!(runner.uv, "/opt/uv");
        assert_eq!(runner.project, None);
        assert_eq!(
            read("if have uv; then\n  exec uv run --project /x litellm\nfi\n"),
            None
        );
        assert_eq!(read("exec /opt/venv/bin/litellm \"$@\"\n"), None);
        assert_eq!(read("# exec uv run\n"), None);
    }

    proptest! {
        #[test]
        fn no_script_makes_it_panic(text in "([A-Z]=|uv run |exec |--project |[\"'$(){}/. a-zé0\n\\\\]{0,9}){0,14}") {
            read(&text);
        }
    }
}
