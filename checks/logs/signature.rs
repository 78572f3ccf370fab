//! The lines with which the two programs say why they end (`facts/litellm.md` 10,
//! `facts/cliproxyapi.md` 6.2): one table, each row with a line that it means and one that only looks
//! like it.
//!
//! Two writers can cut into each other's lines, so no text is looked for at the start of a line.

use super::{exception_of_startup, is_quoted_source, last_exception};
use crate::model::ServiceKind;

/// One way to say why a program ends.
pub struct Signature {
    /// What it says, in a word.
    pub name: &'static str,
    /// The program that says it.
    pub program: ServiceKind,
    /// Any of these texts is it.
    texts: &'static [&'static str],
    /// A line that is one.
    pub example: &'static str,
    /// A line that looks like one, and is none.
    pub near_miss: &'static str,
}

impl Signature {
    /// Whether a line is one.
    pub fn is_in(&self, line: &str) -> bool {
        self.texts.iter().any(|text| line.contains(text)) && !is_quoted_source(line)
    }
}

use ServiceKind::{Cliproxyapi, Litellm};

const fn row(
    program: ServiceKind,
    name: &'static str,
    texts: &'static [&'static str],
    example: &'static str,
    near_miss: &'static str,
) -> Signature {
    Signature {
        name,
        program,
        texts,
        example,
        near_miss,
    }
}

/// Every signature, of each program the most specific first.
pub const SIGNATURES: &[Signature] = &[
    row(
        Litellm,
        "port-held",
        &["[Errno 98] error while attempting to bind on address"],
        "ERROR:    [Errno 98] error while attempting to bind on address ('::1', 4000, 0, 0): address already in use",
        "OSError: [Errno 98] Address already in use: redis",
    ),
    row(
        Litellm,
        "bind-failed",
        &[
            "[Errno 99] error while attempting to bind on address",
            "[Errno 13] error while attempting to bind on address",
        ],
        "ERROR:    [Errno 99] error while attempting to bind on address ('10.9.8.7', 4000): cannot assign requested address",
        "httpx.ConnectError: [Errno 99] Cannot assign requested address",
    ),
    row(
        Litellm,
        "master-key",
        &["LiteLLM proxy refused to start: "],
        "LiteLLM proxy refused to start: the master key is empty.",
        "            raise UnsafeMasterKeyError(\"LiteLLM proxy refused to start: \")",
    ),
    row(
        Litellm,
        "config-not-found",
        &["Config file not found: "],
        "Exception: Config file not found: /gw/litellm.yaml",
        "    raise Exception(f\"Config file not found: {file_path}\")",
    ),
    row(
        Litellm,
        "include-not-found",
        &[
            "Included file not found: ",
            "Included config file is not a YAML mapping: ",
        ],
        "FileNotFoundError: Included file not found: /gw/models.yaml",
        "    raise FileNotFoundError(f\"Included file not found: {file_path}\")",
    ),
    row(
        Litellm,
        "database-client",
        &["a database URL is set but the prisma "],
        "LiteLLM Proxy: a database URL is set but the prisma CLI is neither on PATH nor importable as a package",
        "prisma.errors.ClientNotConnectedError: Client is not connected to the query engine",
    ),
    row(
        Litellm,
        "missing-dependency",
        &["Missing dependency "],
        "ModuleNotFoundError: Missing dependency No module named 'websockets'. Run `pip install 'litellm[proxy]'`",
        "WARNING: prisma is an optional dependency, missing here",
    ),
    row(
        Litellm,
        "module-not-found",
        &["ModuleNotFoundError: No module named "],
        "ModuleNotFoundError: No module named 'yaml'",
        "    except ModuleNotFoundError: No module named x is fine",
    ),
    row(
        Litellm,
        "yaml",
        &[
            "yaml.scanner.",
            "yaml.parser.",
            "yaml.reader.",
            "yaml.composer.",
            "yaml.constructor.",
        ],
        "yaml.scanner.ScannerError: mapping values are not allowed here",
        "    raise yaml.scanner.ScannerError(None, None, \"found\", mark)",
    ),
    row(
        Litellm,
        "config-empty",
        &["Config cannot be None or Empty"],
        "Exception: Config cannot be None or Empty.",
        "    raise Exception(\"Config cannot be None or Empty.\")",
    ),
    row(
        Litellm,
        "usage",
        &["Error: No such option", "Error: Invalid value for '--"],
        "Error: No such option '--prot'. (Did you mean one of: '--host', '--port'?)",
        "AttributeError: Invalid value for '-'",
    ),
    row(
        Litellm,
        "log-level",
        &[
            "ValueError: Unknown level: ",
            "AttributeError: module 'logging' has no attribute ",
        ],
        "ValueError: Unknown level: 'LOUD'",
        "WARNING: Unknown level of detail",
    ),
    row(
        Litellm,
        "socks",
        &["Using SOCKS proxy, but the 'socksio' package is not installed"],
        "ImportError: Using SOCKS proxy, but the 'socksio' package is not installed. Make sure to install httpx using `pip install httpx[socks]`.",
        "INFO: using SOCKS proxy",
    ),
    row(
        Cliproxyapi,
        "port-held",
        &["bind: address already in use"],
        "[t] [error] [main.go:1] proxy service exited with error: failed to start HTTP server: listen tcp 127.0.0.1:8317: bind: address already in use",
        "API server started successfully on: 127.0.0.1:8317",
    ),
    row(
        Cliproxyapi,
        "bind-failed",
        &[
            "bind: cannot assign requested address",
            "bind: permission denied",
            "too many colons in address",
            ": invalid port",
            ": no such host",
            "listen tcp: lookup ",
        ],
        "proxy service exited with error: failed to start HTTP server: listen tcp 10.9.8.7:8317: bind: cannot assign requested address",
        "token exchange failed: dial tcp 10.9.8.7:443: connect: connection refused",
    ),
    row(
        Cliproxyapi,
        "tls",
        &[
            "failed to start HTTPS server: tls.cert or tls.key is empty",
            "failed to start HTTPS server: open ",
            "failed to start HTTPS server: tls: ",
        ],
        "proxy service exited with error: failed to start HTTPS server: open a.pem: no such file or directory",
        "http: TLS handshake error from 127.0.0.1:5000: EOF",
    ),
    row(
        Cliproxyapi,
        "config",
        &["failed to load config: "],
        "[t] [error] [main.go:405] failed to load config: failed to parse config file: yaml: line 4: did not find expected key",
        "[t] [error] [watcher.go:1] failed to reload config: yaml: line 4: did not find expected key",
    ),
    row(
        Cliproxyapi,
        "auth-dir",
        &[
            "failed to resolve auth directory: ",
            "failed to create auth directory ",
            "auth path exists but is not a directory",
            "error checking auth directory ",
            "failed to watch auth directory ",
        ],
        "proxy service exited with error: cliproxy: failed to create auth directory : mkdir : no such file or directory",
        "created missing auth directory: /gw/auths",
    ),
    row(
        Cliproxyapi,
        "log-output",
        &["failed to configure log output"],
        "failed to configure log output: logging: failed to create log directory: mkdir logs: not a directory",
        "Failed to write to log, can't open new logfile: open logs/main.log: permission denied",
    ),
    row(
        Cliproxyapi,
        "store",
        &[
            "failed to initialize postgres token store",
            "failed to initialize object token store",
            "failed to prepare git token store",
        ],
        "failed to initialize postgres token store: dial tcp: lookup db",
        "[t] [info] token store ready",
    ),
    row(
        Cliproxyapi,
        "watchdog",
        &["keep-alive endpoint idle"],
        "keep-alive endpoint idle for 10s, shutting down",
        "keep-alive timeout of client",
    ),
    row(
        Cliproxyapi,
        "usage",
        &[
            "flag provided but not defined: ",
            "flag needs an argument: ",
        ],
        "flag provided but not defined: -port",
        "flag -config overridden",
    ),
    row(
        Cliproxyapi,
        "standing-by",
        &["Cloud deploy mode: No config found"],
        "Cloud deploy mode: No config found; standing by for configuration. API server is not started.",
        "Cloud deploy mode: config found",
    ),
    row(
        Cliproxyapi,
        "crash",
        &["panic: ", "fatal error: "],
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[t] [warning] [recover.go:1] recovered from panic",
    ),
];

/// The signature of a line of a program; none when it says nothing of an end.
pub fn signature_of(program: ServiceKind, line: &str) -> Option<&'static Signature> {
    SIGNATURES
        .iter()
        .find(|signature| signature.program == program && signature.is_in(line))
}

/// The line that says why a program ended: the first of the most specific signature, else the error
/// for which LiteLLM's startup failed. A traceback is its last line.
pub fn deciding(program: ServiceKind, lines: &[String]) -> Option<&str> {
    let signed = SIGNATURES
        .iter()
        .filter(|signature| signature.program == program)
        .find_map(|signature| lines.iter().find(|line| signature.is_in(line)));
    match signed {
        Some(line) => Some(line),
        None if program == Litellm => exception_of_startup(lines),
        None => lines.iter().map(String::as_str).find(|line| {
            program == Cliproxyapi && line.contains("proxy service exited with error: ")
        }),
    }
}

/// The line that says why a program ended that had served: a crash of Go, which begins its line, or
/// the end of the watchdog. What it logged before may be the words of anybody.
pub fn crash(program: ServiceKind, lines: &[String]) -> Option<&str> {
    let is_end = |line: &&str| match signature_of(program, line).map(|one| one.name) {
        Some("crash") => line.starts_with("panic: ") || line.starts_with("fatal error: "),
        Some("watchdog") => line.ends_with("shutting down"),
        _ => false,
    };
    lines.iter().rev().map(String::as_str).find(is_end)
}

/// The line that a person looks at first when no signature is known: the last error of the log, a
/// traceback as its last line; else the last line that says anything.
pub fn unexplained(lines: &[String]) -> Option<&str> {
    let says_error = |line: &&String| {
        let level = ["ERROR", "[error]", "[fatal]", "CRITICAL"];
        level.iter().any(|word| line.contains(word)) && !is_quoted_source(line)
    };
    last_exception(lines)
        .or_else(|| lines.iter().rev().find(says_error).map(String::as_str))
        .or_else(|| {
            let mut said = lines.iter().rev().map(String::as_str);
            said.find(|line| !line.trim().is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn each_signature_means_its_line_and_not_the_one_that_looks_like_it() {
        assert!(SIGNATURES.len() >= 20);
        for signature in SIGNATURES {
            let name = signature.name;
            assert!(signature.is_in(signature.example), "{name}");
            assert!(!signature.is_in(signature.near_miss), "{name}");
            let other = signature_of(signature.program, signature.near_miss);
            assert!(other.is_none(), "{name}: {}", signature.near_miss);
        }
    }

    #[test]
    fn no_two_signatures_claim_one_line() {
        for signature in SIGNATURES {
            let claims: Vec<&str> = SIGNATURES
                .iter()
                .filter(|other| other.program == signature.program)
                .filter(|other| other.is_in(signature.example))
                .map(|other| other.name)
                .collect();
            assert_eq!(claims, [signature.name]);
        }
    }

    /// Two writers with one file: a line can begin in the middle of another.
    #[test]
    fn lines_that_are_cut_into_each_other_are_still_told() {
        for signature in SIGNATURES {
            let torn = format!(
                "INFO:     127.0.0.1:50000 - \"GET /health/live{}",
                signature.example
            );
            let found = deciding(signature.program, std::slice::from_ref(&torn));
            assert_eq!(found, Some(torn.as_str()), "{}", signature.name);
        }
    }

    #[test]
    fn what_follows_the_fatal_line_does_not_hide_it() {
        let log = lines(
            "Traceback (most recent call last):\n  File \"router.py\", line 2403, in validate_fallbacks\n    \
             raise ValueError(f\"Item '{fallback_dict}' is not a dictionary.\")\n\
             ValueError: Item 'r' is not a dictionary.\n\nERROR:    Application startup failed. Exiting.\n\
             Traceback (most recent call last):\nasyncio.exceptions.CancelledError\n\
             LiteLLM: Proxy initialized with Config, Set models:\n    gpt-5",
        );
        let said = "ValueError: Item 'r' is not a dictionary.";
        assert_eq!(deciding(ServiceKind::Litellm, &log), Some(said));
        assert_eq!(unexplained(&log), Some(said));
    }

    #[test]
    fn what_no_signature_names_is_the_last_error_and_else_the_last_line() {
        let log = lines("INFO: a\nERROR:    something else broke\nINFO: b\n\n");
        assert_eq!(unexplained(&log), Some("ERROR:    something else broke"));
        let log = lines("INFO: a\nINFO: b\n \n");
        assert_eq!(unexplained(&log), Some("INFO: b"));
        assert_eq!(unexplained(&[]), None);
        assert_eq!(deciding(ServiceKind::Other, &lines("panic: x")), None);
    }
}
