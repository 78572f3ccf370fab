//! Reading one config file: its state, its entries, and what a typed reading makes of it.

use std::collections::BTreeMap;
use std::path::Path;

use flowgate_checks::model::{ConfigFile, ConfigProblem, ConfigState, ProblemKind};
use jiff::Timestamp;
use secrecy::SecretString;

use super::allow::FileKind;
use super::document::{Document, ParseFault, Rules};
use super::{entries, excerpt, secrets};
use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::read::{self, ReadError};
use crate::sys::redact::Redactor;

/// The largest config that is read, in bytes.
pub const LARGEST: u64 = 1 << 20;

/// A config file as the snapshot holds it, and as the gatherer uses it.
pub struct Loaded<T> {
    /// State, entries and problems, without secrets.
    pub file: ConfigFile,
    /// The typed content; none unless the state is loaded.
    pub config: Option<T>,
    /// The digest of every scalar ([`entries::digests`]); empty unless the state is loaded.
    pub digests: BTreeMap<String, String>,
}

impl<T> Loaded<T> {
    /// A file of which nothing but its state is known.
    pub fn without_content(file: ConfigFile) -> Self {
        Self {
            file,
            config: None,
            digests: BTreeMap::new(),
        }
    }
}

/// What every reading of a file needs.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// How paths are shown.
    pub root: &'a Root,
    /// Makes the fingerprints.
    pub fingerprinter: &'a Fingerprinter,
    /// Learns every secret that is read.
    pub redactor: &'a Redactor,
}

impl Reading<'_> {
    /// Reads a file and makes `typed` of it.
    ///
    /// A file that does not load has no entries: what it would tell is unknown. Its problems
    /// stay, since a misspelt key may be the very cause.
    pub fn load<T>(
        &self,
        path: &Path,
        kind: FileKind,
        typed: impl FnOnce(&Document, &mut Vec<ConfigProblem>) -> Result<T, ParseFault>,
    ) -> Loaded<T> {
        match read::whole(path, LARGEST) {
            Ok(bytes) => self.of_bytes(path, &bytes, kind, typed),
            Err(error) => Loaded::without_content(ConfigFile {
                path: self.root.show(path),
                state: unread(&error),
                ..ConfigFile::default()
            }),
        }
    }

    /// The same of a text that the file holds, or is about to hold.
    pub fn of_bytes<T>(
        &self,
        path: &Path,
        bytes: &[u8],
        kind: FileKind,
        typed: impl FnOnce(&Document, &mut Vec<ConfigProblem>) -> Result<T, ParseFault>,
    ) -> Loaded<T> {
        let mut file = ConfigFile {
            path: self.root.show(path),
            modified_at: modified_at(path),
            ..ConfigFile::default()
        };
        match self.interpret(bytes, kind, &mut file, typed) {
            Ok((config, digests)) => {
                file.state = ConfigState::Loaded;
                Loaded {
                    file,
                    config: Some(config),
                    digests,
                }
            }
            Err(fault) => {
                file.entries.clear();
                file.state = self.invalid(bytes, fault);
                Loaded::without_content(file)
            }
        }
    }

    fn interpret<T>(
        &self,
        bytes: &[u8],
        kind: FileKind,
        file: &mut ConfigFile,
        typed: impl FnOnce(&Document, &mut Vec<ConfigProblem>) -> Result<T, ParseFault>,
    ) -> Result<(T, BTreeMap<String, String>), ParseFault> {
        let document = Document::parse_bytes(bytes, rules(kind)).inspect_err(|_| {
            self.learn_from_fragments(bytes);
        })?;
        file.problems = document.duplicates.iter().map(duplicate_problem).collect();
        file.is_flow = document.root.is_flow;
        file.entries = entries::flatten(&document, kind, self.fingerprinter, self.redactor);
        let config = typed(&document, &mut file.problems);
        file.problems
            .sort_by(|a, b| (a.position, &a.entry).cmp(&(b.position, &b.entry)));
        let digests = entries::digests(&document, kind, self.fingerprinter);
        Ok((config?, digests))
    }

    fn invalid(&self, bytes: &[u8], fault: ParseFault) -> ConfigState {
        let text = String::from_utf8_lossy(bytes);
        let clean = |text: String| self.redactor.clean(&text);
        ConfigState::Invalid {
            position: fault.position,
            message: clean(fault.message),
            excerpt: excerpt::of(&text, fault.position).map(clean),
        }
    }

    /// Learns what looks like a secret in a text that does not parse: the service may still run
    /// with it, and a log may say it.
    fn learn_from_fragments(&self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let trim = |text: &str| -> String {
            text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '-'))
                .to_owned()
        };
        for fragment in text.split(['\n', '\r', ',', '{', '}', '[', ']']) {
            let (name, value) = fragment.split_once(':').unwrap_or(("", fragment));
            let (name, value) = (trim(name), trim(value));
            if secrets::is_secret_name(&name) || secrets::has_secret_form(&value) {
                self.redactor.learn(&SecretString::from(value));
            }
        }
    }
}

/// When a file was written last.
fn modified_at(path: &Path) -> Option<Timestamp> {
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    Timestamp::try_from(written).ok()
}

/// What the program does beyond plain YAML.
/// What the reader of a config does beyond plain YAML.
pub fn rules(kind: FileKind) -> Rules {
    Rules {
        // yaml.v3 reads the first document and stops there.
        first_document_only: kind == FileKind::Cliproxyapi,
        refuses_tabs: kind == FileKind::Litellm,
    }
}

fn unread(error: &ReadError) -> ConfigState {
    match error {
        ReadError::Missing => ConfigState::Missing,
        other => ConfigState::Unreadable {
            why: other.to_string(),
        },
    }
}

fn duplicate_problem(duplicate: &super::document::DuplicateKey) -> ConfigProblem {
    ConfigProblem {
        kind: ProblemKind::DuplicateKey {
            first: duplicate.first,
        },
        entry: if secrets::has_secret_form(&duplicate.path) {
            crate::sys::redact::REDACTED.to_owned()
        } else {
            duplicate.path.clone()
        },
        position: duplicate.again,
    }
}
