//! What the arguments of a service say: its config, its port.

use std::path::{Path, PathBuf};

use flowgate_checks::model::ServiceKind;

use super::service::ServiceConfig;
use crate::sys::place::normalise;

/// The value of an option, the last one given: `--config X`, `--config=X`, `-c X`.
///
/// `names` are without dashes; a name of one letter takes one dash, a longer one takes two, or
/// one as Go's flags do.
pub fn option<'a>(args: &'a [String], names: &[&str]) -> Option<&'a str> {
    let mut found = None;
    let mut args = args.iter().skip(1).peekable();
    while let Some(arg) = args.next() {
        let Some(body) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            continue;
        };
        match body.split_once('=') {
            Some((name, value)) if names.contains(&name) => found = Some(value),
            None if names.contains(&body) => found = args.peek().map(|value| value.as_str()),
            _ => {}
        }
    }
    found
}

/// The config that the arguments name, as written.
pub fn config_argument(args: &[String]) -> Option<&str> {
    option(args, &["config", "c"])
}

/// The port that the arguments name.
pub fn port_argument(args: &[String]) -> Option<&str> {
    option(args, &["port"])
}

/// The host that the arguments name.
pub fn host_argument(args: &[String]) -> Option<&str> {
    option(args, &["host"])
}

/// Whether the arguments give LiteLLM a TLS key, so that it speaks HTTPS.
pub fn asks_for_tls(args: &[String]) -> bool {
    option(args, &["ssl_keyfile_path", "ssl_certfile_path"]).is_some()
}

/// The program's own config of a service: what its arguments name, relative to its cwd, else its
/// `config_file`; for CLIProxyAPIPlus else `config.yaml` in its cwd, which it reads by itself
/// (facts/cliproxyapi.md section 1.3).
pub fn config_path(service: &ServiceConfig, caller_cwd: &Path) -> Option<PathBuf> {
    let cwd = service.cwd.as_deref().unwrap_or(caller_cwd);
    if let Some(written) = config_argument(&service.args).filter(|path| !path.is_empty()) {
        return Some(normalise(&cwd.join(written)));
    }
    let is_started_here = !service.args.is_empty();
    service.config_file.clone().or_else(|| {
        (service.kind == ServiceKind::Cliproxyapi && is_started_here)
            .then(|| normalise(&cwd.join("config.yaml")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn every_form_of_the_config_option_is_read() {
        for line in [
            "p --config a.yaml",
            "p --config=a.yaml",
            "p -c a.yaml",
            "p -config a.yaml",
            "p -config=a.yaml",
            "p --port 1 --config a.yaml",
            "p --config b.yaml --config a.yaml",
        ] {
            assert_eq!(config_argument(&args(line)), Some("a.yaml"), "{line}");
        }
        for line in [
            "p",
            "p --config",
            "config a.yaml",
            "p config a.yaml",
            "p --conf a",
        ] {
            assert_eq!(config_argument(&args(line)), None, "{line}");
        }
        assert_eq!(port_argument(&args("litellm --port 4000")), Some("4000"));
        assert!(asks_for_tls(&args("litellm --ssl_keyfile_path k.pem")));
    }
}
