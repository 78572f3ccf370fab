//! Typed reading of one mapping: each value with its path, each fault with its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use flowgate_checks::model::{ConfigProblem, Position, ProblemKind};
use flowgate_checks::suggest;

use super::document::{Key, Node, NodeValue, ParseFault};
use super::{path, scalar};
use crate::sys::place::normalise;

/// The largest number of unknown keys that are told of one mapping.
const MOST_UNKNOWN: usize = 200;

/// A mapping of a config file.
#[derive(Clone)]
pub struct Section<'a> {
    path: String,
    position: Position,
    pairs: &'a [(Key, Node)],
}

/// A value of a config file; never null.
#[derive(Clone)]
pub struct Field<'a> {
    /// The path of the entry.
    pub path: String,
    /// The value.
    pub node: &'a Node,
}

/// Where relative paths hang.
#[derive(Debug, Clone)]
pub struct Base {
    /// The folder of the config file, absolute.
    pub folder: PathBuf,
    /// The home directory, for `~`.
    pub home: Option<PathBuf>,
}

impl<'a> Section<'a> {
    /// Opens a mapping; null is an empty one.
    ///
    /// # Errors
    /// `<path> must be a mapping/object`.
    pub fn open(path: impl Into<String>, node: &'a Node) -> Result<Self, ParseFault> {
        let path = path.into();
        let pairs = match &node.value {
            NodeValue::Map(pairs) => pairs.as_slice(),
            NodeValue::Null => &[],
            _ => {
                return Err(ParseFault::at(
                    node.position,
                    format!("{path} must be a mapping/object"),
                ));
            }
        };
        Ok(Self {
            path,
            position: node.position,
            pairs,
        })
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The path of a key of this mapping.
    pub fn path_of(&self, key: &str) -> String {
        path::key(&self.path, key)
    }

    /// The value of a key; null counts as absent.
    pub fn field(&self, key: &str) -> Option<Field<'a>> {
        self.fields()
            .find(|(found, _)| found.text == key)
            .map(|(_, field)| field)
    }

    /// Where a key stands, with or without a value.
    pub fn key_position(&self, key: &str) -> Option<Position> {
        let (key, _) = self.pairs.iter().find(|(found, _)| found.text == key)?;
        Some(key.position)
    }

    /// Every key that has a value, in the order of the file, without `_comment…`.
    pub fn fields(&self) -> impl Iterator<Item = (&'a Key, Field<'a>)> + use<'a> {
        let parent = self.path.clone();
        self.pairs
            .iter()
            .filter(|(key, node)| !node.is_null() && !is_comment(&key.text))
            .map(move |(key, node)| {
                let path = path::key(&parent, &key.text);
                (key, Field { path, node })
            })
    }

    /// The mapping under a key, when it is there.
    ///
    /// # Errors
    /// `<path> must be a mapping/object`.
    pub fn section(&self, key: &str) -> Result<Option<Self>, ParseFault> {
        self.field(key).map(|field| field.section()).transpose()
    }

    /// Notes every key that is not among `known`.
    pub fn note_unknown(&self, known: &[&str], problems: &mut Vec<ConfigProblem>) {
        // A key that is there already is not the one that was meant.
        let free: Vec<&str> = known
            .iter()
            .copied()
            .filter(|known| self.key_position(known).is_none())
            .collect();
        let unknown = self
            .pairs
            .iter()
            .filter(|(key, _)| !known.contains(&key.text.as_str()) && !is_comment(&key.text));
        for (key, _) in unknown.take(MOST_UNKNOWN) {
            problems.push(ConfigProblem {
                kind: ProblemKind::UnknownKey {
                    suggestion: suggest::closest(&key.text, &free).map(str::to_owned),
                },
                entry: self.path_of(&key.text),
                position: key.position,
            });
        }
    }

    /// Notes a key of an older version, when it is there.
    pub fn note_legacy(&self, old: &str, instead: &str, problems: &mut Vec<ConfigProblem>) {
        if let Some(position) = self.key_position(old) {
            problems.push(ConfigProblem {
                kind: ProblemKind::LegacyKey {
                    instead: instead.to_owned(),
                },
                entry: self.path_of(old),
                position,
            });
        }
    }
}

fn is_comment(key: &str) -> bool {
    key.starts_with("_comment")
}

impl<'a> Field<'a> {
    /// The mapping that stands here.
    ///
    /// # Errors
    /// `<path> must be a mapping/object`.
    pub fn section(&self) -> Result<Section<'a>, ParseFault> {
        Section::open(self.path.clone(), self.node)
    }

    /// A fault of this value: `<path> <what>`.
    pub fn fault(&self, what: &str) -> ParseFault {
        ParseFault::at(self.node.position, format!("{} {what}", self.path))
    }

    /// Text that is not blank.
    ///
    /// # Errors
    /// `<path> must be a non-empty string`.
    pub fn text(&self) -> Result<String, ParseFault> {
        match self.node.as_text() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(self.fault("must be a non-empty string")),
        }
    }

    /// A file name, made absolute: relative ones hang on the folder of the config file, `..` is
    /// taken away by text alone, a leading `~` is the home directory.
    ///
    /// # Errors
    /// When it is no text, holds a NUL, or `~` cannot be told.
    pub fn file(&self, base: &Base) -> Result<PathBuf, ParseFault> {
        let text = self.text()?;
        if text.contains('\0') {
            return Err(self.fault("must be a path without a NUL character"));
        }
        let written = Path::new(&text);
        let expanded = match written.strip_prefix("~") {
            Ok(rest) => match &base.home {
                Some(home) => home.join(rest),
                None => return Err(self.fault("starts with ~, and HOME is not set")),
            },
            Err(_) => written.to_owned(),
        };
        Ok(normalise(&base.folder.join(expanded)))
    }

    /// A port; also one that is given as text.
    ///
    /// # Errors
    /// `<path> must be a whole number from 1 to 65535`.
    pub fn port(&self) -> Result<u16, ParseFault> {
        whole_number(self.node)
            .and_then(|number| u16::try_from(number).ok())
            .filter(|port| *port != 0)
            .ok_or_else(|| self.fault("must be a whole number from 1 to 65535"))
    }

    /// A boolean; also the words that YAML 1.1 takes for one.
    ///
    /// # Errors
    /// `<path> must be true or false`.
    pub fn flag(&self) -> Result<bool, ParseFault> {
        flag(self.node).ok_or_else(|| self.fault("must be true or false"))
    }

    /// A duration: seconds, or a number with `ms`, `s`, `m` or `h`.
    ///
    /// # Errors
    /// `<path> must be a duration such as 30 or 2m`.
    pub fn duration(&self) -> Result<Duration, ParseFault> {
        self.node
            .scalar_text()
            .and_then(|text| parse_duration(&text))
            .ok_or_else(|| self.fault("must be a duration such as 30 or 2m"))
    }

    /// A list of texts; numbers in it are taken as written.
    ///
    /// # Errors
    /// `<path> <otherwise>`.
    pub fn texts(&self, otherwise: &str) -> Result<Vec<Field<'a>>, ParseFault> {
        let items = self.node.as_list().ok_or_else(|| self.fault(otherwise))?;
        let fields = items.iter().enumerate().map(|(index, node)| Field {
            path: path::index(&self.path, index),
            node,
        });
        fields
            .map(|field| match field.node.scalar_text() {
                Some(_) => Ok(field),
                None => Err(ParseFault::at(
                    field.node.position,
                    format!("{} {otherwise}", self.path),
                )),
            })
            .collect()
    }
}

/// The whole number that a scalar stands for, as the gateway reads it.
pub fn whole_number(node: &Node) -> Option<i64> {
    match &node.value {
        NodeValue::Int(number) => Some(*number),
        NodeValue::Number(text) => scalar::integer(text),
        NodeValue::Text(text) => {
            let text = text.trim();
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| text.parse().ok())?
        }
        _ => None,
    }
}

/// The boolean that a scalar stands for, in YAML 1.1 too.
pub fn flag(node: &Node) -> Option<bool> {
    match &node.value {
        NodeValue::Bool(truth) => Some(*truth),
        NodeValue::Text(text) => scalar::word_as_bool(text),
        _ => None,
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * seconds;
    // A day is more than any service takes, and keeps sums of durations in range.
    (seconds <= 86_400.0).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_carry_a_unit() {
        assert_eq!(parse_duration("120"), Some(Duration::from_secs(120)));
        assert_eq!(parse_duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(parse_duration("500 ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        for wrong in ["", "s", "-1", "1d", "1e9", "999999h", "1.2.3"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
