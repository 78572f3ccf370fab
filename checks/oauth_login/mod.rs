#![doc = include_str!("../oauth_login.md")]

mod ageing;
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

use crate::logins::{unseen, usable_providers};
use crate::model::{Check, ServiceKind, Snapshot, UnknownDatum, Verdict};
use crate::places::unread_config;
use crate::state::service_of;

crate::findings! { "oauth-login";
    MANAGEMENT_DISABLED = "management-disabled", Error, Outage, "no management API";
    MANAGEMENT_KEY_MISMATCH = "management-key-mismatch", Error, Outage, "the kept management key is wrong";
    BANNED = "banned", Error, Outage, "the management API has banned this machine";
    WRONG_ENDPOINT = "wrong-endpoint", Error, Outage, "a login path that does not exist";
    CALLBACK_PORT_BUSY = "callback-port-busy", Error, Outage, "its callback port is held";
    PROXY_UNREACHABLE = "proxy-unreachable", Error, Outage, "its proxy is not there";
    NO_CREDENTIAL = "no-credential", Error, Outage, "no login";
    CREDENTIAL_BROKEN = "credential-broken", Error, Outage, "a broken token file";
    CREDENTIAL_EXPIRED = "credential-expired", Error, Outage, "an expired login";
    CREDENTIAL_REJECTED = "credential-rejected", Error, Outage, "a login that the provider refuses";
    CREDENTIAL_EXPIRING = "credential-expiring", Warning, Risk, "a login that expires soon";
    CREDENTIAL_DISABLED = "credential-disabled", Info, Hint, "a login that is switched off";
    QUOTA_EXHAUSTED = "quota-exhausted", Warning, Risk, "its limit is reached";
    WRONG_AUTH_DIR = "wrong-auth-dir", Error, Outage, "its login lies elsewhere";
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
    let optional = !usable_providers(snapshot).is_empty();
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
    callback::look(proxy, &mut verdict);
    proxy::look(proxy, &mut verdict);
    credential::look(proxy, &mut verdict);
    refused::look(proxy, &mut verdict);
    ageing::look(proxy, &mut verdict);
    auth_dir::look(proxy, &mut verdict);
    no_credential::look(proxy, &mut verdict);
    verdict
}
