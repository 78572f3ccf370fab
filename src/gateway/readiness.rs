//! The configured readiness path, made safe to ask without a key.

use ServiceKind::{Cliproxyapi, Litellm};
use flowgate_checks::model::ServiceKind;

/// A configured readiness path that is safe to ask without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadinessPath(String);

impl ReadinessPath {
    /// The path to ask for a configured one; none when it must not be asked without a key.
    ///
    /// - LiteLLM's `/health` becomes `/health/readiness`.
    /// - A path that needs a key of LiteLLM (`/v1/…`, `/models`) is not asked, nor is anything of
    ///   CLIProxyAPI that manages, logs in or downloads.
    /// - A query is left out: it may hold a key. Only plain characters are taken, so that no
    ///   spelling of a forbidden path slips through.
    pub fn new(program: ServiceKind, configured: &str) -> Option<Self> {
        let path = configured.trim().split(['?', '#']).next()?;
        if !path
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._~-".contains(c))
        {
            return None;
        }
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if segments.iter().any(|part| *part == "." || *part == "..") {
            return None;
        }
        let lower: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        match (program, lower.as_slice()) {
            (Litellm, ["health", "liveliness" | "liveness" | "readiness"]) => {}
            (Litellm, ["health", ..]) => return Some(Self("/health/readiness".into())),
            (Litellm, ["v1" | "models", ..]) => return None,
            (Cliproxyapi, ["v0" | "keep-alive" | "management.html", ..] | [_, "callback", ..]) => {
                return None;
            }
            (Cliproxyapi, ["v1", "models"]) => {}
            (Cliproxyapi, ["v1" | "v1beta", ..]) => return None,
            (ServiceKind::Other, _) => return None,
            _ => {}
        }
        Some(Self(format!("/{}", segments.join("/"))))
    }

    /// The path, with its leading `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn readiness(program: ServiceKind, path: &str) -> Option<String> {
        ReadinessPath::new(program, path).map(|path| path.0)
    }

    #[test]
    fn the_costly_path_is_replaced_in_every_spelling() {
        for path in [
            "/health",
            "health",
            "/health/",
            "//health",
            "/HEALTH",
            "/health?model=a",
            "/health#a",
            "/health/services",
        ] {
            assert_eq!(
                readiness(Litellm, path).as_deref(),
                Some("/health/readiness"),
                "{path}"
            );
        }
        for path in [
            "/he%61lth",
            "/a/../health",
            "/%2e/health",
            "/he\talth",
            "\\health",
        ] {
            assert_eq!(readiness(Litellm, path), None, "{path}");
        }
    }

    #[test]
    fn configured_paths_are_asked_as_they_are() {
        for (program, path) in [
            (Litellm, "/health/readiness"),
            (Litellm, "/health/liveliness"),
            (Litellm, "/ready"),
            (Cliproxyapi, "/"),
            (Cliproxyapi, "/v1/models"),
            (Cliproxyapi, "/healthz"),
            (Cliproxyapi, "/health"),
        ] {
            assert_eq!(readiness(program, path).as_deref(), Some(path));
        }
    }

    #[test]
    fn what_needs_a_key_or_does_something_is_not_asked() {
        for path in ["/v1/models", "/models", "/v1/chat/completions"] {
            assert_eq!(readiness(Litellm, path), None, "{path}");
        }
        for path in [
            "/v0/management/auth-files",
            "/v0/management/codex-auth-url",
            "//v0/management/config",
            "/V0/management/config",
            "/codex/callback",
            "/keep-alive",
            "/management.html",
            "/v1/chat/completions",
        ] {
            assert_eq!(readiness(Cliproxyapi, path), None, "{path}");
        }
        assert_eq!(readiness(ServiceKind::Other, "/"), None);
    }

    proptest! {
        #[test]
        fn no_configured_text_reaches_a_forbidden_path(text in "[/.]{0,3}[a-z0-9/%.?#\\\\ \t-]{0,24}") {
            if let Some(path) = ReadinessPath::new(Litellm, &text) {
                let url = reqwest::Url::parse(&format!("http://127.0.0.1:1{}", path.as_str())).unwrap();
                prop_assert_eq!(url.path(), path.as_str());
                prop_assert!(url.path().trim_matches('/') != "health" && url.query().is_none());
            }
            if let Some(path) = ReadinessPath::new(Cliproxyapi, &text) {
                prop_assert!(!path.as_str().starts_with("/v0"));
            }
        }
    }
}
