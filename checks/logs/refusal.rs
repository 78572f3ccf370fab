//! The words with which a program refuses its config (`facts/litellm.md` 3 and 10,
//! `facts/cliproxyapi.md` 2.4 and 6.2).

use super::{exception_of_startup, is_quoted_source};
use crate::model::ServiceKind;

/// What a program said when it refused its config.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its own words, in one line.
    pub words: String,
    /// The line of its config that it names.
    pub line: Option<u32>,
}

/// The keys that LiteLLM names when it refuses what stands there at its startup.
const KEYS: [&str; 15] = [
    // An item of a list of fallbacks.
    "' is not a dictionary.",
    "' must have exactly one key, but has ",
    "model_name",
    "litellm_params",
    "model_list",
    "'model'",
    "routing_strategy",
    "fallbacks",
    "litellm_settings",
    "general_settings",
    "router_settings",
    "callback",
    "master_key",
    "environment_variables",
    "num_retries",
];

/// Why a program ended over its config; none when the log of its last start says no such thing.
pub fn config_refusal(kind: ServiceKind, lines: &[String]) -> Option<Refusal> {
    match kind {
        ServiceKind::Litellm => of_yaml(lines)
            .or_else(|| of_load(lines))
            .or_else(|| of_startup(lines)),
        ServiceKind::Cliproxyapi => of_cliproxy(lines),
        ServiceKind::Other => None,
    }
}

/// The sentence with which LiteLLM refuses its master key, after the colon. Example: `LiteLLM proxy
/// refused to start: the master key is empty.`
pub fn master_key_refusal(lines: &[String]) -> Option<&str> {
    let said = |line: &&String| !is_quoted_source(line);
    let after = |line: &'_ String| {
        line.find("LiteLLM proxy refused to start: ")
            .map(|at| at + "LiteLLM proxy refused to start: ".len())
    };
    // The traceback says it too, with more behind it: the last one is the plain sentence.
    lines.iter().rev().filter(said).find_map(|line| {
        let at = after(line)?;
        line.get(at..).map(str::trim)
    })
}

/// `yaml.scanner.ScannerError: mapping values are not allowed here`, then the places:
/// `  in "/gw/litellm.yaml", line 2, column 18`. Of several places the last is the offender.
fn of_yaml(lines: &[String]) -> Option<Refusal> {
    let at = lines.iter().position(|line| {
        let is_yaml = ["scanner", "parser", "reader", "composer", "constructor"]
            .iter()
            .any(|part| line.contains(&format!("yaml.{part}.")));
        is_yaml && line.contains("Error: ") && !is_quoted_source(line)
    })?;
    let (_, first) = lines[at].split_once("Error: ")?;
    let mut words = first.trim().to_owned();
    let mut line = None;
    for following in lines[at + 1..].iter().take(8) {
        match place(following) {
            Some(number) => line = Some(number),
            None if line.is_some() && is_continuation(following) => {
                words = format!("{words}; {}", following.trim());
            }
            None => {}
        }
    }
    Some(Refusal { words, line })
}

/// The line in `  in "FILE", line 2, column 18`.
fn place(text: &str) -> Option<u32> {
    let (_, rest) = text
        .trim_start()
        .strip_prefix("in \"")?
        .split_once("\", line ")?;
    rest.split(',').next()?.trim().parse().ok()
}

/// Words between two places belong to the error: `expected <block end>, but found '-'`.
fn is_continuation(text: &str) -> bool {
    ["expected ", "found ", "could not ", "but "]
        .iter()
        .any(|start| text.trim_start().starts_with(start))
}

/// Python's own errors about the file: it is a directory, it is empty, it is no text.
fn of_load(lines: &[String]) -> Option<Refusal> {
    const WORDS: [&str; 7] = [
        "a database URL is set but the prisma ",
        "Included file not found: ",
        "Included config file is not a YAML mapping: ",
        "IsADirectoryError: ",
        "Config cannot be None or Empty",
        "UnicodeDecodeError: ",
        "Config file not found: ",
    ];
    let said = lines
        .iter()
        .find(|line| WORDS.iter().any(|words| line.contains(words)) && !is_quoted_source(line))?;
    Some(Refusal {
        words: said.trim().to_owned(),
        line: None,
    })
}

/// The exception above `Application startup failed. Exiting.`, where it names a key of the config:
/// `KeyError: 'model_name'`.
fn of_startup(lines: &[String]) -> Option<Refusal> {
    let said = exception_of_startup(lines)?;
    let names_a_key = KEYS.iter().any(|key| said.contains(key));
    (names_a_key && !said.contains("refused to start")).then(|| Refusal {
        words: said.trim().to_owned(),
        line: None,
    })
}

/// `failed to load config: failed to parse config file: yaml: line 4: …`, and what else ends the
/// program because of a value of its config.
fn of_cliproxy(lines: &[String]) -> Option<Refusal> {
    const VALUES: [&str; 6] = [
        "failed to resolve auth directory: ",
        "failed to create auth directory ",
        "auth path exists but is not a directory",
        "tls.cert or tls.key is empty",
        "failed to start HTTPS server: open ",
        "failed to start HTTPS server: tls: ",
    ];
    if let Some((at, words)) = lines.iter().enumerate().find_map(|(at, line)| {
        let (_, words) = line.split_once("failed to load config: ")?;
        Some((at, words.trim().to_owned()))
    }) {
        // `yaml: unmarshal errors:` tells them in the lines that follow.
        let more = lines[at + 1..]
            .iter()
            .take_while(|line| line.starts_with("  line "))
            .take(3)
            .map(|line| line.trim());
        let words = more.fold(words, |words, line| format!("{words} {line}"));
        let line = words.split_once("line ").and_then(|(_, rest)| number(rest));
        return Some(Refusal { words, line });
    }
    let said = lines.iter().find_map(|line| {
        let at = VALUES.iter().find_map(|words| line.find(words))?;
        line.get(at..)
    })?;
    // Whose folder it is, and with which mode, is another matter.
    (!said.contains("permission denied")).then(|| Refusal {
        words: said.trim().to_owned(),
        line: None,
    })
}

/// The number at the start of a text.
fn number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn refusal(kind: ServiceKind, text: &str) -> (String, Option<u32>) {
        let refusal = config_refusal(kind, &lines(text)).unwrap();
        (refusal.words, refusal.line)
    }

    #[test]
    fn the_last_place_of_a_yaml_error_is_the_offender() {
        let text = "Traceback (most recent call last):\n    raise yaml.scanner.ScannerError: \n\
            yaml.parser.ParserError: while parsing a block mapping\n  in \"/gw/a.yaml\", line 1, column 1\n\
            expected <block end>, but found '-'\n  in \"/gw/a.yaml\", line 3, column 2\n";
        let words = "while parsing a block mapping; expected <block end>, but found '-'";
        assert_eq!(refusal(ServiceKind::Litellm, text), (words.into(), Some(3)));
    }

    #[test]
    fn a_startup_that_fails_over_a_key_names_it() {
        let text = "Traceback\n  File \"router.py\", line 9, in __init__\n    x = y[\"model_name\"]\nKeyError: 'model_name'\n\nERROR:    Application startup failed. Exiting.";
        assert_eq!(
            refusal(ServiceKind::Litellm, text),
            ("KeyError: 'model_name'".into(), None)
        );
        let database = "RuntimeError: no database\nERROR:    Application startup failed. Exiting.";
        assert_eq!(config_refusal(ServiceKind::Litellm, &lines(database)), None);
    }

    #[test]
    fn cliproxyapi_names_the_line_of_its_file() {
        let text = "[t] [error] [main.go:405] failed to load config: failed to parse config file: yaml: line 4: found character that cannot start any token";
        let (words, line) = refusal(ServiceKind::Cliproxyapi, text);
        assert!(words.starts_with("failed to parse config file: yaml: line 4"));
        assert_eq!(line, Some(4));
        let text = "failed to load config: failed to parse config file: yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `x` into int\n";
        let (words, line) = refusal(ServiceKind::Cliproxyapi, text);
        assert!(words.ends_with("into int"), "{words}");
        assert_eq!(line, Some(2));
    }

    #[test]
    fn a_port_that_is_held_is_no_matter_of_the_config() {
        let text = "proxy service exited with error: failed to start HTTP server: listen tcp 127.0.0.1:8317: bind: address already in use";
        assert_eq!(config_refusal(ServiceKind::Cliproxyapi, &lines(text)), None);
    }

    #[test]
    fn the_plain_sentence_about_the_master_key_is_taken() {
        let text = "x.UnsafeMasterKeyError: LiteLLM proxy refused to start: no master key is set. The fix is printed once the server exits.\n\nLiteLLM proxy refused to start: no master key is set.";
        assert_eq!(
            master_key_refusal(&lines(text)),
            Some("no master key is set.")
        );
    }

    #[test]
    fn no_order_of_torn_lines_makes_them_panic() {
        let parts = [
            "yaml.scanner.ScannerError: ",
            "yaml.scanner.ScannerError: x",
            "  in \"é\", line 2, col",
            "  in \"é\", line ",
            "failed to load config: yaml: line é",
            "  line 2: é",
            "KeyError: 'model_name'",
            "Application startup failed",
            "LiteLLM proxy refused to start: ",
            "failed to start HTTPS server: open ",
            "é",
            "",
        ];
        for first in parts {
            for second in parts {
                for third in parts {
                    let lines = [first, second, third].map(str::to_owned);
                    for kind in [ServiceKind::Litellm, ServiceKind::Cliproxyapi] {
                        config_refusal(kind, &lines);
                    }
                    master_key_refusal(&lines);
                }
            }
        }
    }
}
