//! Which paths of the management API a login takes: those of flowgate.yaml where the build has
//! them, else the ones that are meant (`facts/cliproxyapi.md` 3.5, 3.7).

use flowgate_checks::routes::{
    Edition, EndpointRole, EndpointVerdict, LoginFlow, MANAGEMENT, STATUS_ROUTE, judge_endpoint,
    login_route,
};

use crate::config::schema::ProviderConfig;
use crate::gateway::management::client::STATE;

/// The paths of one login, each with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Begins it.
    pub begin: String,
    /// Asks how it goes; holds [`STATE`].
    pub status: String,
    /// How it ends; a device flow for what nobody knows.
    pub flow: LoginFlow,
    /// What was written otherwise, one sentence each.
    pub words: Vec<String>,
}

/// Why there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPaths {
    /// The build has no login route for the provider.
    Unsupported,
    /// flowgate does not know the provider, and flowgate.yaml lacks an endpoint of it.
    Incomplete,
}

/// The paths of a provider, in any spelling, with a build of this edition.
///
/// # Errors
/// [`NoPaths`].
pub fn of(
    provider: &str,
    configured: Option<&ProviderConfig>,
    edition: Edition,
) -> Result<Paths, NoPaths> {
    let mut words = Vec::new();
    let written = |url: Option<&String>| url.map(|url| url.trim().to_owned());
    let begin = path(
        provider,
        EndpointRole::AuthUrl,
        written(configured.and_then(|one| one.auth_url_endpoint.as_ref())),
        edition,
        &mut words,
    )?;
    let status = path(
        provider,
        EndpointRole::Status,
        written(configured.and_then(|one| one.status_endpoint.as_ref())),
        edition,
        &mut words,
    )?;
    Ok(Paths {
        begin,
        status: with_state(&status),
        flow: login_route(provider, edition).map_or(LoginFlow::Device, |route| route.flow),
        words,
    })
}

fn path(
    provider: &str,
    role: EndpointRole,
    written: Option<String>,
    edition: Edition,
    words: &mut Vec<String>,
) -> Result<String, NoPaths> {
    let Some(url) = written else {
        return known(provider, role, edition);
    };
    let key = match role {
        EndpointRole::AuthUrl => "auth_url_endpoint",
        EndpointRole::Status => "status_endpoint",
    };
    let mut translate = |what: &str, path: String| {
        words.push(format!("{key} of {provider} {what}; asked instead: {path}"));
        path
    };
    Ok(match judge_endpoint(provider, role, &url, edition) {
        EndpointVerdict::Ok => path_of(&url),
        // A bare status path is completed with the state; that is no fault of it.
        EndpointVerdict::LacksState { right } => path_of(&right),
        EndpointVerdict::LacksWebui { right } => translate("lacks is_webui=true", path_of(&right)),
        EndpointVerdict::WrongPath { right } => translate(
            "names a path that no build has",
            path_of(&right).replace("?state=STATE", ""),
        ),
        EndpointVerdict::NotUrl => {
            let path = known(provider, role, edition)?;
            translate("is no http or https URL", path)
        }
        EndpointVerdict::NoRoute => return known(provider, role, edition),
    })
}

/// The path of the table, for where nothing usable is written.
fn known(provider: &str, role: EndpointRole, edition: Edition) -> Result<String, NoPaths> {
    let Some(route) = login_route(provider, edition) else {
        return Err(match login_route(provider, Edition::Unknown) {
            Some(_) => NoPaths::Unsupported,
            None => NoPaths::Incomplete,
        });
    };
    Ok(match role {
        EndpointRole::Status => format!("{MANAGEMENT}{STATUS_ROUTE}"),
        EndpointRole::AuthUrl => {
            let needs_webui =
                matches!(route.flow, LoginFlow::Callback(_)) && route.provider != "kiro";
            let query = if needs_webui { "?is_webui=true" } else { "" };
            format!("{MANAGEMENT}{}{query}", route.name)
        }
    })
}

/// The path and the query of a URL that was judged to be one. The address is that of the running
/// service, whatever stands here: a key goes nowhere else.
fn path_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or(rest);
    rest.find(['/', '?']).map_or_else(
        || "/".to_owned(),
        |at| {
            let tail = &rest[at..];
            match tail.strip_prefix('?') {
                Some(query) => format!("/?{query}"),
                None => tail.to_owned(),
            }
        },
    )
}

/// The status path with a place for the state of this login, and no other state.
fn with_state(path: &str) -> String {
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("state"))
        .collect();
    let state = format!("state={STATE}");
    pairs.push(&state);
    format!("{bare}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(auth_url: &str, status: &str) -> ProviderConfig {
        ProviderConfig {
            method: "oauth_poll".into(),
            auth_url_endpoint: Some(auth_url.into()),
            status_endpoint: Some(status.into()),
            entry: "auth.providers.codex".into(),
        }
    }

    const BEGIN: &str = "/v0/management/codex-auth-url?is_webui=true";
    const STATUS: &str = "/v0/management/get-auth-status?state={state}";

    #[test]
    fn what_is_written_and_right_is_taken_as_it_is() {
        let base = "http://127.0.0.1:8317/v0/management/";
        let right = configured(
            &format!("{base}codex-auth-url?is_webui=1&a=b"),
            &format!("{base}get-auth-status"),
        );
        let paths = of("codex", Some(&right), Edition::Plus).unwrap();
        assert_eq!(paths.begin, "/v0/management/codex-auth-url?is_webui=1&a=b");
        assert_eq!(paths.status, STATUS);
        assert_eq!(paths.flow, LoginFlow::Callback(1455));
        assert!(paths.words.is_empty(), "{:?}", paths.words);
    }

    #[test]
    fn the_dead_paths_of_the_original_are_translated_with_a_word() {
        let base = "http://127.0.0.1:8317/v0/management/oauth";
        for (provider, dead, begin, edition) in [
            ("codex", "codex", BEGIN, Edition::Plus),
            ("codex", "codex", BEGIN, Edition::Mainline),
            (
                "copilot",
                "github-copilot",
                "/v0/management/github-auth-url",
                Edition::LaterPlus,
            ),
        ] {
            let dead = configured(
                &format!("{base}/{dead}/auth-url"),
                &format!("{base}/{dead}/status"),
            );
            let paths = of(provider, Some(&dead), edition).unwrap();
            assert_eq!(
                (paths.begin.as_str(), paths.status.as_str()),
                (begin, STATUS)
            );
            assert_eq!(paths.words.len(), 2, "{:?}", paths.words);
            assert!(paths.words[0].ends_with(&format!("asked instead: {begin}")));
        }
    }

    #[test]
    fn a_state_that_is_written_is_never_that_of_this_login() {
        let base = "http://127.0.0.1:8317/v0/management/";
        for status in [
            "get-auth-status?state=old",
            "get-auth-status?provider=codex&state=",
            "get-auth-status?state=a&state=b",
        ] {
            let written = configured(
                &format!("{base}codex-auth-url?is_webui=true"),
                &format!("{base}{status}"),
            );
            let paths = of("codex", Some(&written), Edition::Plus).unwrap();
            assert_eq!(
                paths.status.matches("state=").count(),
                1,
                "{}",
                paths.status
            );
            assert!(paths.status.ends_with("state={state}"), "{}", paths.status);
        }
    }

    #[test]
    fn a_build_without_the_provider_and_a_provider_that_nobody_knows_are_told_apart() {
        for edition in [Edition::Plus, Edition::Mainline] {
            assert_eq!(of("copilot", None, edition), Err(NoPaths::Unsupported));
        }
        assert_eq!(of("acme", None, Edition::Plus), Err(NoPaths::Incomplete));
        let paths = of("codex", None, Edition::Unknown).unwrap();
        assert_eq!(
            (paths.begin.as_str(), paths.status.as_str()),
            (BEGIN, STATUS)
        );
    }
}
