//! What CLIProxyAPI's log says of logins and of their renewal (`facts/cliproxyapi.md` 4, 5.4, 6.3).

use super::request::is_request;
use crate::routes::canonical_provider;

/// What a line says of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginLine<'a> {
    /// One begins: `Initializing Codex authentication...`.
    Begun {
        /// Its provider as flowgate.yaml names it.
        provider: String,
    },
    /// The browser came back with a code, and was told of success, whatever became of it:
    /// `… | 200 | 0s | 127.0.0.1 | GET "/codex/callback?code=…"`.
    CameBack,
    /// A token was written: `Authentication successful! Token saved to /gw/auths/codex-a@b.json`.
    Saved {
        /// The file, as the program names it.
        path: &'a str,
    },
    /// Nobody came back in time.
    TimedOut,
    /// It went wrong, in these words.
    Failed {
        /// What the program says, without its own prefix.
        words: &'a str,
    },
    /// A token file was written, by whomever:
    /// `auth file changed (WRITE): codex-a@b.json, processing incrementally`.
    FileChanged {
        /// Its name.
        name: &'a str,
    },
}

/// Texts with which a login ends for want of an answer.
const TIMED_OUT: [&str; 4] = [
    "Authentication timed out. Please try again.",
    "Timeout waiting for OAuth callback",
    "OAuth flow timed out",
    "The authentication code has expired. Please try again.",
];

/// Texts with which a login fails.
const FAILED: [&str; 9] = [
    "Authentication was cancelled or denied.",
    "Authentication failed. Please try again.",
    "Failed to exchange authorization code for tokens",
    "oken exchange failed with status",
    "Failed to parse token response",
    "Failed to save authentication tokens",
    "State code error",
    "failed to verify Copilot access",
    "Failed to start GitHub authentication",
];

/// Words with which a provider refuses a refresh token.
const REFUSED: [&str; 7] = [
    "status 400",
    "status 401",
    "status 403",
    "invalid_grant",
    "refresh_token_reused",
    "token_invalidated",
    "token_revoked",
];

/// What a line of CLIProxyAPI's log says of a login; none when it says nothing of one.
pub fn login_line(line: &str) -> Option<LoginLine<'_>> {
    if is_request(line) {
        return came_back(line).then_some(LoginLine::CameBack);
    }
    if let Some((_, rest)) = line.split_once("Initializing ")
        && let Some((name, _)) = rest.split_once(" authentication")
    {
        let name = name.to_ascii_lowercase().replace(' ', "-");
        return Some(LoginLine::Begun {
            provider: canonical_provider(&name),
        });
    }
    for before in ["Token saved to ", "Authentication saved to "] {
        if let Some((_, path)) = line.split_once(before) {
            return Some(LoginLine::Saved { path: path.trim() });
        }
    }
    if let Some((_, rest)) = line.split_once("auth file changed (") {
        let (_, name) = rest.split_once("): ")?;
        let name = name.split(',').next()?.trim();
        return Some(LoginLine::FileChanged { name });
    }
    if TIMED_OUT.iter().any(|text| line.contains(text)) {
        return Some(LoginLine::TimedOut);
    }
    let at = FAILED.iter().find_map(|text| line.find(text))?;
    // `oken` begins in the middle of a word, of which either case is meant.
    let start = line
        .get(..at)?
        .rfind([' ', ']'])
        .map_or(0, |space| space + 1);
    let words = line.get(start..)?.trim();
    Some(LoginLine::Failed { words })
}

fn came_back(line: &str) -> bool {
    line.contains("/callback?") && line.contains("code=") && line.contains("| 200 |")
}

/// Whether a provider refused to renew a token; an error of the network or of the provider's own
/// is none. Example: `Token refresh attempt 3 failed: token refresh failed with status 401: {…}`.
pub fn refuses_refresh(line: &str) -> bool {
    line.split_once("Token refresh attempt ")
        .is_some_and(|(_, rest)| REFUSED.iter().any(|words| rest.contains(words)))
}

/// Whether somebody asked how a login goes: `GET "/v0/management/get-auth-status?state=…"`.
pub fn asks_for_a_login(line: &str) -> bool {
    is_request(line) && line.contains("/get-auth-status") && !line.contains("| 404 |")
}

/// Whether somebody began a login through the management API:
/// `GET "/v0/management/codex-auth-url?is_webui=true"`.
pub fn begins_a_login(line: &str) -> bool {
    is_request(line) && line.contains("-auth-url")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_login_are_told_apart() {
        for (line, expected) in [
            (
                "Initializing Codex authentication...",
                Some(LoginLine::Begun {
                    provider: "codex".into(),
                }),
            ),
            (
                "Initializing GitHub Copilot authentication...",
                Some(LoginLine::Begun {
                    provider: "copilot".into(),
                }),
            ),
            (
                r#"[t] [info] [g.go:64] [GIN] 2026/11/23 - 03:05:51 | 200 | 0s | 127.0.0.1 | GET     "/codex/callback?code=[redacted]&state=x""#,
                Some(LoginLine::CameBack),
            ),
            (
                r#"[t] [info] [g.go:64] [GIN] 2026/11/23 - 03:05:51 | 200 | 0s | 127.0.0.1 | GET     "/codex/callback?error=access_denied&state=x""#,
                None,
            ),
            (
                "Authentication successful! Token saved to /gw/auths/codex-a@b.json",
                Some(LoginLine::Saved {
                    path: "/gw/auths/codex-a@b.json",
                }),
            ),
            (
                "Authentication saved to /gw/auths/codex-a@b.json",
                Some(LoginLine::Saved {
                    path: "/gw/auths/codex-a@b.json",
                }),
            ),
            (
                "[t] [error] [auth_files.go:1210] Authentication timed out. Please try again.",
                Some(LoginLine::TimedOut),
            ),
            (
                "[t] [error] [auth_files.go:1225] Authentication was cancelled or denied.",
                Some(LoginLine::Failed {
                    words: "Authentication was cancelled or denied.",
                }),
            ),
            (
                "[t] [error] [a.go:1] token exchange failed with status 403: no",
                Some(LoginLine::Failed {
                    words: "token exchange failed with status 403: no",
                }),
            ),
            (
                "auth file changed (CREATE): codex-a@b.json, processing incrementally",
                Some(LoginLine::FileChanged {
                    name: "codex-a@b.json",
                }),
            ),
            ("API server started successfully on: 127.0.0.1:8317", None),
            ("You can now use Codex services through this CLI", None),
        ] {
            assert_eq!(login_line(line), expected, "{line}");
        }
    }

    #[test]
    fn only_a_provider_refuses_a_renewal() {
        for line in [
            "[t] [warning] [x.go:1] Token refresh attempt 3 failed: token refresh failed with status 401: {}",
            "Token refresh attempt 1 failed: refresh_token_reused",
        ] {
            assert!(refuses_refresh(line), "{line}");
        }
        for line in [
            "Token refresh attempt 1 failed: 502",
            "Token refresh attempt 1 failed: dial tcp: lookup auth.openai.com: no such host",
            "Token refresh attempt 1 failed: token refresh failed with status 429: {}",
            "status 401",
        ] {
            assert!(!refuses_refresh(line), "{line}");
        }
    }

    #[test]
    fn no_order_of_torn_parts_makes_them_panic() {
        let parts = [
            "Initializing ",
            "é",
            " authentication",
            "Token saved to ",
            "auth file changed (",
            "): ",
            "oken exchange failed with status",
            "]",
            "Token refresh attempt ",
            "",
        ];
        for first in parts {
            for second in parts {
                for third in parts {
                    let line = [first, second, third].concat();
                    login_line(&line);
                    refuses_refresh(&line);
                }
            }
        }
    }
}
