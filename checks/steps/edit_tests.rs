use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::model::ConfigState;

/// A flowgate.yaml with these entries, in a file of this mode.
fn snapshot(entries: serde_json::Value, mode: u32) -> Snapshot {
    let mut snapshot = Snapshot::new(Timestamp::UNIX_EPOCH);
    snapshot.tool.command = "flowgate".into();
    snapshot.configs.flowgate.path = "config/flowgate.yaml".into();
    snapshot.configs.flowgate.state = ConfigState::Loaded;
    snapshot.configs.flowgate.entries = serde_json::from_value(entries).unwrap();
    let facts = json!({"known": {
        "role": "config", "kind": "file", "mode": format!("{mode:o}"), "uid": 0, "owner": "ana",
        "gid": 0, "readable": true, "writable": true, "parents": []
    }});
    snapshot.files.insert(
        "config/flowgate.yaml".into(),
        serde_json::from_value(facts).unwrap(),
    );
    snapshot
}

fn at(value: serde_json::Value) -> serde_json::Value {
    json!({"value": value, "position": {"line": 1, "column": 1}})
}

fn with(mut entry: serde_json::Value, key: &str, value: serde_json::Value) -> serde_json::Value {
    entry[key] = value;
    entry
}

fn number(number: i64) -> Value {
    Value::Literal(Literal::Int(number))
}

fn fix(snapshot: &Snapshot, edit: impl Fn(&mut Edits<'_>, &ConfigFile)) -> Fix {
    let mut edits = Edits::new(snapshot);
    edit(&mut edits, &snapshot.configs.flowgate);
    edits.fix(
        "set-port",
        "litellm",
        "write it".into(),
        vec!["by hand".into()],
    )
}

#[test]
fn a_plain_value_is_edited_with_what_it_was() {
    let snapshot = snapshot(json!({"a.port": at(json!({"int": 4000}))}), 0o644);
    let fix = fix(&snapshot, |edits, config| {
        edits.set_text(config, "a.port", "4001")
    });
    assert_eq!(fix.safety, Safety::Unsafe);
    assert_eq!(fix.commands, ["flowgate doctor --fix=set-port:litellm"]);
    assert_eq!(
        fix.steps,
        [Step::SetValue {
            file: "config/flowgate.yaml".into(),
            path: "a.port".into(),
            from: Some("4000".into()),
            to: number(4001),
        }]
    );
    assert!(fix.reversible);
}

#[test]
fn what_is_not_certain_is_for_a_person() {
    let plain = || at(json!({"int": 1}));
    let position = json!({"line": 2, "column": 1});
    let anchored = with(at(json!({"map": 1})), "isAnchored", json!(true));
    let flow = with(at(json!({"map": 1})), "isFlow", json!(true));
    let snapshot = snapshot(
        json!({
            "alias": with(plain(), "aliasOf", position),
            "anchor": with(plain(), "isAnchored", json!(true)),
            "in": anchored, "in.port": plain(),
            "flow": flow,
            "empty": at(json!({"map": 0})),
            "null": at(json!("null")),
            "list": at(json!({"list": 1})),
            "fine": plain(),
        }),
        0o644,
    );
    for path in ["alias", "anchor", "in.port", "null", "list", "in", "absent"] {
        let fix = fix(&snapshot, |edits, config| {
            edits.set(config, "fine", number(2));
            edits.set(config, path, number(2));
        });
        assert_eq!(fix.safety, Safety::Manual, "{path}");
        assert!(fix.steps.is_empty(), "{path}");
        assert_eq!(fix.commands, ["by hand"], "{path}");
    }
    for under in ["flow", "empty", "in", "fine", "absent"] {
        let fix = fix(&snapshot, |edits, config| {
            edits.insert(config, under, "port", number(2))
        });
        assert_eq!(fix.safety, Safety::Manual, "{under}");
    }
    let at_the_top = fix(&snapshot, |edits, config| {
        edits.insert(config, "", "port", number(2))
    });
    assert_eq!(at_the_top.safety, Safety::Unsafe);
}

#[test]
fn one_entry_gets_one_value() {
    let snapshot = snapshot(json!({"a": at(json!({"int": 1}))}), 0o644);
    let twice = |first: i64, second: i64| {
        fix(&snapshot, |edits, config| {
            edits.set(config, "a", number(first));
            edits.set(config, "a", number(second));
        })
    };
    assert_eq!(twice(2, 2).steps.len(), 1);
    assert_eq!(twice(2, 3).safety, Safety::Manual);
}

#[test]
fn a_file_that_gets_its_first_secret_is_closed_before() {
    let entries = json!({"a": at(json!({"text": "x"}))});
    let random = |edits: &mut Edits<'_>, config: &ConfigFile| {
        edits.set(
            config,
            "a",
            Value::Random(crate::model::SecretKind::MasterKey),
        );
    };
    let open = snapshot(entries.clone(), 0o644);
    let fix_of_open = fix(&open, random);
    assert_eq!(
        fix_of_open.steps[0],
        Step::SetMode {
            path: "config/flowgate.yaml".into(),
            from: Mode(0o644),
            to: Mode(0o600),
        }
    );
    let closed = snapshot(entries.clone(), 0o600);
    assert_eq!(fix(&closed, random).steps.len(), 1);
    let mut of_another = snapshot(entries, 0o644);
    of_another.host.user.uid = 1000;
    assert_eq!(fix(&of_another, random).safety, Safety::Manual);
}
