//! Whether a configured login endpoint is one that the program has.

use super::{Edition, LOGIN_ROUTES, LoginFlow, MANAGEMENT, STATUS_ROUTE, login_route};

/// Which of the two endpoints of a provider is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointRole {
    /// `auth_url_endpoint`.
    AuthUrl,
    /// `status_endpoint`.
    Status,
}

/// What a configured endpoint is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointVerdict {
    /// The program has it, and it does what a login needs.
    Ok,
    /// No edition has this path, or it belongs to another provider.
    WrongPath {
        /// The whole URL that is meant.
        right: String,
    },
    /// The path is right; without `is_webui=true` nothing listens on the callback port.
    LacksWebui {
        /// The whole URL with it.
        right: String,
    },
    /// The path is right; without `state=` it says `ok` of any login.
    LacksState {
        /// The whole URL with a place for the state.
        right: String,
    },
    /// This edition has no login route for the provider at all.
    NoRoute,
    /// It is no `http` or `https` URL.
    NotUrl,
}

/// Judges one endpoint of a provider, in any spelling of its name.
///
/// The dead paths of the original (`/v0/management/oauth/<provider>/auth-url`, `…/status`) are
/// in no edition: `facts/cliproxyapi.md` 3.7.
pub fn judge_endpoint(
    provider: &str,
    role: EndpointRole,
    url: &str,
    edition: Edition,
) -> EndpointVerdict {
    let Some(url) = Url::split(url) else {
        return EndpointVerdict::NotUrl;
    };
    match role {
        EndpointRole::AuthUrl => judge_auth_url(provider, &url, edition),
        EndpointRole::Status => judge_status(&url),
    }
}

fn judge_auth_url(provider: &str, url: &Url<'_>, edition: Edition) -> EndpointVerdict {
    let Some(route) = login_route(provider, edition) else {
        // A provider of which the table knows nothing cannot be judged, only one that it knows.
        return if login_route(provider, Edition::Unknown).is_none() && !is_dead(url.path) {
            EndpointVerdict::Ok
        } else {
            EndpointVerdict::NoRoute
        };
    };
    let needs_webui = matches!(route.flow, LoginFlow::Callback(_)) && route.provider != "kiro";
    let right_path = format!("{MANAGEMENT}{}", route.name);
    if url.path.trim_end_matches('/') != right_path {
        let query = if needs_webui { "?is_webui=true" } else { "" };
        return EndpointVerdict::WrongPath {
            right: format!("{}{right_path}{query}", url.base),
        };
    }
    let asks_for_webui = url
        .parameter("is_webui")
        .is_some_and(|value| ["1", "true", "yes", "on"].contains(&value.to_lowercase().as_str()));
    if needs_webui && !asks_for_webui {
        return EndpointVerdict::LacksWebui {
            right: url.with_parameter("is_webui", "true"),
        };
    }
    EndpointVerdict::Ok
}

fn judge_status(url: &Url<'_>) -> EndpointVerdict {
    let right_path = format!("{MANAGEMENT}{STATUS_ROUTE}");
    if url.path.trim_end_matches('/') != right_path {
        return EndpointVerdict::WrongPath {
            right: format!("{}{right_path}?state=STATE", url.base),
        };
    }
    if url.parameter("state").is_none() {
        return EndpointVerdict::LacksState {
            right: url.with_parameter("state", "STATE"),
        };
    }
    EndpointVerdict::Ok
}

/// Whether no edition has such a path among its login routes.
fn is_dead(path: &str) -> bool {
    path.strip_prefix(MANAGEMENT).is_none_or(|name| {
        !LOGIN_ROUTES
            .iter()
            .any(|route| route.name == name.trim_end_matches('/'))
    })
}

/// The parts of a URL, by its text alone.
struct Url<'a> {
    /// Scheme and authority: `http://127.0.0.1:8317`.
    base: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Url<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let text = text.split('#').next().unwrap_or(text);
        let (scheme, rest) = text.split_once("://")?;
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return None;
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains(char::is_whitespace) {
            return None;
        }
        let (base, tail) = text.split_at(scheme.len() + 3 + authority.len());
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        Some(Self { base, path, query })
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (key == name).then_some(value)
        })
    }

    /// The whole URL with one parameter set, the others kept.
    fn with_parameter(&self, name: &str, value: &str) -> String {
        let mut pairs: Vec<String> = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name))
            .map(str::to_owned)
            .collect();
        pairs.push(format!("{name}={value}"));
        format!(
            "{}{}?{}",
            self.base,
            self.path.trim_end_matches('/'),
            pairs.join("&")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:8317/v0/management/";

    fn judge(provider: &str, path: &str, edition: Edition) -> EndpointVerdict {
        judge_endpoint(
            provider,
            EndpointRole::AuthUrl,
            &format!("{BASE}{path}"),
            edition,
        )
    }

    #[test]
    fn real_paths_are_ok() {
        use EndpointVerdict::Ok;
        for edition in [Edition::Plus, Edition::Mainline, Edition::Unknown] {
            assert_eq!(judge("codex", "codex-auth-url?is_webui=true", edition), Ok);
            assert_eq!(
                judge("claude", "anthropic-auth-url?is_webui=1", edition),
                Ok
            );
        }
        assert_eq!(judge("copilot", "github-auth-url", Edition::LaterPlus), Ok);
        assert_eq!(judge("kiro", "kiro-auth-url?method=aws", Edition::Plus), Ok);
        let status = format!("{BASE}get-auth-status?state=abc");
        assert_eq!(
            judge_endpoint("codex", EndpointRole::Status, &status, Edition::Plus),
            Ok
        );
    }

    #[test]
    fn dead_paths_of_the_original_are_translated() {
        assert_eq!(
            judge("codex", "oauth/codex/auth-url", Edition::Plus),
            EndpointVerdict::WrongPath {
                right: format!("{BASE}codex-auth-url?is_webui=true")
            }
        );
        assert_eq!(
            judge_endpoint(
                "codex",
                EndpointRole::Status,
                "https://[::1]:8317/v0/management/oauth/codex/status",
                Edition::Plus
            ),
            EndpointVerdict::WrongPath {
                right: "https://[::1]:8317/v0/management/get-auth-status?state=STATE".into()
            }
        );
    }

    #[test]
    fn a_path_of_another_provider_is_wrong() {
        assert!(matches!(
            judge("codex", "anthropic-auth-url?is_webui=true", Edition::Plus),
            EndpointVerdict::WrongPath { .. }
        ));
    }

    #[test]
    fn missing_parameters_are_told_and_the_others_kept() {
        assert_eq!(
            judge("codex", "codex-auth-url?a=1&is_webui=false", Edition::Plus),
            EndpointVerdict::LacksWebui {
                right: format!("{BASE}codex-auth-url?a=1&is_webui=true")
            }
        );
        let status = format!("{BASE}get-auth-status?provider=kiro");
        assert_eq!(
            judge_endpoint("kiro", EndpointRole::Status, &status, Edition::Plus),
            EndpointVerdict::LacksState {
                right: format!("{BASE}get-auth-status?provider=kiro&state=STATE")
            }
        );
    }

    #[test]
    fn an_edition_without_the_provider_has_no_route() {
        let path = "github-auth-url";
        assert_eq!(
            judge("github-copilot", path, Edition::Plus),
            EndpointVerdict::NoRoute
        );
        assert_eq!(
            judge("copilot", path, Edition::Mainline),
            EndpointVerdict::NoRoute
        );
        assert_eq!(
            judge("gemini", "gemini-cli-auth-url", Edition::Mainline),
            EndpointVerdict::NoRoute
        );
    }

    #[test]
    fn what_is_no_url_is_told() {
        for text in [
            "",
            "/v0/management/x",
            "ftp://127.0.0.1/x",
            "http://",
            "http://a b/",
        ] {
            assert_eq!(
                judge_endpoint("codex", EndpointRole::AuthUrl, text, Edition::Plus),
                EndpointVerdict::NotUrl,
                "{text}"
            );
        }
    }
}
