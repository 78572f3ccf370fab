#![doc = include_str!("../oauth_login.md")]

mod ageing;
mod attempt;
mod auth_dir;
mod banned;
mod callback;
mod credential;
mod endpoint;
mod management;
mod management_key;
mod no_credential;
mod proxy;
mod refused;
mod shared;
mod unsupported;

use crate::logins::{Logins, unseen};
use crate::model::{Check, ServiceKind, Snapshot, UnknownDatum, Verdict};
use crate::places::unread_config;
use crate::state::service_of;

crate::findings! { "oauth-login";
    MANAGEMENT_DISABLED = "management-disabled", Error, Outage, "no management API";
    MANAGEMENT_KEY_MISMATCH = "management-key-mismatch", Error, Outage, "the kept management key is wrong";
    BANNED = "banned", Error, Outage, "the management API has banned this machine";
    WRONG_ENDPOINT = "wrong-endpoint", Error, Outage, "a login path that does not exist";
    PROVIDER_UNSUPPORTED = "provider-unsupported", Error, Outage, "a provider that this build does not have";
    CALLBACK_PORT_BUSY = "callback-port-busy", Error, Outage, "its callback port is held";
    PROXY_UNREACHABLE = "proxy-unreachable", Error, Outage, "its proxy is not there";
    NO_CREDENTIAL = "no-credential", Error, Outage, "no login";
    CREDENTIAL_BROKEN = "credential-broken", Error, Outage, "a broken token file";
    CREDENTIAL_EXPIRED = "credential-expired", Error, Outage, "an expired login";
    CREDENTIAL_REJECTED = "credential-rejected", Error, Outage, "a login that the provider refuses";
    CREDENTIAL_EXPIRING = "credential-expiring", Warning, Risk, "a login that expires soon";
    CREDENTIAL_SHARED = "credential-shared", Warning, Risk, "another program uses the same login";
    CREDENTIAL_DISABLED = "credential-disabled", Info, Hint, "a login that is switched off";
    QUOTA_EXHAUSTED = "quota-exhausted", Warning, Risk, "its limit is reached";
    WRONG_AUTH_DIR = "wrong-auth-dir", Error, Outage, "its login lies elsewhere";
    LOGIN_NOT_SAVED = "login-not-saved", Error, Outage, "a login that is called a success and is not there";
    LOGIN_TIMED_OUT = "login-timed-out", Warning, Risk, "the last login timed out";
    LOGIN_FAILED = "login-failed", Warning, Risk, "the last login failed";
}

/// The check.
pub static CHECK: Check = Check {
    id: "oauth-login",
    title: "logins",
    section: Some(2),
    page: include_str!("../oauth_login.md"),
    findings: FINDINGS,
    run,
};

fn run(snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.unknowns.extend(unread_config(snapshot));
    let Some(proxy) = service_of(snapshot, ServiceKind::Cliproxyapi) else {
        return verdict;
    };
    // With one usable credential the verdict stands, whatever else lies where nobody may look.
    let logins = Logins::of(snapshot);
    let optional = !logins.providers().is_empty();
    verdict
        .unknowns
        .extend(unseen(snapshot).into_iter().map(|unknown| UnknownDatum {
            optional,
            ..unknown
        }));
    management::look(proxy, &mut verdict);
    management_key::look(proxy, &mut verdict);
    banned::look(proxy, &mut verdict);
    endpoint::look(snapshot, &mut verdict);
    unsupported::look(proxy, &logins, &mut verdict);
    callback::look(proxy, &mut verdict);
    proxy::look(proxy, &mut verdict);
    attempt::look(proxy, &logins, &mut verdict);
    credential::look(proxy, &logins, &mut verdict);
    refused::look(proxy, &logins, &mut verdict);
    ageing::look(proxy, &logins, &mut verdict);
    shared::look(proxy, &mut verdict);
    auth_dir::look(proxy, &logins, &mut verdict);
    no_credential::look(proxy, &logins, &mut verdict);
    verdict
}
