//! Whatever stands in a field, it is text: never a tag, an attribute or an element.

use std::path::Path;
use std::sync::LazyLock;

use flowgate::report::{FailOn, Moment, MomentKind, Report, html, junit};
use proptest::prelude::*;

use crate::plant::plant;

/// A text that cannot be anything but text.
const PLAIN: &str = "x";

const FRAGMENTS: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><style>",
    "</title><base href=//evil>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    "<?xml",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "&",
    "&amp",
    "</code></pre>",
    "<plaintext>",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "\u{0}",
    "\u{b}",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{fffe}",
    "\u{10ffff}",
    "\r\n\t",
    "포트",
    "`",
    "=",
    "\"",
    "'",
    " ",
];

fn hostile() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        4 => prop::sample::select(FRAGMENTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(fragment, 1..8).prop_map(|fragments| fragments.concat())
}

/// A report with a root, an effect, an unknown and a timeline, and a text in every field.
fn report(text: &str) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scenarios/secret-permissions-unreadable-auth-dir");
    let mut report = crate::report(&folder, FailOn::Error);
    assert!(report.effects().count() > 0 && !report.unknowns.is_empty());
    report.timeline.push(Moment {
        at: report.generated_at,
        service: "litellm".into(),
        kind: MomentKind::Ended,
        text: "ended".into(),
    });
    plant(&mut report, text);
    report
}

static HTML: LazyLock<crate::html::Page> =
    LazyLock::new(|| crate::html::read(&html::render(&report(PLAIN))));
static JUNIT: LazyLock<Vec<String>> = LazyLock::new(|| shape(&junit::render(&report(PLAIN))));

/// Each element with the names of its attributes.
fn shape(xml: &str) -> Vec<String> {
    crate::junit::read(xml)
        .elements
        .iter()
        .map(|element| {
            let names: Vec<&str> = element
                .attributes
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            format!("{} {}", element.name, names.join(" "))
        })
        .collect()
}

fn is_plain(c: char) -> bool {
    !c.is_control()
}

fn is_legal_in_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hostile_text_makes_no_tag_and_no_attribute_in_html(text in hostile()) {
        let page = crate::html::read(&html::render(&report(&text)));
        prop_assert_eq!(&page.tags, &HTML.tags);
        if text.chars().all(is_plain) {
            let seen = page.text.matches(&text).count();
            prop_assert!(seen >= 60, "{} times", seen);
        }
    }

    #[test]
    fn a_hostile_text_makes_no_element_and_no_attribute_in_junit(text in hostile()) {
        let xml = junit::render(&report(&text));
        prop_assert_eq!(&shape(&xml), &*JUNIT);
        prop_assert!(xml.chars().all(is_legal_in_xml));
        if text.chars().all(is_plain) && text.chars().all(is_legal_in_xml) {
            prop_assert!(crate::junit::read(&xml).text.contains(&text));
        }
    }
}
