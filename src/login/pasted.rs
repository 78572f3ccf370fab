//! The address at which a browser on another machine ended, as a person pastes it.

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::gateway::management::client::Callback;
use crate::sys::plain;

/// A pasted line is no longer, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// Why a pasted line is not what is wanted; what was pasted is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotIt {
    /// It is no address at all.
    #[error("that is no address; paste the whole line of the browser, from http:// on")]
    NoUrl,
    /// It is the address with which the login begins.
    #[error("that is the address to open; paste the one at which the browser ended")]
    TheBeginning,
    /// It belongs to another login.
    #[error("that address belongs to another login; open the newest login_url and paste its end")]
    Another,
    /// It holds neither a code nor an error.
    #[error("that address holds no code; paste the one at which the browser ended")]
    NoCode,
}

/// Reads a pasted line: the address itself, or its query alone.
///
/// # Errors
/// [`NotIt`].
pub fn read(line: &str, state: &SecretString) -> Result<Callback, NotIt> {
    let line = line.trim().trim_matches(['"', '\'', '<', '>']);
    let url = if line.starts_with("code=") || line.starts_with("state=") {
        Url::parse(&format!("http://localhost/?{line}"))
    } else if line.starts_with("localhost:") || line.starts_with("127.0.0.1:") {
        // Browsers show addresses of this machine without their scheme.
        Url::parse(&format!("http://{line}"))
    } else {
        Url::parse(line)
    };
    let url = url.map_err(|_| NotIt::NoUrl)?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(NotIt::NoUrl);
    }
    let value = |wanted: &str| {
        url.query_pairs()
            .find(|(name, value)| name == wanted && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    };
    if value("code_challenge").is_some() || value("client_id").is_some() {
        return Err(NotIt::TheBeginning);
    }
    let (code, error) = (value("code"), value("error"));
    if code.is_none() && error.is_none() {
        return Err(NotIt::NoCode);
    }
    if value("state").as_deref() != Some(state.expose_secret()) {
        return Err(NotIt::Another);
    }
    Ok(Callback {
        state: state.clone(),
        error: error
            .filter(|_| code.is_none())
            .map(|error| plain::cut(&plain::one_line(&error), 80)),
        code: code.map(SecretString::from),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(line: &str) -> Result<Callback, NotIt> {
        read(line, &SecretString::from("s1"))
    }

    #[test]
    fn an_address_is_taken_in_the_forms_in_which_it_is_copied() {
        for line in [
            "http://localhost:1455/auth/callback?code=c1&state=s1",
            "  http://localhost:1455/auth/callback?scope=x&code=c1&state=s1\r\n",
            "\"http://127.0.0.1:1455/auth/callback?code=c1&state=s1\"",
            "localhost:1455/auth/callback?code=c1&state=s1",
            "code=c1&state=s1",
        ] {
            let callback = told(line).unwrap();
            assert_eq!(callback.code.unwrap().expose_secret(), "c1", "{line}");
            assert_eq!(callback.error, None);
        }
        let denied = told("http://localhost:1455/auth/callback?error=access_denied&state=s1");
        assert_eq!(denied.unwrap().error.as_deref(), Some("access_denied"));
    }

    #[test]
    fn what_is_not_the_end_of_this_login_is_said() {
        for (line, not_it) in [
            ("", NotIt::NoUrl),
            ("yes", NotIt::NoUrl),
            ("ssh://localhost/?code=c1&state=s1", NotIt::NoUrl),
            ("http://localhost:1455/auth/callback", NotIt::NoCode),
            ("http://localhost:1455/?code=&state=s1", NotIt::NoCode),
            ("http://localhost:1455/?code=c1&state=s2", NotIt::Another),
            ("http://localhost:1455/?code=c1", NotIt::Another),
            (
                "https://auth.example/authorize?client_id=x&state=s1&code_challenge=y",
                NotIt::TheBeginning,
            ),
        ] {
            assert_eq!(told(line).unwrap_err(), not_it, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic_and_no_other_state_passes(line in "\\PC{0,80}") {
            let _ = told(&line);
            let other = format!("http://localhost/?code=c&state=x{line}");
            prop_assert!(told(&other).is_err());
        }
    }
}
