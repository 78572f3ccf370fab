//! Token files that are of use no longer soon, or were put aside.

use jiff::SignedDuration;

use super::credential::{at_level, login_fix, show_expiry};
use super::{CREDENTIAL_DISABLED, CREDENTIAL_EXPIRING};
use crate::logins::{Logins, edition, is_unread, provider_of};
use crate::model::{
    CredentialFile, CredentialState, Evidence, Finding, Fix, Safety, Severity, Step, Subject,
    Verdict,
};
use crate::routes::Edition;
use crate::shell;
use crate::state::View;
use crate::words;

/// Finds logins that end within the horizon, and those that are switched off.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let snapshot = proxy.snapshot;
    let edition = edition(snapshot);
    let is_only = logins.providers().is_empty();
    for (path, file) in &snapshot.credentials.files {
        let CredentialState::Parsed {
            expires_at,
            refreshable,
            disabled,
            ..
        } = &file.state
        else {
            continue;
        };
        if is_unread(file, snapshot) {
            continue;
        }
        // CLIProxyAPIPlus does not read `disabled`: there the file is in use.
        if *disabled {
            if edition == Edition::Mainline {
                verdict.push(disabled_one(proxy, path, file, is_only));
            }
            continue;
        }
        let now = snapshot.clock.gathered_at;
        let horizon = i64::try_from(snapshot.policy.horizon_seconds).unwrap_or(i64::MAX / 4);
        if let Some(at) = expires_at.filter(|_| !refreshable) {
            let left = at.duration_since(now);
            if left > SignedDuration::ZERO && left <= SignedDuration::from_secs(horizon) {
                verdict.push(expiring(proxy, path, file, left, at));
            }
        }
    }
}

fn expiring(
    proxy: View<'_>,
    path: &str,
    file: &CredentialFile,
    left: SignedDuration,
    at: jiff::Timestamp,
) -> Finding {
    let provider = provider_of(file).unwrap_or("codex");
    let left = words::age(u64::try_from(left.as_millis()).unwrap_or(0));
    Finding::new(
        &CREDENTIAL_EXPIRING,
        Subject::File(path.into()),
        format!("the login to {provider} expires in {left} ({path})"),
        "it holds no refresh token, so nothing renews it",
    )
    .brief("login expires soon")
    .evidence(
        Evidence::new("token", format!("expires at {at}"), path)
            .expected("a refresh token, or a later moment")
            .command(show_expiry(proxy.snapshot, path)),
    )
    .fix(login_fix(proxy, provider))
}

fn disabled_one(proxy: View<'_>, path: &str, file: &CredentialFile, is_only: bool) -> Finding {
    let snapshot = proxy.snapshot;
    let provider = provider_of(file).unwrap_or("codex");
    let level = if is_only {
        Severity::Warning
    } else {
        Severity::Info
    };
    let finding = Finding::new(
        &CREDENTIAL_DISABLED,
        Subject::File(path.into()),
        format!("the login to {provider} in {path} is switched off"),
        format!("it says disabled: true, and {} honours that", proxy.name),
    )
    .brief("login switched off")
    .evidence(
        Evidence::new("token", "disabled: true", path)
            .expected("disabled: false, when it is to be used")
            .command(format!(
                r#"grep -o '"disabled" *: *[a-z]*' {}"#,
                shell::path(snapshot, path)
            )),
    )
    .fix(
        Fix::new(
            "enable",
            Safety::Unsafe,
            format!("write \"disabled\": false in {path}"),
            vec![crate::steps::apply(snapshot, "enable", path)],
        )
        .with_steps(vec![Step::SetValue {
            file: path.into(),
            path: "disabled".into(),
            from: Some("true".into()),
            to: crate::model::Value::Literal(crate::model::Literal::Bool(false)),
        }]),
    );
    at_level(finding, level)
}
