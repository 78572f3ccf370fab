//! In what the two builds differ.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::standin::http::Response;
use crate::standin::scene::Scene;

/// Content types as Go's framework writes them.
pub(super) const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");
pub(super) const PLAIN: (&str, &str) = ("Content-Type", "text/plain");
pub(super) const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

/// Which build the stand-in is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// CLIProxyAPIPlus 6.6.9-0.
    Plus,
    /// CLIProxyAPI 7.2.140.
    Mainline,
}

impl Edition {
    pub fn of(scene: &Scene) -> Self {
        if scene.is_mainline() {
            Self::Mainline
        } else {
            Self::Plus
        }
    }

    /// Version, commit and build date.
    fn stamps(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Plus => ("6.6.9-0-plus", "7ecc7aab", "2025-12-14T09:24:00Z"),
            Self::Mainline => ("7.2.140", "a7e3596b", "2026-08-22T00:00:00Z"),
        }
    }

    /// The first line of every run.
    pub fn banner(self) -> String {
        let (version, commit, built) = self.stamps();
        format!("CLIProxyAPI Version: {version}, Commit: {commit}, BuiltAt: {built}")
    }

    /// The headers of every management answer (`facts/cliproxyapi.md` 1.5).
    pub fn stamped(self, response: Response) -> Response {
        let (version, commit, built) = self.stamps();
        let response = response
            .with("X-Cpa-Build-Date", built)
            .with("X-Cpa-Commit", commit)
            .with("X-Cpa-Version", version);
        match self {
            Self::Plus => response,
            Self::Mainline => response.with("X-Cpa-Support-Plugin", "1"),
        }
    }

    /// `[2026-11-23 03:01:06] [error] [main.go:405] text`
    pub fn log_line(self, level: &str, place: &str, text: &str) -> String {
        let time = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
        match self {
            Self::Plus => {
                let level = if level == "warn" { "warning" } else { level };
                format!("[{time}] [{level}] [{place}] {text}\n")
            }
            Self::Mainline => format!("[{time}] [--------] [{level:<5}] [{place}] {text}\n"),
        }
    }

    /// What an unknown path gets.
    pub fn not_found(self) -> Response {
        match self {
            Self::Plus => Response::new(404, PLAIN, "404 page not found"),
            Self::Mainline => Response::new(404, ("", ""), ""),
        }
    }

    /// The models that a login of this type brings.
    pub fn models(self, kind: &str) -> Vec<Value> {
        let (owner, names): (&str, &[&str]) = match (self, kind) {
            (Self::Plus, "codex") => (
                "openai",
                &[
                    "gpt-5",
                    "gpt-5-codex",
                    "gpt-5-codex-mini",
                    "gpt-5.1",
                    "gpt-5.1-codex",
                    "gpt-5.1-codex-mini",
                    "gpt-5.1-codex-max",
                    "gpt-5.2",
                ],
            ),
            (Self::Mainline, "codex") => (
                "openai",
                &["gpt-5.3-codex-spark", "gpt-5.4", "gpt-5.4-mini", "gpt-5.5"],
            ),
            (Self::Plus, "github-copilot") => (
                "github-copilot",
                &["gpt-4.1", "gpt-5-mini", "claude-sonnet-4"],
            ),
            (_, "claude") => ("anthropic", &["claude-sonnet-4-5-20250929"]),
            _ => ("", &[]),
        };
        names.iter().map(|name| model(name, owner)).collect()
    }
}

/// One item of `/v1/models`.
pub(super) fn model(id: &str, owner: &str) -> Value {
    json!({"created": 1_757_894_400, "id": id, "object": "model", "owned_by": owner})
}
