//! The providers of flowgate.yaml, and what can be done about each.

use flowgate_checks::routes::{Edition, login_route};

use crate::cli::opened::Opened;

/// Providers whose logins can be taken over from another program of this machine.
pub const IMPORTED: [&str; 1] = ["codex"];

/// One provider.
pub struct Provider<'a> {
    /// Its name.
    pub name: &'a str,
    /// `method`; only ever shown.
    pub method: &'a str,
    /// Whether a login can be begun: both endpoints are written, or known of the program.
    pub has_login: bool,
    /// Whether its login can be taken over.
    pub has_import: bool,
}

/// The configured providers, sorted.
pub fn of(opened: &Opened) -> Vec<Provider<'_>> {
    let configured = opened.config.providers.iter();
    configured
        .map(|(name, provider)| {
            let is_written =
                provider.auth_url_endpoint.is_some() && provider.status_endpoint.is_some();
            Provider {
                name,
                method: &provider.method,
                has_login: is_written || login_route(name, Edition::Unknown).is_some(),
                has_import: IMPORTED.contains(&name.as_str()),
            }
        })
        .collect()
}

/// `yes` or `no`, as scripts know it.
pub fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
