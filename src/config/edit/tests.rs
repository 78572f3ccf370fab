use super::*;

pub fn replace(text: &str, path: &str, value: Scalar) -> Result<String, Refused> {
    let change = Change::Replace {
        path,
        value: &value,
    };
    apply(text, Rules::default(), change)
}

pub fn insert(text: &str, under: &str, key: &str, value: Scalar) -> Result<String, Refused> {
    let change = Change::Insert {
        under,
        key,
        value: &value,
    };
    apply(text, Rules::default(), change)
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.into())
}

#[test]
fn one_scalar_changes_wherever_it_stands() {
    for (before, path, value, after) in [
        (
            "a: 1 # one\nb: 2\n",
            "a",
            Scalar::Int(22),
            "a: 22 # one\nb: 2\n",
        ),
        (
            "\u{feff}a: 1\r\nb:\r\n  - x\r\n",
            "b[0]",
            text("z"),
            "\u{feff}a: 1\r\nb:\r\n  - z\r\n",
        ),
        (
            "{\"port\": 4000, \"h\": \"x\"}",
            "port",
            Scalar::Int(4001),
            "{\"port\": 4001, \"h\": \"x\"}",
        ),
        (
            "{\"port\": 4000, \"h\": \"x\"}",
            "h",
            text("y,z"),
            "{\"port\": 4000, \"h\": \"y,z\"}",
        ),
        ("{\"port\": null}", "port", text("y"), "{\"port\": \"y\"}"),
        (
            "args: [--port, '4000', -x]\n",
            "args[1]",
            Scalar::Int(4001),
            "args: [--port, '4001', -x]\n",
        ),
        (
            "args: [--port, '4000', -x]\n",
            "args[0]",
            text("a, b"),
            "args: [\"a, b\", '4000', -x]\n",
        ),
        (
            "포트: {안: '한 국'}\n",
            "포트.안",
            text("it's"),
            "포트: {안: 'it''s'}\n",
        ),
        ("a: x\n", "a", text("yes"), "a: \"yes\"\n"),
        ("a: true\n", "a", Scalar::Bool(false), "a: false\n"),
        (
            "a.b: {\"c[\": x}\n",
            "\"a.b\".\"c[\"",
            text("z"),
            "a.b: {\"c[\": z}\n",
        ),
        ("a: ~\n", "a", Scalar::Int(3), "a: 3\n"),
    ] {
        assert_eq!(
            replace(before, path, value).as_deref(),
            Ok(after),
            "{path} of {before:?}"
        );
    }
}

#[test]
fn a_line_is_added_beside_its_siblings() {
    for (before, under, after) in [
        ("a: 1\n", "", "a: 1\nk: v\n"),
        ("a: 1", "", "a: 1\nk: v"),
        (
            "a: 1\r\nb:\r\n    c: 2 # two\r\n    d:\r\n    - 3\r\n",
            "b",
            "a: 1\r\nb:\r\n    c: 2 # two\r\n    k: v\r\n    d:\r\n    - 3\r\n",
        ),
        (
            "\u{feff}a:\n  b:\n    c: 1\n",
            "",
            "\u{feff}k: v\na:\n  b:\n    c: 1\n",
        ),
        (
            "l:\n- a: 1\n  b: {c: 2}\n",
            "l[0]",
            "l:\n- a: 1\n  k: v\n  b: {c: 2}\n",
        ),
        (
            "l:\n- a: {x: 1}\n  b: {c: 2}\n",
            "l[0]",
            "l:\n- a: {x: 1}\n  k: v\n  b: {c: 2}\n",
        ),
        (
            "a:\n  x: |\n    long\n  y: 2\n",
            "a",
            "a:\n  x: |\n    long\n  y: 2\n  k: v\n",
        ),
        (
            "a:\n  m: &m {z: 1}\nb:\n  <<: {q: 1}\n  y: 2\n",
            "b",
            "a:\n  m: &m {z: 1}\nb:\n  <<: {q: 1}\n  y: 2\n  k: v\n",
        ),
    ] {
        assert_eq!(
            insert(before, under, "k", text("v")).as_deref(),
            Ok(after),
            "{before:?}"
        );
    }
    assert_eq!(
        insert("a: 1\n", "", "y", text("12:30")).as_deref(),
        Ok("a: 1\n\"y\": \"12:30\"\n")
    );
}

#[test]
fn what_is_not_certain_is_refused_with_its_reason() {
    let is = |result: Result<String, Refused>, expected: &str| {
        let refused = result.map(|text| format!("{text:?}")).unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    };
    let x = || text("x");
    is(replace("a: &k 1\nb: *k\n", "a", x()), "anchor");
    is(replace("a: &k 1\nb: *k\n", "b", x()), "alias");
    is(replace("a: &k {p: 1}\nb: *k\n", "a.p", x()), "anchor");
    is(replace("a: &k {p: 1}\nb:\n  <<: *k\n", "b.p", x()), "merge");
    is(replace("a: |\n  one\n", "a", x()), "several lines");
    is(replace("a: one\n  two\n", "a", x()), "several lines");
    is(replace("a: \"one\n  two\"\n", "a", x()), "several lines");
    is(replace("a:\nb: 1\n", "a", x()), "no value yet");
    is(replace("a: 1\n", "b", x()), "it has no b");
    is(replace("a: 1\na: 2\n", "a", x()), "stands twice");
    is(replace("a: {b: 1}\n", "a", x()), "a list or a mapping");
    is(replace("a: [\n", "a", x()), "does not load");
    is(replace("a: !!int 4000\n", "a", x()), "has a tag");
    is(replace("a: [!x b]\n", "a[0]", x()), "has a tag");
    is(insert("a: {b: 1}\n", "a", "k", x()), "between braces");
    is(insert("{\"a\": 1}\n", "", "k", x()), "between braces");
    is(insert("a: 1\n", "", "a", x()), "has a already");
    is(insert("a: [1]\n", "a", "k", x()), "no mapping");
    is(insert("a:\n", "a", "k", x()), "no mapping");
    is(insert("a: &k\n  b: 1\nc: *k\n", "a", "k", x()), "anchor");
    is(insert("l:\n- a: {x: 1}\n", "l[0]", "k", x()), "no line");
}
