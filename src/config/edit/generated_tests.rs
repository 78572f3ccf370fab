//! Texts of every form, and that an edit changes one thing in each.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::Value;

use super::tests::{insert, replace};
use super::*;
use crate::config::document::{Node, NodeValue};
use crate::config::edit::find;
use crate::config::profiles::to_json;

/// A document as a tree with the way in which each part is written.
#[derive(Debug, Clone)]
enum Part {
    Scalar(String),
    List {
        is_flow: bool,
        items: Vec<(Part, Note)>,
    },
    Map {
        is_flow: bool,
        pairs: Vec<(String, Part, Note)>,
    },
}

/// What stands around a part.
#[derive(Debug, Clone)]
struct Note {
    above: Option<String>,
    behind: Option<String>,
}

/// How a whole text is written.
#[derive(Debug, Clone, Copy)]
struct Form {
    has_mark: bool,
    has_crlf: bool,
    is_flow: bool,
    has_start: bool,
    is_open_end: bool,
    indent: usize,
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[가-힣]{1,4}",
        Just("os.environ/KEY".to_owned()),
        Just("http://127.0.0.1:8317/v1".to_owned()),
        Just("sk-a1B2-0003".to_owned()),
    ]
}

fn scalars() -> impl Strategy<Value = Part> {
    prop_oneof![
        words(),
        (0i64..70_000).prop_map(|number| number.to_string()),
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("0x1F".to_owned()),
        Just("1_000".to_owned()),
        "[a-z 가#:,'\\[{}-]{0,8}".prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        "[a-z 가#:,'\\[{}-]{0,8}".prop_map(|text| format!("\"{text}\"")),
        Just("\"\\u00e9\\n\"".to_owned()),
    ]
    .prop_map(Part::Scalar)
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z_-]{0,5}",
        1 => "[가-힣]{1,3}",
        1 => "'[a-z. \\[]{1,4}'",
        1 => "\"[a-z. ]{1,4}\"",
    ]
}

fn notes() -> impl Strategy<Value = Note> {
    let comment = || prop::option::weighted(0.2, "[a-z가 :'\"{-]{0,8}");
    (comment(), comment()).prop_map(|(above, behind)| Note { above, behind })
}

fn parts() -> impl Strategy<Value = Part> {
    scalars().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (
                prop::bool::weighted(0.3),
                prop::collection::vec((inner.clone(), notes()), 1..4)
            )
                .prop_map(|(is_flow, items)| Part::List { is_flow, items }),
            (
                prop::bool::weighted(0.3),
                prop::collection::vec((keys(), inner, notes()), 1..5)
            )
                .prop_map(|(is_flow, pairs)| Part::Map { is_flow, pairs }),
        ]
    })
}

fn forms() -> impl Strategy<Value = Form> {
    (
        any::<[bool; 3]>(),
        prop::bool::weighted(0.15),
        any::<bool>(),
        1usize..5,
    )
        .prop_map(
            |([has_mark, has_crlf, has_start], is_flow, is_open_end, indent)| Form {
                has_mark,
                has_crlf,
                is_flow,
                has_start,
                is_open_end,
                indent,
            },
        )
}

/// A text, and its form; the top is a mapping, as in every config.
fn documents() -> impl Strategy<Value = String> {
    (
        prop::collection::vec((keys(), parts(), notes()), 1..6),
        forms(),
    )
        .prop_map(|(pairs, form)| {
            let top = Part::Map {
                is_flow: form.is_flow,
                pairs,
            };
            let mut out = String::new();
            if form.has_start && !form.is_flow {
                out.push_str("# head\n---\n");
            }
            if form.is_flow {
                flow(&top, &mut out);
                out.push('\n');
            } else {
                block(&top, 0, form.indent, &mut out);
            }
            if form.is_open_end {
                out.pop();
            }
            if form.has_crlf {
                out = out.replace('\n', "\r\n");
            }
            if form.has_mark {
                out.insert(0, '\u{feff}');
            }
            out
        })
}

fn flow(part: &Part, out: &mut String) {
    match part {
        Part::Scalar(text) => out.push_str(text),
        Part::List { items, .. } => {
            out.push('[');
            for (index, (item, _)) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flow(item, out);
            }
            out.push(']');
        }
        Part::Map { pairs, .. } => {
            out.push('{');
            for (index, (key, value, _)) in pairs.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write!(out, "{key}: ").unwrap();
                flow(value, out);
            }
            out.push('}');
        }
    }
}

/// Writes a collection in block style; the first line of it is already indented when `depth` says
/// that an item mark stands there.
fn block(part: &Part, depth: usize, indent: usize, out: &mut String) {
    let line = |note: &Note, head: &str, value: &Part, out: &mut String| {
        if let Some(above) = &note.above {
            writeln!(out, "{:depth$}# {above}", "").unwrap();
        }
        write!(out, "{:depth$}{head}", "").unwrap();
        let behind = match &note.behind {
            Some(behind) => format!(" # {behind}"),
            None => String::new(),
        };
        match value {
            Part::Scalar(_)
            | Part::List { is_flow: true, .. }
            | Part::Map { is_flow: true, .. } => {
                out.push(' ');
                flow(value, out);
                writeln!(out, "{behind}").unwrap();
            }
            Part::Map { pairs, .. } if head == "-" && note.behind.is_none() => {
                // The first key of a mapping in a list stands behind the mark of the item.
                let mut inner = String::new();
                let (key, first, note) = &pairs[0];
                let bare = Note {
                    above: None,
                    behind: note.behind.clone(),
                };
                let mut all = vec![(key.clone(), first.clone(), bare)];
                all.extend(pairs[1..].iter().cloned());
                block(
                    &Part::Map {
                        is_flow: false,
                        pairs: all,
                    },
                    depth + 2,
                    indent,
                    &mut inner,
                );
                out.push(' ');
                out.push_str(&inner[depth + 2..]);
            }
            _ => {
                writeln!(out, "{behind}").unwrap();
                block(value, depth + indent, indent, out);
            }
        }
    };
    match part {
        Part::Scalar(_) => {}
        Part::List { items, .. } => {
            for (item, note) in items {
                line(note, "-", item, out);
            }
        }
        Part::Map { pairs, .. } => {
            for (key, value, note) in pairs {
                line(note, &format!("{key}:"), value, out);
            }
        }
    }
}

/// Every entry of a tree with its path.
fn entries<'a>(node: &'a Node, here: &str, out: &mut Vec<(String, &'a Node)>) {
    out.push((here.to_owned(), node));
    for (path, child) in find::children(node, here) {
        entries(child, &path, out);
    }
}

/// What another reader of YAML makes of a text.
fn read_by_another(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}');
    serde_saphyr::from_str::<Value>(text).ok()
}

fn new_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        words().prop_map(Value::from),
        "[a-z 가#:,'\"\\[{}\n\\\\-]{0,10}".prop_map(Value::from),
        prop::sample::select(vec![
            "yes",
            "12:30",
            "1_000",
            "2026-11-23",
            "",
            "~",
            "on",
            "<<"
        ])
        .prop_map(Value::from),
        (0i64..70_000).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

/// A value has no `Debug`, since it may be secret.
fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Bool(truth) => Scalar::Bool(*truth),
        Value::String(text) => Scalar::Text(text.clone()),
        other => Scalar::Int(other.as_i64().unwrap()),
    }
}

fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The value at a path of the document, in the JSON that is made from it.
fn pointer(document: &Document, path: &str) -> String {
    fn down(node: &Node, here: &str, wanted: &str, pointer: &str) -> Option<String> {
        if here == wanted {
            return Some(pointer.to_owned());
        }
        let names: Vec<String> = match &node.value {
            NodeValue::Map(pairs) => pairs
                .iter()
                .map(|(key, _)| key.text.replace('~', "~0").replace('/', "~1"))
                .collect(),
            NodeValue::List(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        find::children(node, here)
            .into_iter()
            .zip(names)
            .find_map(|((path, child), name)| {
                down(child, &path, wanted, &format!("{pointer}/{name}"))
            })
    }
    down(&document.root, "", path, "").unwrap()
}

/// Documents that are tried; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(600),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_replaced_scalar_is_the_only_thing_that_differs(
        before in documents(),
        pick in any::<prop::sample::Index>(),
        value in new_values(),
    ) {
        let Ok(document) = Document::parse(&before, Rules::default()) else {
            return Err(TestCaseError::fail(format!("the generated text is no YAML: {before:?}")));
        };
        prop_assume!(document.duplicates.is_empty());
        let mut all = Vec::new();
        entries(&document.root, "", &mut all);
        all.retain(|(_, node)| !matches!(node.value, NodeValue::Map(_) | NodeValue::List(_)));
        let (path, node) = &all[pick.index(all.len())];
        let after = replace(&before, path, scalar(&value));
        let after = match after {
            Ok(after) => after,
            Err(refused) => return Err(TestCaseError::fail(format!("{refused}: {path} of {before:?}"))),
        };
        // The bytes around it are what they were.
        let span = node.span.clone().unwrap();
        prop_assert_eq!(&after[..span.start], &before[..span.start]);
        prop_assert!(after.ends_with(&before[span.end..]), "{:?} -> {:?}", before, after);
        // Another reader sees this value in this place and all others as before.
        let place = pointer(&document, path);
        let mut expected = to_json(&document.root);
        let old = read_by_another(&before);
        let new = read_by_another(&after);
        if let (Some(mut old), Some(new)) = (old, new) {
            let is = new.pointer(&place).cloned().unwrap();
            prop_assert_eq!(as_text(&is), as_text(&value));
            *old.pointer_mut(&place).unwrap() = is;
            prop_assert_eq!(old, new);
        }
        let reread = Document::parse(&after, Rules::default()).unwrap();
        let new = to_json(&reread.root);
        *expected.pointer_mut(&place).unwrap() = new.pointer(&place).cloned().unwrap();
        prop_assert_eq!(expected, new);
    }

    #[test]
    fn an_added_line_is_the_only_thing_that_differs(
        before in documents(),
        pick in any::<prop::sample::Index>(),
        key in "[a-z가]{1,4}zz|yes|12:30|a b|k#",
        value in new_values(),
    ) {
        let document = Document::parse(&before, Rules::default()).unwrap();
        prop_assume!(document.duplicates.is_empty());
        let mut all = Vec::new();
        entries(&document.root, "", &mut all);
        all.retain(|(_, node)| matches!(node.value, NodeValue::Map(_)));
        let (path, map) = &all[pick.index(all.len())];
        prop_assume!(map.get(&key).is_none());
        let after = match insert(&before, path, &key, scalar(&value)) {
            Ok(after) => after,
            Err(Refused::Flow(_) | Refused::NoPlace(_)) => return Ok(()),
            Err(refused) => {
                return Err(TestCaseError::fail(format!("{refused}: {path} of {before:?}")));
            }
        };
        // Exactly one line more; without it the text is what it was.
        let ending = if before.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = |text: &str| -> Vec<String> { text.split(ending).map(str::to_owned).collect() };
        let (old, mut new) = (lines(before.trim_start_matches('\u{feff}')), lines(after.trim_start_matches('\u{feff}')));
        let added = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        new.remove(added.min(new.len() - 1));
        prop_assert_eq!(old, new);
        prop_assert_eq!(before.starts_with('\u{feff}'), after.starts_with('\u{feff}'));
        let mut reread = to_json(&Document::parse(&after, Rules::default()).unwrap().root);
        let place = pointer(&document, path);
        let grown = reread.pointer_mut(&place).unwrap().as_object_mut().unwrap();
        prop_assert_eq!(grown.remove(&key).unwrap(), value);
        prop_assert_eq!(reread, to_json(&document.root));
    }
}
