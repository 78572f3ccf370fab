//! Every fault that stand-ins can show, by the section of its finding.

mod config;
mod missing_binaries;
mod oauth_login;
mod port_conflict;
mod readiness;
mod secret_permissions;
mod supervisor;
mod upstream;

use crate::situation::Situation;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Situation> {
    let sections = [
        port_conflict::ALL,
        oauth_login::ALL,
        secret_permissions::ALL,
        missing_binaries::ALL,
        readiness::ALL,
        upstream::ALL,
        config::ALL,
        supervisor::ALL,
    ];
    sections.into_iter().flatten()
}
