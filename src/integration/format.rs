//! Guarded edits of a client's config: one text value, and nothing else.

use thiserror::Error;

use super::{json, lines, toml};

/// How a client writes its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML.
    Toml,
    /// JSON.
    Json,
    /// `NAME=value` lines that a shell reads.
    Lines,
}

/// Why a config cannot be edited. No sentence holds a piece of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// It does not parse.
    #[error("line {line} is no {what}")]
    Syntax {
        /// `TOML`, `JSON`.
        what: &'static str,
        /// The line, from 1.
        line: u32,
    },
    /// Something stands where a mapping is needed.
    #[error("{path} is no table")]
    NoTable {
        /// The place.
        path: String,
    },
    /// Something that is no text stands where one is needed.
    #[error("{path} is no text")]
    NoText {
        /// The place.
        path: String,
    },
    /// The edit would change something else too.
    #[error("{path} cannot be changed alone")]
    NotAlone {
        /// The place.
        path: String,
    },
}

impl Format {
    /// Whether a text can be read at all.
    ///
    /// # Errors
    /// [`FormatError::Syntax`].
    pub fn check(self, text: &str) -> Result<(), FormatError> {
        match self {
            Self::Toml => toml::check(text),
            Self::Json => json::check(text),
            Self::Lines => Ok(()),
        }
    }

    /// The text at a place; none when nothing is there.
    ///
    /// # Errors
    /// [`FormatError`], when the text does not parse, or something else stands there.
    pub fn get(self, text: &str, path: &[&str]) -> Result<Option<String>, FormatError> {
        match self {
            Self::Toml => toml::get(text, path),
            Self::Json => json::get(text, path),
            Self::Lines => Ok(lines::get(text, path)),
        }
    }

    /// Whether anything stands at a place.
    pub fn has(self, text: &str, path: &[&str]) -> bool {
        !matches!(
            self.get(text, path),
            Ok(None) | Err(FormatError::Syntax { .. })
        )
    }

    /// The line of a place, from 1.
    pub fn line(self, text: &str, path: &[&str]) -> Option<u32> {
        let start = match self {
            Self::Toml => toml::start(text, path),
            Self::Json => json::start(text, path),
            Self::Lines => lines::start(text, path),
        }?;
        Some(line_of(text, start))
    }

    /// The text with a value at a place, and nothing else changed.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn set(self, text: &str, path: &[&str], value: &str) -> Result<String, FormatError> {
        let new = match self {
            Self::Toml => toml::set(text, path, value),
            Self::Json => json::set(text, path, value),
            Self::Lines => Ok(lines::set(text, path, value)),
        }?;
        self.guard(text, &new, path, Some(value))?;
        Ok(new)
    }

    /// The text without a value at a place, and nothing else changed.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn unset(self, text: &str, path: &[&str]) -> Result<String, FormatError> {
        let new = match self {
            Self::Toml => toml::unset(text, path),
            Self::Json => json::unset(text, path),
            Self::Lines => Ok(lines::unset(text, path)),
        }?;
        self.guard(text, &new, path, None)?;
        Ok(new)
    }

    /// Old and new are parsed, and must differ in exactly that value.
    fn guard(
        self,
        old: &str,
        new: &str,
        path: &[&str],
        value: Option<&str>,
    ) -> Result<(), FormatError> {
        let is_alone = match self {
            Self::Toml => toml::without(old, path) == toml::without(new, path),
            Self::Json => json::without(old, path) == json::without(new, path),
            Self::Lines => lines::without(old, path) == lines::without(new, path),
        };
        if is_alone && self.get(new, path)?.as_deref() == value {
            return Ok(());
        }
        Err(FormatError::NotAlone {
            path: path.join("."),
        })
    }
}

/// The line of a byte, from 1.
pub fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().iter().take(at);
    let line = before.filter(|byte| **byte == b'\n').count() + 1;
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
