//! A command that could not do its work: one sentence, one hint, one exit code.

use anyhow::Error;
use serde_json::json;

use crate::report::json_v1::Document;
use crate::report::{Format, html, junit};

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
    form: Form,
}

/// How a failure is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One line on stderr that begins with the name of the program.
    Text,
    /// The line as it is, on stderr: scripts know its first words.
    Verbatim,
    /// The report of the doctor, on stdout.
    Report(Format),
    /// A small document on stdout.
    Document,
}

impl Failure {
    /// Bad input; exit 2.
    pub fn usage(error: impl Into<Error>) -> Self {
        Self {
            error: error.into(),
            hint: None,
            exit_code: EXIT_USAGE,
            form: Form::Text,
        }
    }

    /// Bad input, said in the words that scripts know: `Config error: …`, `Unknown service: x`;
    /// exit 2.
    pub fn known(text: String) -> Self {
        Self {
            form: Form::Verbatim,
            ..Self::usage(Error::msg(text))
        }
    }

    /// Work that failed, said in the words that scripts know; exit 1.
    pub fn refused(text: String) -> Self {
        Self {
            form: Form::Verbatim,
            ..Self::failed(Error::msg(text))
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

    /// The same, said as a report of the doctor on stdout.
    pub fn as_report(mut self, format: Format) -> Self {
        if format != Format::Text {
            self.form = Form::Report(format);
        }
        self
    }

    /// The same, said as a small JSON document on stdout: `{"ok": false, "error": {…}}`.
    pub fn as_document(mut self, is_asked: bool) -> Self {
        if is_asked {
            self.form = Form::Document;
        }
        self
    }

    /// Says it, and gives the exit code.
    pub fn report(&self) -> u8 {
        let message = format!("{:#}", self.error);
        match self.form {
            Form::Text => output::error(&message, self.hint.as_deref()),
            Form::Verbatim => output::errors(&format!("{message}\n")),
            Form::Report(format) => {
                // When stdout is gone there is nobody left to tell.
                let _ = self.report_as(format, message);
            }
            Form::Document => {
                let _ = output::json(&json!({
                    "schemaVersion": 1,
                    "ok": false,
                    "error": {"message": message, "hint": self.hint},
                }));
            }
        }
        self.exit_code
    }

    fn report_as(&self, format: Format, message: String) -> Result<(), Self> {
        let hint = self.hint.as_deref();
        match format {
            Format::Html => output::file(&html::failed(&message, hint, self.exit_code)),
            Format::Junit => output::file(&junit::failed(&message, hint, self.exit_code)),
            Format::Json | Format::Text => output::json(&Document::failed(
                message,
                self.hint.clone(),
                self.exit_code,
            )),
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::failed(error)
    }
}
