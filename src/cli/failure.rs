//! A command that could not do its work: one sentence, one hint, one exit code.

use anyhow::Error;

use crate::report::json_v1::Document;

use super::output;

/// Exit code of a usage error, a config error, and a check without a verdict.
pub const EXIT_USAGE: u8 = 2;
/// Exit code of work that failed.
pub const EXIT_FAILED: u8 = 1;

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    error: Error,
    hint: Option<String>,
    exit_code: u8,
    json: bool,
}

impl Failure {
    /// Bad input; exit 2.
    pub fn usage(error: impl Into<Error>) -> Self {
        Self {
            error: error.into(),
            hint: None,
            exit_code: EXIT_USAGE,
            json: false,
        }
    }

    /// Work that failed; exit 1.
    pub fn failed(error: impl Into<Error>) -> Self {
        Self {
            exit_code: EXIT_FAILED,
            ..Self::usage(error)
        }
    }

    /// The same with what to do about it; it can be followed literally.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, said as a JSON document on stdout.
    pub fn as_json(mut self) -> Self {
        self.json = true;
        self
    }

    /// Says it, and gives the exit code.
    pub fn report(&self) -> u8 {
        let message = format!("{:#}", self.error);
        if self.json {
            let document = Document::failed(message, self.hint.clone(), self.exit_code);
            // When stdout is gone there is nobody left to tell.
            let _ = output::json(&document);
        } else {
            output::error(&message, self.hint.as_deref());
        }
        self.exit_code
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}
