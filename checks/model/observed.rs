//! A datum that may not have been seen: known, unknown with the reason, or never asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A datum that can fail to be seen.
///
/// `Unknown` is never a pass: a check that needed the datum has no verdict and says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase")]
pub enum Observed<T> {
    /// It was looked at, and this is what was seen.
    Known(T),
    /// It should have been looked at and could not be.
    Unknown(Unknown),
    /// Nobody looked; the default, so that older bundles keep loading.
    #[default]
    NotAsked,
}

/// Why a datum is unknown, and how a person can look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unknown {
    /// The reason, as a lower-case fragment: `belongs to uid 10001, mode 700`.
    pub why: String,
    /// The shell command with which a person sees the same, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl<T> Observed<T> {
    /// An unknown with its reason and no command.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(Unknown {
            why: why.into(),
            command: None,
        })
    }

    /// The datum, when it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) | Self::NotAsked => None,
        }
    }

    /// The reason, when it is unknown.
    pub fn why_unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::Known(_) | Self::NotAsked => None,
        }
    }

    /// Whether nobody looked; used to leave the field out of the JSON.
    pub fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }
}
