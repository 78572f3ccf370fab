use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::profiles::to_json;

fn parse(text: &str) -> Document {
    Document::parse(text, Rules::default()).unwrap()
}

fn fault(text: &str) -> String {
    let fault = Document::parse(text, Rules::default()).unwrap_err();
    match fault.position {
        Some(at) => format!("{}:{} {}", at.line, at.column, fault.message),
        None => fault.message,
    }
}

fn at(line: u32, column: u32) -> Position {
    Position { line, column }
}

#[test]
fn values_carry_their_place_spelling_and_bytes() {
    let text = "\u{feff}a: 1\r\nb:\r\n  - 'x'\r\n  - 0x1F\r\n  -\r\nü: {c: \"4000\"}\r\n";
    let document = parse(text);
    let list = document.root.get("b").unwrap().as_list().unwrap();
    assert_eq!(list[0].position, at(3, 5));
    assert_eq!(list[0].raw.as_deref(), Some("'x'"));
    assert_eq!(list[1].value, NodeValue::Int(31));
    assert_eq!(list[1].raw.as_deref(), Some("0x1F"));
    assert!(list[2].is_null() && list[2].span.is_none());
    let port = document.root.get("ü").unwrap().get("c").unwrap();
    assert_eq!(port.position, at(6, 8));
    assert_eq!(port.span.clone().map(|span| &text[span]), Some("\"4000\""));
    assert_eq!(document.root.get("a").unwrap().position, at(1, 4));
    assert_eq!(document.root.get("a").unwrap().raw, None);
    assert_eq!(document.root.pair("ü").unwrap().0.position, at(6, 1));
}

#[test]
fn a_key_that_stands_twice_is_told_with_both_places_and_the_last_wins() {
    let document =
        parse("s:\n  l:\n    - x: 1\n      port: 4000\n      port: 4001\ns2: 1\n's2': 2\n");
    assert_eq!(
        document.duplicates,
        [
            DuplicateKey {
                path: "s.l[0].port".into(),
                first: at(4, 7),
                again: at(5, 7)
            },
            DuplicateKey {
                path: "s2".into(),
                first: at(6, 1),
                again: at(7, 1)
            }
        ]
    );
    assert_eq!(document.root.get("s2").unwrap().value, NodeValue::Int(2));
}

#[test]
fn an_alias_tells_where_it_is_used_and_where_it_was_written() {
    let document = parse("base: &b {port: 1, host: h}\nuse: *b\nmore:\n  <<: *b\n  port: 2\n");
    let used = document.root.get("use").unwrap();
    assert_eq!((used.position, used.alias_of), (at(2, 6), Some(at(1, 10))));
    let port = used.get("port").unwrap();
    assert_eq!((port.position, port.alias_of), (at(2, 6), Some(at(1, 17))));
    assert_eq!(port.span, None);
    let more = document.root.get("more").unwrap();
    assert_eq!(more.get("port").unwrap().value, NodeValue::Int(2));
    assert_eq!(more.get("port").unwrap().alias_of, None);
    assert_eq!(more.get("host").unwrap().alias_of, Some(at(1, 26)));
    assert!(more.get("<<").is_none() && document.duplicates.is_empty());
    assert!(document.root.get("base").unwrap().anchored);
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    for (text, expected) in [
        (
            "a: \"x\nb: 1",
            "1:4 the quote that opens here is never closed",
        ),
        ("a: [1, 2\nb: 1", "2:"),
        ("a:\n\t- x\n", "2:2 a tab stands where YAML needs spaces"),
        ("a: b: c", "1:5 a second `:` on the line"),
        ("a: 1\n  b: 2\n", "2:"),
        ("a: *nope", "1:4 an alias (`*name`) names no anchor"),
        ("a: x\0y", "1:5 the control character U+0000"),
        ("a: @x", "1:4 no plain value can start with this character"),
        ("a: 1\n---\nb: 2", "2:1 a second document starts here"),
        ("? [a]\n: b", "1:3 a list or mapping stands as a key"),
        ("a: &a [*a]", "1:8 an alias stands inside the very value"),
        ("<<: 1", "1:5 `<<` merges what is no mapping"),
        ("a: {", "1:"),
    ] {
        let told = fault(text);
        assert!(told.starts_with(expected), "{text:?}: {told}");
    }
    let told = Document::parse_bytes(b"a: 1\nb: \xff", Rules::default()).unwrap_err();
    assert_eq!(told, ParseFault::at(at(2, 4), "is not UTF-8 text"));
}

#[test]
fn nothing_and_comments_are_null() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "\u{feff}", "~"] {
        assert!(parse(text).root.is_null(), "{text:?}");
    }
}

#[test]
fn the_programs_differ_in_tabs_and_documents() {
    let text = "{\n\t\"port\": 1\n}\n";
    assert!(Document::parse(text, Rules::default()).is_ok());
    let strict = Rules {
        refuses_tabs: true,
        ..Rules::default()
    };
    let told = Document::parse(text, strict).unwrap_err();
    assert_eq!(told.position, Some(at(2, 1)));
    let first = Rules {
        first_document_only: true,
        ..Rules::default()
    };
    let document = Document::parse("a: 1\n---\nb: [\n", first).unwrap();
    assert_eq!(to_json(&document.root), json!({"a": 1}));
}

#[test]
fn bombs_are_refused_quickly() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        let items = vec![below; 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let mut ladder = String::from("a0: &a0 [x]\n");
    for level in 1..500 {
        ladder.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let long = format!(
        "a: &a \"{}\"\nb: [{}]\n",
        "x".repeat(100_000),
        "*a,".repeat(50_000)
    );
    for bomb in [
        laughs,
        ladder,
        long,
        "[".repeat(500_000),
        "{a: ".repeat(200_000),
        "- ".repeat(400_000),
        String::from("[") + &"1,".repeat(400_000),
        format!("? {}\n: 1\n", "k".repeat(1000)),
    ] {
        assert!(Document::parse(&bomb, Rules::default()).is_err());
    }
}

#[test]
fn debug_shows_no_value() {
    let shown = format!("{:?}", parse("key: hunter2\nlist: [hunter3]\n"));
    assert!(!shown.contains("hunter"), "{shown}");
}

/// Any tree that JSON can hold, with texts that need quoting in YAML often enough.
fn trees() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[가-힣é]{1,4}",
        Just("yes".into()),
        Just("010".into()),
        Just("null".into()),
        Just("a: b # c".into()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z.ü \"\\[-]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Writes a tree in block style, comments between the lines.
fn block(value: &Value, indent: usize, newline: &str, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let key = Value::from(key.as_str());
                out.push_str(&format!("{newline}{pad}# é{newline}{pad}{key}: "));
                block(value, indent + 2, newline, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&format!("{newline}{pad}- "));
                block(item, indent + 2, newline, out);
            }
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Every scalar: its bytes parse to its value again, and its place is that of its bytes.
fn assert_places(text: &str, node: &Node) -> Result<(), TestCaseError> {
    match &node.value {
        NodeValue::Map(pairs) => {
            for (_, node) in pairs {
                assert_places(text, node)?;
            }
        }
        NodeValue::List(items) => {
            for node in items {
                assert_places(text, node)?;
            }
        }
        value => {
            let span = node.span.clone().unwrap();
            let alone = parse(&text[span.clone()]).root;
            prop_assert_eq!(&alone.value, value);
            prop_assert_eq!(node.position, place_of(&text.as_bytes()[..span.start]));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_a_document_or_a_fault(text in "\\PC{0,80}|[-\\[\\]{}:,&*!|>'\"%@# \na-c\t\r]{0,60}") {
        let _ = Document::parse(&text, Rules::default());
        let strict = Rules { refuses_tabs: true, first_document_only: true };
        let _ = Document::parse(&text, strict);
    }

    #[test]
    fn any_bytes_are_a_document_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse_bytes(&bytes, Rules::default());
    }

    #[test]
    fn places_point_at_the_bytes_of_the_value(tree in trees(), crlf in any::<bool>()) {
        let mut text = String::new();
        block(&tree, 0, if crlf { "\r\n" } else { "\n" }, &mut text);
        for text in [text, tree.to_string(), serde_json::to_string_pretty(&tree).unwrap()] {
            let document = parse(&text);
            prop_assert_eq!(to_json(&document.root), tree.clone());
            prop_assert!(document.duplicates.is_empty());
            assert_places(&text, &document.root)?;
        }
    }
}
