//! A login that another program uses too: whoever renews it first ends it for the other.

use super::CREDENTIAL_SHARED;
use super::credential::login_fix;
use crate::by_hand;
use crate::logins::{is_unread, provider_of};
use crate::model::{
    CredentialFile, CredentialState, Evidence, Finding, ForeignLogin, Subject, Verdict,
};
use crate::shell;
use crate::state::View;

/// Finds refresh tokens that stand in another program's file as well (`facts/cliproxyapi.md` 5.4).
pub fn look(proxy: View<'_>, verdict: &mut Verdict) {
    let credentials = &proxy.snapshot.credentials;
    if credentials.elsewhere.is_empty() {
        return;
    }
    for (path, file) in &credentials.files {
        let CredentialState::Parsed {
            refresh_token: Some(token),
            ..
        } = &file.state
        else {
            continue;
        };
        if is_unread(file, proxy.snapshot) {
            continue;
        }
        let mut elsewhere = credentials.elsewhere.iter();
        if let Some(other) = elsewhere.find(|(_, other)| other.refresh_tokens.contains(token)) {
            verdict.push(finding(proxy, path, file, token, other));
        }
    }
}

fn finding(
    proxy: View<'_>,
    path: &str,
    file: &CredentialFile,
    token: &str,
    (other, login): (&String, &ForeignLogin),
) -> Finding {
    let snapshot = proxy.snapshot;
    let provider = provider_of(file).unwrap_or("codex");
    let mut fix = login_fix(proxy, provider);
    fix.title = format!(
        "log in to {provider} separately, so that {} and {} each hold a login of their own",
        proxy.name, login.program
    );
    Finding::new(
        &CREDENTIAL_SHARED,
        Subject::File(path.into()),
        format!("{} uses the same login to {provider}: {other}", login.program),
        format!(
            "both hold refresh token {}…, which is good for one renewal: whoever renews it first ends \
             it for the other",
            by_hand::short(token)
        ),
    )
    .brief("login shared with another program")
    .evidence(
        Evidence::new(
            "token",
            format!("refresh token {}… in both", by_hand::short(token)),
            format!("{path}, {other}"),
        )
        .expected("two different ones")
        .command(digest_of_both(
            &shell::path(snapshot, path),
            &shell::path(snapshot, other),
        )),
    )
    .fix(fix)
}

/// Shows a digest of the refresh token in each file, and nothing of it: equal lines, equal tokens.
fn digest_of_both(one: &str, other: &str) -> String {
    format!(
        r#"for f in {one} {other}; do grep -oE '"refresh(_token|Token)?" *: *"[^"]+"' "$f" | head -n 1 | sed 's/.*: *//' | sha256sum; done"#
    )
}
