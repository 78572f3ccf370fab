//! Builds the tree of a document from the events of the parser, without recursion and in bounds.

use std::collections::HashMap;

use flowgate_checks::model::Position;
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Span, StructureStyle, Tag};

use super::alias::{measure, use_at};
use super::document::{Document, DuplicateKey, Key, Node, NodeValue, ParseFault, Rules};
use super::fault::position;
use super::{path, scalar};

/// The largest number of nodes, copies through aliases included; the largest real config seen
/// has some hundreds.
const MOST_NODES: usize = 100_000;

/// The largest amount of text in bytes, copies through aliases included.
const MOST_TEXT: usize = 16 << 20;

/// The longest key in bytes; the longest sensible one is a model name.
const LONGEST_KEY: usize = 512;

/// The largest number of duplicate keys that are told.
const MOST_DUPLICATES: usize = 200;

/// The deepest nesting, through aliases too; the stack of a thread holds it in any build.
const DEEPEST: usize = 100;

/// Reads a text into a tree.
///
/// # Errors
/// [`ParseFault`], when the text is no YAML or out of bounds.
pub fn build(text: &str, rules: Rules) -> Result<Document, ParseFault> {
    let mut options = granit_parser::options! {
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    options.set_emit_comments(false);
    let mut builder = Builder::new(text);
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event?;
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 && rules.first_document_only {
                break;
            }
            if documents > 1 {
                return Err(ParseFault::at(
                    position(&span.start),
                    "a second document starts here; expected one",
                ));
            }
        }
        builder.take(event, span)?;
    }
    Ok(builder.finish())
}

struct Builder<'text> {
    text: &'text str,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    duplicates: Vec<DuplicateKey>,
    root: Option<Node>,
    nodes: usize,
    bytes: usize,
}

/// A collection that is not closed yet.
struct Frame {
    position: Position,
    style: StructureStyle,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    pairs: Vec<(Key, Node)>,
    index: HashMap<String, usize>,
    pending: Option<(Key, bool)>,
    merged: Vec<Node>,
}

impl<'text> Builder<'text> {
    fn new(text: &'text str) -> Self {
        Self {
            text,
            stack: Vec::new(),
            anchors: HashMap::new(),
            duplicates: Vec::new(),
            root: None,
            nodes: 0,
            bytes: 0,
        }
    }

    fn finish(self) -> Document {
        let start = Position { line: 1, column: 1 };
        Document {
            root: self.root.unwrap_or(plain_node(NodeValue::Null, start)),
            duplicates: self.duplicates,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), ParseFault> {
        let at = position(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, anchor, tag.as_deref(), &span);
                self.charge(1, text.len(), at)?;
                let merges = &*text == "<<" && style == ScalarStyle::Plain && tag.is_none();
                self.place(node, anchor, merges)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(at, (style, anchor), Content::List(Vec::new()))
            }
            Event::MappingStart(style, anchor, _) => {
                self.open(at, (style, anchor), Content::Map(OpenMap::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(()),
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Node {
        let bytes = span.byte_range().filter(|range| !range.is_empty());
        let raw = bytes.clone().and_then(|range| self.text.get(range));
        let value = scalar::resolve(text, style, tag);
        let is_one_line = !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let canonical = match &value {
            NodeValue::Null => None,
            NodeValue::Bool(truth) => Some(truth.to_string()),
            NodeValue::Int(number) => Some(number.to_string()),
            _ => Some(text.to_owned()),
        };
        Node {
            raw: raw
                .filter(|raw| is_one_line && canonical.as_deref() != Some(*raw))
                .map(str::to_owned),
            span: bytes,
            anchored: anchor != 0,
            ..plain_node(value, position(&span.start))
        }
    }

    fn open(
        &mut self,
        at: Position,
        (style, anchor): (StructureStyle, usize),
        content: Content,
    ) -> Result<(), ParseFault> {
        self.charge(1, 0, at)?;
        self.deepen(0, at)?;
        self.stack.push(Frame {
            position: at,
            style,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), ParseFault> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let value = match frame.content {
            Content::List(items) => NodeValue::List(items),
            Content::Map(map) => NodeValue::Map(map.close()?),
        };
        let node = Node {
            anchored: frame.anchor != 0,
            is_flow: frame.style == StructureStyle::Flow,
            ..plain_node(value, frame.position)
        };
        self.place(node, frame.anchor, false)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), ParseFault> {
        let Some(written) = self.anchors.get(&anchor) else {
            return Err(ParseFault::at(
                at,
                "an alias stands inside the very value that it names",
            ));
        };
        let size = measure(written);
        let mut node = written.clone();
        self.charge(size.nodes, size.bytes, at)?;
        self.deepen(size.depth, at)?;
        use_at(&mut node, at);
        self.place(node, 0, false)
    }

    /// Puts a finished node where the innermost open collection wants it.
    fn place(&mut self, node: Node, anchor: usize, merges: bool) -> Result<(), ParseFault> {
        if anchor != 0 {
            let size = measure(&node);
            self.charge(size.nodes, size.bytes, node.position)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        let map = match &mut frame.content {
            Content::List(items) => {
                items.push(node);
                return Ok(());
            }
            Content::Map(map) => map,
        };
        let Some((key, is_merge)) = map.pending.take() else {
            map.pending = Some((key_of(node)?, merges));
            return Ok(());
        };
        if is_merge {
            map.merged.push(node);
            return Ok(());
        }
        if let Some(&found) = map.index.get(&key.text) {
            let first = map.pairs[found].0.position;
            map.pairs[found].1 = node;
            let duplicate = DuplicateKey {
                path: path::key(&self.parent_path(), &key.text),
                first,
                again: key.position,
            };
            if self.duplicates.len() < MOST_DUPLICATES {
                self.duplicates.push(duplicate);
            }
        } else {
            map.index.insert(key.text.clone(), map.pairs.len());
            map.pairs.push((key, node));
        }
        Ok(())
    }

    /// The path of the innermost open collection.
    fn parent_path(&self) -> String {
        let outer = self.stack.len().saturating_sub(1);
        self.stack[..outer]
            .iter()
            .fold(String::new(), |parent, frame| match &frame.content {
                Content::List(items) => path::index(&parent, items.len()),
                Content::Map(map) => match &map.pending {
                    Some((key, _)) => path::key(&parent, &key.text),
                    None => parent,
                },
            })
    }

    fn charge(&mut self, nodes: usize, bytes: usize, at: Position) -> Result<(), ParseFault> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.nodes > MOST_NODES || self.bytes > MOST_TEXT {
            return Err(ParseFault::at(
                at,
                format!("holds more than {MOST_NODES} values, aliases counted; expected a config"),
            ));
        }
        Ok(())
    }

    fn deepen(&self, below: usize, at: Position) -> Result<(), ParseFault> {
        if self.stack.len() + below >= DEEPEST {
            return Err(ParseFault::at(
                at,
                format!("nested more than {DEEPEST} levels deep"),
            ));
        }
        Ok(())
    }
}

impl OpenMap {
    /// The pairs, with those that `<<` brings in; what is written in the mapping itself wins.
    fn close(mut self) -> Result<Vec<(Key, Node)>, ParseFault> {
        for merged in std::mem::take(&mut self.merged) {
            let at = merged.position;
            let maps = match merged.value {
                NodeValue::List(maps) => maps,
                _ => vec![merged],
            };
            for map in maps {
                let NodeValue::Map(pairs) = map.value else {
                    return Err(ParseFault::at(at, "`<<` merges what is no mapping"));
                };
                for (key, node) in pairs {
                    if !self.index.contains_key(&key.text) {
                        self.index.insert(key.text.clone(), self.pairs.len());
                        self.pairs.push((key, node));
                    }
                }
            }
        }
        Ok(self.pairs)
    }
}

fn plain_node(value: NodeValue, position: Position) -> Node {
    Node {
        value,
        position,
        alias_of: None,
        raw: None,
        span: None,
        anchored: false,
        is_flow: false,
    }
}

fn key_of(node: Node) -> Result<Key, ParseFault> {
    let text = match &node.value {
        NodeValue::Null => node.raw.clone().unwrap_or_default(),
        _ => node.scalar_text().ok_or_else(|| {
            ParseFault::at(
                node.position,
                "a list or mapping stands as a key; expected text",
            )
        })?,
    };
    if text.len() > LONGEST_KEY {
        return Err(ParseFault::at(
            node.position,
            format!("a key is longer than {LONGEST_KEY} bytes"),
        ));
    }
    Ok(Key {
        text,
        position: node.position,
    })
}
