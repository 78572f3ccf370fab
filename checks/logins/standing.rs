//! How each login stands, in one word and in a few.

use super::{Logins, Refusal, edition, is_expired, is_unread};
use crate::model::{CredentialFile, CredentialState};
use crate::routes::is_unsupported;

/// How a login stands. That a token can be used says not that its provider takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it.
    Usable,
    /// Its limit is reached for now.
    Limited,
    /// Its provider refuses it, or to renew it.
    Refused,
    /// It expired, and nothing renews it.
    Expired,
    /// It is switched off.
    Disabled,
    /// The running build cannot use it.
    Unsupported,
    /// It lies in a dir that the service does not read.
    Unread,
    /// It is no token.
    Broken,
    /// It cannot be read.
    Unreadable,
}

impl Standing {
    /// One word for scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Limited => "limited",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Unsupported => "unsupported",
            Self::Unread => "not-read",
            Self::Broken => "broken",
            Self::Unreadable => "unreadable",
        }
    }

    /// A few words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Usable => "usable, not proven",
            Self::Limited => "its limit is reached",
            Self::Refused => "refused by the provider",
            Self::Expired => "expired",
            Self::Disabled => "switched off",
            Self::Unsupported => "not in this build",
            Self::Unread => "not read by the service",
            Self::Broken => "no token",
            Self::Unreadable => "cannot be read",
        }
    }
}

impl Logins<'_> {
    /// How one login stands; the nearest cause of several.
    pub fn standing(&self, path: &str, file: &CredentialFile) -> Standing {
        let provider = match &file.state {
            CredentialState::Parsed { provider, .. } => provider,
            CredentialState::Unreadable { .. } => return Standing::Unreadable,
            CredentialState::Empty | CredentialState::NotJson { .. } | CredentialState::NoType => {
                return Standing::Broken;
            }
        };
        if is_unread(file, self.snapshot) {
            return Standing::Unread;
        }
        if is_unsupported(provider, edition(self.snapshot)) {
            return Standing::Unsupported;
        }
        match self.refusal(path) {
            Some(Refusal::UsedUp(_)) => Standing::Limited,
            Some(_) => Standing::Refused,
            None if self.is_usable(path, file) => Standing::Usable,
            None if is_expired(file, self.snapshot) => Standing::Expired,
            None => Standing::Disabled,
        }
    }
}
