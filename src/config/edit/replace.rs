//! Puts another value in the place of a scalar.

use super::spell::{Style, double, spell};
use super::{Refused, Scalar, find};
use crate::config::document::{Document, NodeValue};

/// The text with the scalar exchanged, in the spellings to try, the best first.
pub fn candidates(
    text: &str,
    old: &Document,
    path: &str,
    value: &Scalar,
) -> Result<Vec<String>, Refused> {
    let way = find::find(old, path)?;
    let Some(node) = way.last() else {
        return Err(Refused::Absent(path.to_owned()));
    };
    if matches!(node.value, NodeValue::Map(_) | NodeValue::List(_)) {
        return Err(Refused::Collection(path.to_owned()));
    }
    let Some(raw) = node.span.clone().and_then(|span| text.get(span)) else {
        return Err(Refused::Empty(path.to_owned()));
    };
    if raw.contains(['\n', '\r']) {
        return Err(Refused::SeveralLines(path.to_owned()));
    }
    let span = node.span.clone().unwrap_or_default();
    if is_tagged(&text[..span.start]) {
        return Err(Refused::Tagged(path.to_owned()));
    }
    let style = Style::of(raw);
    // Where no text stands the file may be JSON, in which text has its quotes.
    let is_bare_text = matches!(node.value, NodeValue::Text(_)) || style != Style::Plain;
    let spelled = match value {
        Scalar::Text(text) if !is_bare_text => double(text),
        _ => spell(value, style),
    };
    let mut spellings = vec![spelled];
    if let Scalar::Text(text) = value {
        spellings.push(double(text));
    }
    Ok(spellings
        .into_iter()
        .map(|spelled| format!("{}{spelled}{}", &text[..span.start], &text[span.end..]))
        .collect())
}

/// Whether the last word of what stands before a scalar is a tag: `!!int`, `!env`.
fn is_tagged(before: &str) -> bool {
    before
        .trim_end()
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '[' | '{' | ','))
        .next()
        .is_some_and(|word| word.starts_with('!'))
}
