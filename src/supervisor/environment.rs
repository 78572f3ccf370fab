//! The variables that a service gets.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use crate::config::service::ServiceConfig;
use crate::sys::read::{self, ReadError};

/// An `env_file` is never larger.
const LARGEST: u64 = 256 * 1024;

/// Names of this machine that no proxy may capture.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// The variables of a service: those of the caller, over them its `env_file`, over them its `env`;
/// then what flowgate always sets.
///
/// # Errors
/// [`ReadError`], when the `env_file` cannot be read.
pub fn of(
    service: &ServiceConfig,
    caller: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ReadError> {
    let mut env = caller.clone();
    if let Some(path) = &service.env_file {
        let bytes = read::whole(path, LARGEST)?;
        env.extend(parse(&String::from_utf8_lossy(&bytes)));
    }
    for (name, value) in &service.env {
        env.insert(name.clone(), value.expose_secret().to_owned());
    }
    // Without it a start waits for a server far away (facts/litellm.md section 5).
    env.insert("LITELLM_LOCAL_MODEL_COST_MAP".into(), "True".into());
    let listed = ["NO_PROXY", "no_proxy"].map(|name| env.get(name).cloned().unwrap_or_default());
    let merged = with_loopback(&listed);
    for name in ["NO_PROXY", "no_proxy"] {
        env.insert(name.into(), merged.clone());
    }
    // What no process can be given would keep the service from starting at all.
    env.retain(|name, value| {
        !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
    });
    Ok(env)
}

/// Both lists as one, with loopback; programs differ in which of the two they read.
fn with_loopback(lists: &[String]) -> String {
    let mut all: Vec<&str> = Vec::new();
    let listed = lists.iter().flat_map(|list| list.split(','));
    for entry in listed.map(str::trim).chain(LOOPBACK) {
        if !entry.is_empty() && !all.contains(&entry) {
            all.push(entry);
        }
    }
    all.join(",")
}

/// The lines `NAME=value` of an env file; `export `, quotes around a value, empty lines and
/// comments are taken as a shell would. Nothing is expanded.
fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=')?;
            let name = name.trim();
            let is_name = !name.is_empty()
                && name
                    .chars()
                    .all(|char| char.is_ascii_alphanumeric() || char == '_');
            is_name.then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
        })
        .collect()
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the file that is read"
)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn the_nearer_word_wins_and_what_is_always_set_is_set() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("env");
        std::fs::write(
            &file,
            "# c\nexport A=file\nB='file b'\n\nnot a pair\nC=\"x\"\n",
        )
        .unwrap();
        let mut service = ServiceConfig::named("litellm");
        service.env_file = Some(file);
        service.env.insert("C".into(), SecretString::from("env"));
        let caller = map(&[("A", "shell"), ("D", "shell"), ("no_proxy", "corp, ::1")]);
        let env = of(&service, &caller).unwrap();
        assert_eq!(
            env,
            map(&[
                ("A", "file"),
                ("B", "file b"),
                ("C", "env"),
                ("D", "shell"),
                ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
                ("NO_PROXY", "corp,::1,127.0.0.1,localhost"),
                ("no_proxy", "corp,::1,127.0.0.1,localhost"),
            ])
        );
    }

    #[test]
    fn an_env_file_that_is_not_there_is_said() {
        let mut service = ServiceConfig::named("litellm");
        service.env_file = Some("/nowhere/env".into());
        assert!(of(&service, &BTreeMap::new()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            parse(&text);
        }
    }
}
