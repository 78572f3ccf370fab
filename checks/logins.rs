//! What follows from a snapshot about logins: which credential is usable, which login is wanted.

use crate::model::{CredentialFile, CredentialState, Snapshot};

/// Whether a token file can be used: it parses, is not disabled, and is not expired without a way to renew it.
pub fn is_usable(file: &CredentialFile, snapshot: &Snapshot) -> bool {
    match &file.state {
        CredentialState::Parsed {
            expires_at,
            refreshable,
            disabled,
            ..
        } => {
            let expired = expires_at.is_some_and(|at| at <= snapshot.clock.gathered_at);
            !disabled && (*refreshable || !expired)
        }
        _ => false,
    }
}

/// The providers with a usable credential, sorted, API-key providers by their kind.
pub fn usable_providers(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<String> = snapshot
        .credentials
        .files
        .values()
        .filter(|file| is_usable(file, snapshot))
        .filter_map(|file| match &file.state {
            CredentialState::Parsed { provider, .. } => Some(provider.clone()),
            _ => None,
        })
        .chain(
            snapshot
                .credentials
                .api_key_providers
                .iter()
                .map(|provider| provider.kind.clone()),
        )
        .collect();
    names.sort();
    names.dedup();
    names
}
