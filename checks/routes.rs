//! Login providers and the management routes of CLIProxyAPI(Plus), by edition.
//!
//! Source: `facts/cliproxyapi.md` 3.5, 3.7 and 4.1; `facts/real-stack.md` "OAuth".

mod endpoint;

pub use endpoint::{EndpointRole, EndpointVerdict, judge_endpoint};

/// What a build of CLIProxyAPI is, as far as its version tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// The version is not known; a route counts when any edition has it.
    Unknown,
    /// CLIProxyAPIPlus up to 6.6.9-0.
    Plus,
    /// A CLIProxyAPIPlus newer than 6.6.9-0.
    LaterPlus,
    /// CLIProxyAPI.
    Mainline,
}

impl Edition {
    /// From the version in the banner or in `X-CPA-VERSION`: `6.6.9-0-plus`, `v7.2.140`, `dev`.
    pub fn of_version(version: &str) -> Self {
        let version = version.trim().trim_start_matches('v');
        let mut numbers = version
            .split(['.', '-'])
            .map_while(|part| part.parse::<u32>().ok());
        let triple = (numbers.next(), numbers.next(), numbers.next());
        match (version.ends_with("-plus"), triple) {
            (_, (None, ..)) => Self::Unknown,
            (true, (Some(major), minor, patch)) => {
                if (major, minor.unwrap_or(0), patch.unwrap_or(0)) > (6, 6, 9) {
                    Self::LaterPlus
                } else {
                    Self::Plus
                }
            }
            (false, _) => Self::Mainline,
        }
    }
}

/// How a login reaches its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginFlow {
    /// The browser comes back to this port of the machine that the browser runs on.
    Callback(u16),
    /// The user types a code; no port is used.
    Device,
}

/// One login route of the management API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginRoute {
    /// The provider as flowgate.yaml names it.
    pub provider: &'static str,
    /// The path below `/v0/management/`.
    pub name: &'static str,
    /// The editions that have it.
    pub editions: &'static [Edition],
    /// How the login ends.
    pub flow: LoginFlow,
}

use Edition::{LaterPlus, Mainline, Plus};
use LoginFlow::{Callback, Device};

/// Every login route that any edition has; the first of a provider is the one to recommend.
pub const LOGIN_ROUTES: &[LoginRoute] = &[
    route(
        "codex",
        "codex-auth-url",
        &[Plus, LaterPlus, Mainline],
        Callback(1455),
    ),
    route(
        "claude",
        "anthropic-auth-url",
        &[Plus, LaterPlus, Mainline],
        Callback(54545),
    ),
    route(
        "antigravity",
        "antigravity-auth-url",
        &[Plus, LaterPlus, Mainline],
        Callback(51121),
    ),
    route(
        "gemini",
        "gemini-cli-auth-url",
        &[Plus, LaterPlus],
        Callback(8085),
    ),
    route(
        "iflow",
        "iflow-auth-url",
        &[Plus, LaterPlus],
        Callback(11451),
    ),
    route("qwen", "qwen-auth-url", &[Plus, LaterPlus], Device),
    route("kiro", "kiro-auth-url", &[Plus, LaterPlus], Callback(9876)),
    // Absent from 6.6.9-0 itself: `facts/real-stack.md`, HTTP.
    route("copilot", "github-auth-url", &[LaterPlus], Device),
    route("kimi", "kimi-auth-url", &[Mainline], Device),
    route("xai", "xai-auth-url", &[Mainline], Device),
];

const fn route(
    provider: &'static str,
    name: &'static str,
    editions: &'static [Edition],
    flow: LoginFlow,
) -> LoginRoute {
    LoginRoute {
        provider,
        name,
        editions,
        flow,
    }
}

/// The folder of all management routes.
pub const MANAGEMENT: &str = "/v0/management/";

/// The route that tells how a login goes, of every edition.
pub const STATUS_ROUTE: &str = "get-auth-status";

/// The provider as flowgate.yaml names it, from any spelling of a token file, a config or a page.
pub fn canonical_provider(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let name = match text.as_str() {
        "github-copilot" | "github_copilot" | "githubcopilot" | "github" => "copilot",
        "anthropic" | "claude-code" => "claude",
        "openai" | "chatgpt" => "codex",
        "gemini-cli" | "google" => "gemini",
        _ => return text,
    };
    name.to_owned()
}

/// Whether an edition is known to have neither a login nor an executor for a provider
/// (`facts/cliproxyapi.md` 0.2, 1.1, 1.2). What only some versions of it can do is not told here.
pub fn is_unsupported(provider: &str, edition: Edition) -> bool {
    let provider = canonical_provider(provider);
    match edition {
        Mainline => matches!(provider.as_str(), "copilot" | "kiro"),
        Plus => matches!(provider.as_str(), "kimi" | "xai"),
        LaterPlus | Edition::Unknown => false,
    }
}

/// The port that a browser must reach at the end of a login, by provider in any spelling;
/// none for device flows and for what is not known.
pub fn callback_port(provider: &str) -> Option<u16> {
    match login_route(provider, Edition::Unknown)?.flow {
        Callback(port) => Some(port),
        Device => None,
    }
}

/// The login route of a provider in an edition, when that edition has one.
pub fn login_route(provider: &str, edition: Edition) -> Option<&'static LoginRoute> {
    let provider = canonical_provider(provider);
    LOGIN_ROUTES
        .iter()
        .find(|route| route.provider == provider && route.is_in(edition))
}

impl LoginRoute {
    /// Whether an edition has it.
    pub fn is_in(&self, edition: Edition) -> bool {
        edition == Edition::Unknown || self.editions.contains(&edition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_tell_the_edition() {
        for (version, edition) in [
            ("6.6.9-0-plus", Edition::Plus),
            ("6.5.61-1-plus", Edition::Plus),
            ("v6.9.23-0-plus", Edition::LaterPlus),
            ("7.2.140", Edition::Mainline),
            ("v6.9.7", Edition::Mainline),
            ("dev", Edition::Unknown),
            ("", Edition::Unknown),
        ] {
            assert_eq!(Edition::of_version(version), edition, "{version}");
        }
    }

    #[test]
    fn providers_have_one_name_and_their_callback_port() {
        assert_eq!(canonical_provider(" GitHub-Copilot "), "copilot");
        assert_eq!(callback_port("codex"), Some(1455));
        assert_eq!(callback_port("anthropic"), Some(54545));
        assert_eq!(callback_port("gemini-cli"), Some(8085));
        assert_eq!(callback_port("antigravity"), Some(51121));
        assert_eq!(callback_port("iflow"), Some(11451));
        assert_eq!(callback_port("kiro"), Some(9876));
        assert_eq!(callback_port("github-copilot"), None);
        assert_eq!(callback_port("acme"), None);
    }

    #[test]
    fn copilot_has_no_route_in_6_6_9_and_mainline() {
        assert!(login_route("copilot", Edition::Plus).is_none());
        assert!(login_route("copilot", Edition::Mainline).is_none());
        assert!(login_route("copilot", Edition::LaterPlus).is_some());
        assert!(login_route("gemini", Edition::Mainline).is_none());
    }
}
