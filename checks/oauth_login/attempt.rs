//! The last login did not end well, or was called a success and is not there.

use super::credential::{at_level, login_fix};
use super::{LOGIN_FAILED, LOGIN_NOT_SAVED, LOGIN_TIMED_OUT};
use crate::logins::{FailedLogin, Failure, Logins, Witness, failed_logins};
use crate::model::{Evidence, Finding, Severity, Subject, Verdict};
use crate::shell;
use crate::state::View;

/// Finds logins that timed out, failed or were not saved, newer than whatever serves instead.
pub fn look(proxy: View<'_>, logins: &Logins<'_>, verdict: &mut Verdict) {
    let serves = !logins.providers().is_empty();
    for login in failed_logins(logins) {
        verdict.push(finding(proxy, &login, serves));
    }
}

fn finding(proxy: View<'_>, login: &FailedLogin<'_>, serves: bool) -> Finding {
    let provider = &login.provider;
    let said = words(login);
    let (spec, symptom, cause, brief) = match login.failure {
        Failure::TimedOut => (
            &LOGIN_TIMED_OUT,
            format!("the last login to {provider} timed out"),
            format!("nobody came back from the page of {provider} in time: {said}"),
            "last login timed out",
        ),
        Failure::Failed => (
            &LOGIN_FAILED,
            format!("the last login to {provider} failed"),
            format!("it says: {said}"),
            "last login failed",
        ),
        Failure::NotSaved => (
            &LOGIN_NOT_SAVED,
            format!("the last login to {provider} was not saved: no token of it is there"),
            not_saved(proxy, login),
            "login not saved",
        ),
    };
    let mut fix = login_fix(proxy, provider);
    if login.failure == Failure::TimedOut {
        fix.title = format!("{}; a longer --timeout gives you more time", fix.title);
    }
    let finding = Finding::new(spec, Subject::Provider(provider.clone()), symptom, cause)
        .brief(brief)
        .evidence(row(proxy, login));
    let level = if serves {
        Severity::Warning
    } else {
        Severity::Error
    };
    at_level(finding, level).fix(fix)
}

fn not_saved(proxy: View<'_>, login: &FailedLogin<'_>) -> String {
    match login.witness {
        Witness::Event(event) if event.result == "success" => {
            "it was believed without looking for the token; the page and the program say so of any \
             login, also of one that they do not know"
                .into()
        }
        Witness::Line(line) if line.contains("get-auth-status") => format!(
            "{} was restarted while it waited, and forgot it; older builds answer ok to that",
            proxy.name
        ),
        Witness::Line(_) => {
            "its page said success, and the program never got hold of it: another login took its \
             place, or the auth dir cannot be written"
                .into()
        }
        Witness::Event(_) => format!(
            "{} does not know the login any more: it was restarted, or the login took too long",
            proxy.name
        ),
    }
}

fn words(login: &FailedLogin<'_>) -> String {
    match login.witness {
        Witness::Event(event) => event.detail.clone().unwrap_or_else(|| event.result.clone()),
        Witness::Line(line) => last_part(line).to_owned(),
    }
}

/// What a line says after its brackets: `[t] [error] [auth_files.go:1225] text`.
fn last_part(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some(inner) = rest.strip_prefix('[')
        && let Some((_, after)) = inner.split_once(']')
    {
        rest = after.trim_start();
    }
    rest
}

fn row(proxy: View<'_>, login: &FailedLogin<'_>) -> Evidence {
    let snapshot = proxy.snapshot;
    match login.witness {
        Witness::Event(event) => {
            let detail = event.detail.as_deref().unwrap_or("no detail");
            let log = &snapshot.paths.log_file;
            Evidence::new(
                "event",
                format!("oauth_login {} at {}: {detail}", event.result, event.at),
                log,
            )
            .expected("success, and a token that is newer")
            .command(format!(
                "grep -F oauth_login {} | tail -n 1",
                shell::path(snapshot, log)
            ))
        }
        Witness::Line(line) => {
            let log = proxy.service.log.known().map_or("", |log| &log.path);
            Evidence::new("log", line, log)
                .expected("Token saved to a file")
                .command(format!(
                    "grep -nE 'uthenticat|oken exchange|get-auth-status' {} | tail -n 5",
                    shell::path(snapshot, log)
                ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_line_stand_after_its_brackets() {
        assert_eq!(
            last_part("[2026-11-23 03:05:52] [error] [auth_files.go:1225] Denied."),
            "Denied."
        );
        assert_eq!(last_part("Denied."), "Denied.");
        assert_eq!(last_part("[half"), "[half");
    }
}
