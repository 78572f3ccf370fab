//! A config as it may be shown: every scalar that may be a secret is hidden, line by line.

use flowgate_checks::model::EntryValue;

use super::files::FileChange;
use super::ground::Ground;
use crate::config::document::{Document, Node};
use crate::config::file::rules;
use crate::config::path;
use crate::config::{allow::FileKind, entries};
use crate::sys::redact::REDACTED;

use super::diff::{self, Sides};

/// The diff of one file of a step; none when its text does not change, or is no text.
pub fn diff(file: &FileChange, ground: &Ground) -> Option<String> {
    let kind = ground.kind(&file.path);
    let text = |image: &Option<super::files::Image>| match image {
        Some(image) => String::from_utf8(image.bytes.clone()).map(Some),
        None => Ok(None),
    };
    let (old, new) = (text(&file.before).ok()?, text(&file.after).ok()?);
    let shown = |text: &Option<String>| match text {
        Some(text) => mask(text, kind, ground),
        None => String::new(),
    };
    let (old_shown, new_shown) = (shown(&old), shown(&new));
    diff::unified(
        &ground.root.show(&file.path),
        Sides {
            text: old.as_deref(),
            shown: &old_shown,
        },
        Sides {
            text: new.as_deref(),
            shown: &new_shown,
        },
    )
}

/// The text with the same lines and without secrets.
fn mask(text: &str, kind: FileKind, ground: &Ground) -> String {
    let Ok(document) = Document::parse(text, rules(kind)) else {
        return text.lines().map(|_| format!("{REDACTED}\n")).collect();
    };
    let entries = entries::flatten(&document, kind, &ground.fingerprinter, &ground.redactor);
    let is_secret = |path: &str| {
        entries
            .get(path)
            .is_none_or(|entry| matches!(entry.value, EntryValue::Secret { .. }))
    };
    let mut spans = Vec::new();
    collect(&document.root, "", &is_secret, &mut spans);
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    let mut out = text.to_owned();
    for span in spans {
        let lines = text[span.clone()].matches('\n').count();
        // A text over several lines ends with its own line break.
        out.replace_range(span, &format!("{REDACTED}{}", "\n".repeat(lines)));
    }
    out.split('\n')
        .map(|line| ground.redactor.clean(line))
        .collect::<Vec<_>>()
        .join("\n")
}

fn collect(
    node: &Node,
    here: &str,
    is_secret: &impl Fn(&str) -> bool,
    spans: &mut Vec<std::ops::Range<usize>>,
) {
    for (key, child) in node.as_map().unwrap_or_default() {
        collect(child, &path::key(here, &key.text), is_secret, spans);
    }
    for (index, child) in node.as_list().unwrap_or_default().iter().enumerate() {
        collect(child, &path::index(here, index), is_secret, spans);
    }
    if let Some(span) = node.span.clone().filter(|_| is_secret(here)) {
        spans.push(span);
    }
}
