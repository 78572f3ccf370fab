//! What is to be changed, and the way to it.

use thiserror::Error;

use super::{guard, insert, replace};
use crate::config::document::{Document, Rules};

/// A value to write. It may be secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// One edit of a config. Paths are written as in the snapshot: `services.litellm.port`,
/// `model_list[0].litellm_params.api_base`; the top has the empty one.
#[derive(Clone, Copy)]
pub enum Change<'a> {
    /// Puts another value in the place of a scalar.
    Replace {
        /// The scalar.
        path: &'a str,
        /// What it becomes.
        value: &'a Scalar,
    },
    /// Adds a key to a mapping in block style.
    Insert {
        /// The mapping.
        under: &'a str,
        /// The new key.
        key: &'a str,
        /// Its value.
        value: &'a Scalar,
    },
}

/// Why a config is not edited; no text holds a value of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// It does not parse.
    #[error("it does not load: {0}")]
    Unreadable(String),
    /// The entry is not there.
    #[error("it has no {0}")]
    Absent(String),
    /// What stands there is no single value.
    #[error("{0} is a list or a mapping")]
    Collection(String),
    /// What should get a key is no mapping.
    #[error("{0} is no mapping")]
    NoMapping(String),
    /// Nothing stands there, not even `null`.
    #[error("{0} has no value yet, and a place for one is not certain")]
    Empty(String),
    /// It comes from elsewhere.
    #[error("{0} comes through an alias or a merge, so other entries would change with it")]
    Alias(String),
    /// Other places use it.
    #[error("{0} stands in a value with an anchor, which other entries may use")]
    Anchored(String),
    /// Its text goes over several lines.
    #[error("{0} is written over several lines")]
    SeveralLines(String),
    /// A tag says how it is read.
    #[error("{0} has a tag, which says how its text is read")]
    Tagged(String),
    /// A key stands twice.
    #[error("{0} stands twice, and readers disagree on which one counts")]
    Twice(String),
    /// A line cannot be added there.
    #[error("{0} is written between braces, and only lines are added")]
    Flow(String),
    /// The key is there already.
    #[error("it has {0} already")]
    Present(String),
    /// The mapping has no line after which another can stand.
    #[error("{0} has no line beside which a new one can stand")]
    NoPlace(String),
    /// The guard saw another change than the one that was asked for.
    #[error("the change of {0} would change more than that")]
    Guard(String),
}

/// Changes a text.
///
/// # Errors
/// [`Refused`], when exactly this change is not possible by exchanging one scalar or adding one
/// line.
pub fn apply(text: &str, rules: Rules, change: Change<'_>) -> Result<String, Refused> {
    let parse = |text: &str| {
        Document::parse(text, rules).map_err(|fault| Refused::Unreadable(fault.to_string()))
    };
    let old = parse(text)?;
    let candidates = match change {
        Change::Replace { path, value } => replace::candidates(text, &old, path, value)?,
        Change::Insert { under, key, value } => insert::candidates(text, &old, under, key, value)?,
    };
    // A spelling that the place does not bear (a comma between braces) is followed by one that any
    // place bears; the guard tells which is right.
    for new in candidates {
        if parse(&new).is_ok_and(|parsed| guard::is_exactly(&old, &parsed, change)) {
            return Ok(new);
        }
    }
    Err(Refused::Guard(change.what()))
}

impl Change<'_> {
    /// The entry that it changes or adds.
    pub fn what(&self) -> String {
        match self {
            Self::Replace { path, .. } => (*path).to_owned(),
            Self::Insert { under, key, .. } => crate::config::path::key(under, key),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
#[path = "generated_tests.rs"]
mod generated;
