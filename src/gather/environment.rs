//! Variables that change what a service does, of flowgate itself and of running services.

use std::collections::{BTreeMap, BTreeSet};

use flowgate_checks::model::{EnvVariable, Observed, Unknown};
use secrecy::SecretString;

use crate::platform::{self, ReachError};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::plain;
use crate::sys::redact::{REDACTED, Redactor};

/// Variables whose value is a URL or a list of hosts; the user part of a URL is left out.
const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// Variables that give LiteLLM an address where a deployment has no `api_base`; URLs, too.
const BASES: [&str; 2] = ["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/// Variables that change behaviour and hold no secret (litellm.md §1.3 and §3.4, cliproxyapi.md §1.4).
const OPEN: [&str; 14] = [
    "PORT",
    "HOST",
    "NUM_WORKERS",
    "CONFIG_FILE_PATH",
    "DEPLOY",
    "LITELLM_MODE",
    "LITELLM_LOG",
    "LITELLM_LOCAL_MODEL_COST_MAP",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY",
    "WRITABLE_PATH",
    "writable_path",
    "HOME",
    "PYTHONHOME",
    "PYTHONPATH",
];

/// Variables that change behaviour and may hold a secret; the stores also go by small letters.
const CLOSED: [&str; 10] = [
    "DATABASE_URL",
    "PGSTORE_DSN",
    "GITSTORE_GIT_URL",
    "OBJECTSTORE_ENDPOINT",
    "pgstore_dsn",
    "gitstore_git_url",
    "objectstore_endpoint",
    "HOME_JWT",
    "MANAGEMENT_PASSWORD",
    "LITELLM_MASTER_KEY",
];

/// At most so many characters of an open value are kept.
const LENGTH: usize = 300;

/// Whether a variable of this name changes what a service does, whatever its config references.
pub fn changes_behaviour(name: &str) -> bool {
    is_url(name) || OPEN.contains(&name) || CLOSED.contains(&name)
}

fn is_url(name: &str) -> bool {
    PROXIES.contains(&name) || BASES.contains(&name)
}

/// The variables that matter, and the values behind the fingerprints.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentLook {
    /// What enters the snapshot.
    pub variables: BTreeMap<String, EnvVariable>,
    /// The values of those that are secret or that a config references, for gather alone;
    /// an empty value is not among them.
    pub secrets: BTreeMap<String, SecretString>,
}

/// The variables of flowgate's own environment; `referenced` are those that configs name as
/// `os.environ/NAME`.
pub fn own(
    referenced: &BTreeSet<String>,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> EnvironmentLook {
    let pairs = std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    });
    interpret(pairs, referenced, fingerprinter, redactor)
}

/// The variables that a process was started with; unknown for a process of another user.
pub fn of_process(
    pid: u32,
    referenced: &BTreeSet<String>,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> Observed<EnvironmentLook> {
    match platform::environment_block(pid) {
        Ok(block) => Observed::Known(interpret(
            platform::environment_text(&block).into_iter(),
            referenced,
            fingerprinter,
            redactor,
        )),
        Err(ReachError::Gone) => Observed::unknown(format!("process {pid} has ended")),
        Err(error) => Observed::Unknown(Unknown {
            why: format!("environment of process {pid}: {error}"),
            command: Some(format!("sudo cat /proc/{pid}/environ | tr '\\0' '\\n'")),
        }),
    }
}

/// The variables that matter among all; every secret is learnt by the redactor.
pub fn interpret(
    pairs: impl Iterator<Item = (String, String)>,
    referenced: &BTreeSet<String>,
    fingerprinter: &Fingerprinter,
    redactor: &Redactor,
) -> EnvironmentLook {
    let mut look = EnvironmentLook::default();
    for (name, value) in pairs {
        let is_referenced = referenced.contains(&name);
        let is_open = OPEN.contains(&name.as_str());
        if !(is_referenced || changes_behaviour(&name)) {
            continue;
        }
        if is_referenced && !value.is_empty() {
            look.secrets
                .insert(name.clone(), SecretString::from(value.clone()));
        }
        let variable = if value.is_empty() {
            EnvVariable::Empty
        } else if is_url(&name) {
            EnvVariable::Text(open_text(&without_user(&value, redactor), redactor))
        } else if is_open || (is_referenced && is_plain_value(&value)) {
            EnvVariable::Text(open_text(&value, redactor))
        } else {
            let secret = SecretString::from(value.clone());
            redactor.learn(&secret);
            look.secrets.insert(name.clone(), secret);
            EnvVariable::Secret {
                fingerprint: fingerprinter.of(&value),
            }
        };
        look.variables.insert(name, variable);
    }
    look
}

fn open_text(value: &str, redactor: &Redactor) -> String {
    plain::cut(&redactor.clean(&plain::one_line(value)), LENGTH)
}

/// `http://ana:pw@proxy:7890` becomes `http://[redacted]@proxy:7890`; also without a scheme.
fn without_user(value: &str, redactor: &Redactor) -> String {
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), value),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return value.to_owned();
    };
    let password = user.split_once(':').map_or(user, |(_, password)| password);
    redactor.learn(&SecretString::from(password.to_owned()));
    format!("{scheme}{REDACTED}@{host}{tail}")
}

/// Whether a referenced value is an address, a number or a switch and no secret: were an
/// `api_base` learnt as a secret, the report could not name it any more.
fn is_plain_value(value: &str) -> bool {
    let is_switch = ["true", "false", "yes", "no", "on", "off"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    if is_switch || value.parse::<u16>().is_ok() {
        return true;
    }
    let Some(rest) = value
        .strip_prefix("http://")
        .or_else(|| value.strip_prefix("https://"))
    else {
        return false;
    };
    !rest.is_empty() && rest.len() <= 200 && !rest.contains(['@', '?', '#', '=', ' '])
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test starts the process whose environment is read"
)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn look(pairs: &[(&str, &str)], referenced: &[&str]) -> (EnvironmentLook, Redactor) {
        let redactor = Redactor::default();
        let look = interpret(
            pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())),
            &referenced.iter().map(|name| (*name).into()).collect(),
            &Fingerprinter::fixed([1; 32]),
            &redactor,
        );
        (look, redactor)
    }

    #[test]
    fn open_values_are_shown_and_secret_ones_are_not() {
        let (look, redactor) = look(
            &[
                ("PORT", "4001"),
                ("HTTP_PROXY", "http://ana:hunter22@127.0.0.1:7890"),
                ("LITELLM_MASTER_KEY", "lab-master-0001"),
                ("UPSTREAM_KEY", "lab-upstream-0001"),
                ("UPSTREAM_BASE", "http://127.0.0.1:8317/v1"),
                ("UNSET_KEY", ""),
                ("EDITOR", "vi"),
            ],
            &["UPSTREAM_KEY", "UPSTREAM_BASE", "UNSET_KEY"],
        );
        let text = |text: &str| EnvVariable::Text(text.into());
        assert_eq!(look.variables["PORT"], text("4001"));
        assert_eq!(
            look.variables["HTTP_PROXY"],
            text("http://[redacted]@127.0.0.1:7890")
        );
        assert_eq!(
            look.variables["UPSTREAM_BASE"],
            text("http://127.0.0.1:8317/v1")
        );
        assert_eq!(look.variables["UNSET_KEY"], EnvVariable::Empty);
        assert!(!look.variables.contains_key("EDITOR"));
        assert!(matches!(
            look.variables["LITELLM_MASTER_KEY"],
            EnvVariable::Secret { .. }
        ));
        assert_eq!(
            look.secrets["UPSTREAM_KEY"].expose_secret(),
            "lab-upstream-0001"
        );
        assert_eq!(
            look.secrets["UPSTREAM_BASE"].expose_secret(),
            "http://127.0.0.1:8317/v1"
        );
        let text = "lab-upstream-0001 hunter22 http://127.0.0.1:8317/v1";
        assert_eq!(
            redactor.clean(text),
            "[redacted] [redacted] http://127.0.0.1:8317/v1"
        );
    }

    #[test]
    fn the_environment_of_a_running_process_is_read() {
        let mut child = Command::new("sleep")
            .arg("60")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PORT", "4711")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let look = || {
            of_process(
                child.id(),
                &BTreeSet::new(),
                &Fingerprinter::random(),
                &Redactor::default(),
            )
        };
        // The kernel tells the variables of a new program a moment after it has started it.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let mut read = look();
        while read.known().is_none_or(|look| look.variables.is_empty())
            && std::time::Instant::now() < deadline
        {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
            read = look();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let variables = &read.known().unwrap().variables;
        assert_eq!(variables["PORT"], EnvVariable::Text("4711".into()));
        assert_eq!(variables.len(), 1);
        let gone = of_process(
            4_194_305,
            &BTreeSet::new(),
            &Fingerprinter::random(),
            &Redactor::default(),
        );
        assert_eq!(gone.why_unknown().unwrap().why, "process 4194305 has ended");
    }

    proptest! {
        #[test]
        fn no_proxy_shows_its_password(
            scheme in "(http://|socks5://|)", user in "[a-z]{1,8}", password in "[A-Z0-9@:]{8,12}", host in "[a-z]{3,8}",
        ) {
            let (look, _) = look(&[("ALL_PROXY", &format!("{scheme}{user}:{password}@{host}:80/x"))], &[]);
            let EnvVariable::Text(text) = &look.variables["ALL_PROXY"] else { panic!() };
            prop_assert!(!text.contains(&password), "{text}");
            prop_assert!(text.ends_with(&format!("{host}:80/x")), "{text}");
        }
    }
}
