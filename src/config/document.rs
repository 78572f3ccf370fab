//! A YAML or JSON text as a tree with positions. JSON is read as the YAML that it is.
//!
//! The reader is the event parser of serde-saphyr; nothing outside this module, [`super::tree`]
//! and [`super::scalar`] knows it. It hands out events and not values, so that duplicate keys,
//! aliases and merges are ours to see, and an error never carries a piece of the file.

use std::fmt;
use std::ops::Range;

use flowgate_checks::model::Position;

pub use super::fault::ParseFault;
use super::tree;

/// A parsed text.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The top of the tree; null for a text without content.
    pub root: Node,
    /// Keys that stand twice in one mapping, in the order of the file.
    pub duplicates: Vec<DuplicateKey>,
}

/// A key that stands twice in one mapping. The last value is the one in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The path of the entry: `services.litellm.port`.
    pub path: String,
    /// Where the key stands first.
    pub first: Position,
    /// Where it stands again.
    pub again: Position,
}

/// One node of a document.
///
/// Its `Debug` shows kinds and sizes only: what a config holds may be secret.
#[derive(Clone, PartialEq)]
pub struct Node {
    /// What stands there.
    pub value: NodeValue,
    /// Where it stands; where it is used, for what came through an alias or a merge.
    pub position: Position,
    /// Where it was written, when it came through an alias or a merge.
    pub alias_of: Option<Position>,
    /// The spelling of a scalar in the file, quotes included, when it differs from the value.
    pub raw: Option<String>,
    /// The bytes of a scalar in the text, quotes included; none for collections, for an empty
    /// value and for what came through an alias.
    pub span: Option<Range<usize>>,
    /// Whether an anchor stands before it: other places may use it too.
    pub anchored: bool,
    /// Whether it is a mapping or list in brackets.
    pub is_flow: bool,
}

/// The value of a node.
#[derive(Clone, PartialEq)]
pub enum NodeValue {
    /// `~`, `null` or nothing.
    Null,
    /// `true` or `false`, which every reader takes for such.
    Bool(bool),
    /// A whole number on which every reader agrees.
    Int(i64),
    /// Any other plain number, as written: `1.5`, `010`, `1_000`.
    Number(String),
    /// Text.
    Text(String),
    /// A mapping in the order of the file; each key once.
    Map(Vec<(Key, Node)>),
    /// A list.
    List(Vec<Node>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key as text, also when it is written as a number.
    pub text: String,
    /// Where it stands.
    pub position: Position,
}

/// What a reader of the file does beyond plain YAML.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Takes the first of several documents, as yaml.v3 does; else they are a fault.
    pub first_document_only: bool,
    /// Refuses tabs as indentation in JSON too, as `PyYAML` does.
    pub refuses_tabs: bool,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// [`ParseFault`], when it is no YAML, or larger or deeper than any config.
    pub fn parse(text: &str, rules: Rules) -> Result<Self, ParseFault> {
        if rules.refuses_tabs {
            refuse_tabs(text)?;
        }
        tree::build(text, rules)
    }

    /// Reads bytes, which are UTF-8 with or without a byte order mark.
    ///
    /// # Errors
    /// As [`Document::parse`], and when the bytes are not UTF-8.
    pub fn parse_bytes(bytes: &[u8], rules: Rules) -> Result<Self, ParseFault> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text, rules),
            Err(error) => Err(ParseFault::at(
                place_of(&bytes[..error.valid_up_to()]),
                "is not UTF-8 text",
            )),
        }
    }
}

/// The place behind some bytes, which are valid UTF-8.
fn place_of(bytes: &[u8]) -> Position {
    let text = String::from_utf8_lossy(bytes);
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Position {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}

/// `PyYAML` takes no tab before a token, not even between brackets, where YAML allows it
/// (facts/litellm.md section 3.1); block style is refused by the parser itself.
fn refuse_tabs(text: &str) -> Result<(), ParseFault> {
    let is_flow = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '[']);
    for (number, line) in text.lines().enumerate().filter(|_| is_flow) {
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        if let Some(tab) = indent.find('\t').filter(|_| indent.len() < line.len()) {
            let position = Position {
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                column: u32::try_from(tab + 1).unwrap_or(u32::MAX),
            };
            return Err(ParseFault::at(
                position,
                "a tab indents this line; expected spaces",
            ));
        }
    }
    Ok(())
}

impl Node {
    /// The value of a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.pair(key).map(|(_, node)| node)
    }

    /// A key and its value, when this is a mapping that has it.
    pub fn pair(&self, key: &str) -> Option<&(Key, Self)> {
        self.as_map()?.iter().find(|(found, _)| found.text == key)
    }

    /// The pairs of a mapping.
    pub fn as_map(&self) -> Option<&[(Key, Self)]> {
        match &self.value {
            NodeValue::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.value {
            NodeValue::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether nothing stands here.
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// A scalar as text, the way a reader that wants text takes it: `4000`, `true`; none for
    /// null and for collections.
    pub fn scalar_text(&self) -> Option<String> {
        match &self.value {
            NodeValue::Bool(_) | NodeValue::Int(_) if self.raw.is_some() => self.raw.clone(),
            NodeValue::Bool(truth) => Some(truth.to_string()),
            NodeValue::Int(number) => Some(number.to_string()),
            NodeValue::Number(text) | NodeValue::Text(text) => Some(text.clone()),
            NodeValue::Null | NodeValue::Map(_) | NodeValue::List(_) => None,
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{:?}@{line}:{column}", self.value)
    }
}

impl fmt::Debug for NodeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_) => f.write_str("bool"),
            Self::Int(_) => f.write_str("int"),
            Self::Number(_) => f.write_str("number"),
            Self::Text(_) => f.write_str("text"),
            Self::Map(pairs) => write!(f, "map of {}", pairs.len()),
            Self::List(items) => write!(f, "list of {}", items.len()),
        }
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
