//! Logins that other programs of this user keep for themselves, by the fingerprints of their refresh
//! tokens: a refresh token is good for one renewal (`facts/cliproxyapi.md` 5.4).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flowgate_checks::model::ForeignLogin;
use secrecy::SecretString;
use serde_json::Value;

use crate::gather::files;
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::read;
use crate::sys::redact::Redactor;

/// Longest file that is read.
const FILE_LIMIT: u64 = 256 * 1024;

/// Most files of another gateway's auth dir that are read.
const MOST_FILES: usize = 200;

/// Most refresh tokens that are taken from one file.
const MOST_TOKENS: usize = 16;

/// How deep a document is searched.
const DEEPEST: usize = 8;

/// Where programs keep their logins, below the home of their user.
const PROGRAMS: [(&str, &str); 8] = [
    ("Codex CLI", ".codex/auth.json"),
    ("Claude Code", ".claude/.credentials.json"),
    ("Gemini CLI", ".gemini/oauth_creds.json"),
    ("Qwen Code", ".qwen/oauth_creds.json"),
    ("iFlow CLI", ".iflow/oauth_creds.json"),
    ("Kiro", ".aws/sso/cache/kiro-auth-token.json"),
    ("Kiro", ".kiro/kiro-auth-token.json"),
    ("opencode", ".local/share/opencode/auth.json"),
];

/// The auth dir that CLIProxyAPI takes by itself: most often that of another gateway.
const DEFAULT_AUTH_DIR: &str = ".cli-proxy-api";

/// Looks below a home for files that hold refresh tokens; those in `own` dirs are no other program's.
/// `codex_home` is `$CODEX_HOME`. Blocks on the file system.
pub fn look(
    home: &Path,
    codex_home: Option<&Path>,
    own: &[PathBuf],
    root: &Root,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> BTreeMap<String, ForeignLogin> {
    let own: BTreeSet<PathBuf> = own
        .iter()
        .filter_map(|dir| dir.canonicalize().ok())
        .collect();
    let single = PROGRAMS
        .iter()
        .map(|(program, below)| (*program, home.join(below)))
        .chain(codex_home.map(|codex| ("Codex CLI", codex.join("auth.json"))));
    let shared = files::token_files(&home.join(DEFAULT_AUTH_DIR)).unwrap_or_default();
    let of_gateway = shared
        .paths
        .into_iter()
        .take(MOST_FILES)
        .map(|path| ("another gateway", path));
    let mut found = BTreeMap::new();
    for (program, path) in single.chain(of_gateway) {
        // A link to a file of this gateway is that file.
        let is_own = |real: PathBuf| real.parent().is_some_and(|dir| own.contains(dir));
        if path.canonicalize().map_or(true, is_own) {
            continue;
        }
        let Ok(bytes) = read::whole(&path, FILE_LIMIT) else {
            continue;
        };
        let tokens = refresh_tokens(&bytes, redactor);
        if !tokens.is_empty() {
            let mut refresh_tokens: Vec<String> =
                tokens.iter().map(|token| fingerprinter.of(token)).collect();
            refresh_tokens.sort();
            refresh_tokens.dedup();
            let login = ForeignLogin {
                program: program.into(),
                refresh_tokens,
            };
            found.insert(root.show(&path), login);
        }
    }
    found
}

/// The refresh tokens in a document, whatever its form; the redactor learns each.
fn refresh_tokens(bytes: &[u8], redactor: &Redactor) -> Vec<String> {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    search(&document, DEEPEST, &mut found);
    for token in &found {
        redactor.learn(&SecretString::from(token.as_str()));
    }
    found
}

fn search(value: &Value, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let is_named = matches!(key.as_str(), "refresh_token" | "refreshToken" | "refresh");
                match value.as_str().map(str::trim) {
                    Some(token) if is_named && !token.is_empty() => {
                        if found.len() < MOST_TOKENS {
                            found.push(token.to_owned());
                        }
                    }
                    _ => search(value, depth - 1, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| search(item, depth - 1, found)),
        _ => {}
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_logins_of_other_programs_are_known_by_their_fingerprints_alone() {
        let home = tempfile::tempdir().unwrap();
        let at = |below: &str| home.path().join(below);
        write(
            &at(".codex/auth.json"),
            r#"{"tokens":{"access_token":"at-1","refresh_token":"rt-codex-0001"}}"#,
        );
        write(
            &at(".claude/.credentials.json"),
            r#"{"claudeAiOauth":{"refreshToken":"rt-claude-0002","expiresAt":1}}"#,
        );
        write(
            &at(".local/share/opencode/auth.json"),
            r#"{"openai":{"type":"oauth","refresh":"rt-opencode-0003"},"x":{"type":"api","key":"k"}}"#,
        );
        write(&at(".gemini/oauth_creds.json"), "no json");
        write(
            &at("gw/auths/codex-a.json"),
            r#"{"type":"codex","refresh_token":"rt-own-0004"}"#,
        );
        fs::create_dir_all(at(".cli-proxy-api")).unwrap();
        symlink(
            at("gw/auths/codex-a.json"),
            at(".cli-proxy-api/codex-a.json"),
        )
        .unwrap();
        write(
            &at(".cli-proxy-api/codex-b.json"),
            r#"{"type":"codex","refresh_token":"rt-other-0005"}"#,
        );
        let fingerprinter = Fingerprinter::fixed([7; 32]);
        let redactor = Redactor::default();
        let found = look(
            home.path(),
            None,
            &[at("gw/auths")],
            &Root::new(home.path()),
            &fingerprinter,
            &redactor,
        );
        let seen: Vec<_> = found
            .iter()
            .map(|(path, login)| (path.as_str(), login.program.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (".claude/.credentials.json", "Claude Code"),
                (".cli-proxy-api/codex-b.json", "another gateway"),
                (".codex/auth.json", "Codex CLI"),
                (".local/share/opencode/auth.json", "opencode"),
            ]
        );
        assert_eq!(
            found[".codex/auth.json"].refresh_tokens,
            [fingerprinter.of("rt-codex-0001")]
        );
        assert_eq!(redactor.clean("x rt-claude-0002 y"), "x [redacted] y");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in r#"(\{|\}|\[|\]|"refresh"|"refresh_token"|:|,|"a"|1|\\){0,60}"#) {
            refresh_tokens(text.as_bytes(), &Redactor::default());
        }
    }
}
