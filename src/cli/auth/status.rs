//! `flowgate auth status`: who is logged in, as the doctor sees it. That a token file is there does
//! not say that its provider takes it.

use anyhow::anyhow;
use clap::Args;
use flowgate_checks::logins::Standing;
use flowgate_checks::words::{age, count};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::places;
use super::providers::{self, yes};
use crate::cli::failure::Failure;
use crate::cli::opened::{self, Opened};
use crate::cli::{Global, again, output, table};
use crate::doctor::accounts::{self, Account, Accounts, LastLogin};

/// Show who is logged in.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs `auth status`; the exit code is 0 whoever is logged in.
///
/// # Errors
/// A config that does not load.
pub fn run(args: &StatusArgs, global: &Global) -> Result<u8, Failure> {
    let as_document = |failure: Failure| failure.as_document(args.json);
    let opened = opened::open(global).map_err(as_document)?;
    let seen = accounts::accounts(global.config.clone()).map_err(|error| {
        as_document(Failure::failed(anyhow!(
            "failed to look at the logins: {error}"
        )))
    })?;
    if args.json {
        output::json(&document(&seen, &opened))?;
    } else if output::is_for_scripts(global) {
        output::text(&tokens(&seen, &opened))?;
    } else {
        output::text(&page(&seen, global))?;
    }
    Ok(0)
}

fn document(seen: &Accounts, opened: &Opened) -> Value {
    let last: serde_json::Map<String, Value> = seen
        .last_logins
        .iter()
        .map(|(provider, login)| (provider.clone(), json!(login)))
        .collect();
    json!({
        "schemaVersion": 1,
        "defaultAuthDir": places::default_dir(opened).display().to_string(),
        "secretPermissionIssues": seen.permission_issues,
        "accounts": seen.accounts,
        "lastLogins": last,
        "findings": seen.findings,
    })
}

/// The lines of the original, then one for each account.
fn tokens(seen: &Accounts, opened: &Opened) -> String {
    let issues = seen
        .permission_issues
        .map_or_else(|| "unknown".into(), |issues| issues.to_string());
    let mut lines = vec![
        format!("default_auth_dir={}", places::default_dir(opened).display()),
        format!("secret_permission_issues={issues}"),
    ];
    let providers = providers::of(opened);
    if providers.is_empty() {
        lines.push("providers=none".into());
    }
    lines.extend(providers.iter().map(|provider| {
        format!(
            "provider={} method={} oauth_login={} headless_import={}",
            provider.name,
            provider.method,
            yes(provider.has_login),
            yes(provider.has_import)
        )
    }));
    lines.extend(seen.accounts.iter().map(account_line));
    lines.iter().map(|line| table::plain(line) + "\n").collect()
}

fn account_line(account: &Account) -> String {
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let expires = account
        .expires_at
        .map_or_else(|| "none".into(), |at| at.to_string());
    let last = account.last_login.as_ref().map_or_else(
        || "none".into(),
        |login| format!("{}@{}", login.result, login.at),
    );
    format!(
        "account={} account_provider={} state={} expires={expires} refreshable={} mode={} \
         last_login={last} file={}",
        or_unknown(&account.account),
        or_unknown(&account.provider),
        account.state,
        yes(account.refreshable),
        or_unknown(&account.mode),
        account.file
    )
}

fn page(seen: &Accounts, global: &Global) -> String {
    let or_dash = |text: &Option<String>| text.as_deref().map_or("-".into(), table::plain);
    let rows = seen.accounts.iter().map(|account| {
        [
            or_dash(&account.provider),
            or_dash(&account.account),
            format!(
                "{} {}",
                table::mark(mark(account.standing())),
                account.standing().words()
            ),
            account.expiry.clone(),
            or_dash(&account.mode),
            account
                .last_login
                .as_ref()
                .map_or("-".into(), |login| last(login, seen.at)),
            table::plain(&account.file),
        ]
    });
    let heads = [
        "provider",
        "account",
        "state",
        "expires",
        "mode",
        "last login",
        "file",
    ];
    let mut text = if seen.accounts.is_empty() {
        "nobody is logged in\n".into()
    } else {
        table::table(&heads, rows)
    };
    for (provider, login) in &seen.last_logins {
        let of_provider = |account: &Account| account.last_login.as_ref() == Some(login);
        if !seen.accounts.iter().any(of_provider) {
            let detail = login.detail.as_deref().unwrap_or_default();
            text.push_str(&format!(
                "last login to {}: {} {}\n",
                table::plain(provider),
                last(login, seen.at),
                table::plain(detail)
            ));
        }
    }
    text.push('\n');
    for finding in &seen.findings {
        text.push_str(&format!("{}\n", table::plain(finding)));
    }
    text.push_str(&footer(seen, global));
    text
}

fn footer(seen: &Accounts, global: &Global) -> String {
    let issues = match seen.permission_issues {
        None => "secrets not looked at".into(),
        Some(0) => "secrets closed to others".into(),
        Some(issues) => count(issues, "secret permission issue"),
    };
    if seen.findings.is_empty() && seen.permission_issues == Some(0) {
        return format!("{issues}\n");
    }
    format!("{issues}: {}\n", again::command(global, "doctor"))
}

fn last(login: &LastLogin, now: Timestamp) -> String {
    let ms = now
        .as_millisecond()
        .saturating_sub(login.at.as_millisecond());
    let ago = age(u64::try_from(ms).unwrap_or_default());
    format!("{}, {ago} ago", table::plain(&login.result))
}

fn mark(standing: Standing) -> table::Mark {
    match standing {
        Standing::Usable => table::Mark::Unproven,
        Standing::Disabled | Standing::Unread => table::Mark::Off,
        _ => table::Mark::Bad,
    }
}
