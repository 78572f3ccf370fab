//! Adds one `key: value` line to a mapping in block style.

use super::spell::{Style, double, spell};
use super::{Refused, Scalar, find};
use crate::config::document::{Document, Key, Node};

/// The text with the new line, in the places to try, the best first.
pub fn candidates(
    text: &str,
    old: &Document,
    under: &str,
    key: &str,
    value: &Scalar,
) -> Result<Vec<String>, Refused> {
    let name = || {
        if under.is_empty() {
            "the top".to_owned()
        } else {
            under.to_owned()
        }
    };
    let way = find::find(old, under)?;
    let Some(map) = way.last() else {
        return Err(Refused::Absent(name()));
    };
    let Some(pairs) = map.as_map() else {
        return Err(Refused::NoMapping(name()));
    };
    if map.get(key).is_some() {
        return Err(Refused::Present(crate::config::path::key(under, key)));
    }
    let lines = Lines::of(text);
    if lines
        .offset(map.position)
        .is_some_and(|at| text[at..].starts_with('{'))
    {
        return Err(Refused::Flow(name()));
    }
    let line = format!(
        "{}: {}",
        spell(&Scalar::Text(key.to_owned()), Style::Plain),
        spell(value, Style::Plain)
    );
    let quoted = match value {
        Scalar::Text(text) => format!("{}: {}", double(key), double(text)),
        _ => line.clone(),
    };
    let own = || pairs.iter().filter(|(_, node)| node.alias_of.is_none());
    let behind = own().rev().filter_map(|pair| lines.behind(pair));
    let before = own().filter_map(|pair| lines.before(pair));
    let places: Vec<Place> = behind.chain(before).take(2).collect();
    if places.is_empty() {
        return Err(Refused::NoPlace(name()));
    }
    Ok(places
        .iter()
        .flat_map(|place| [&line, &quoted].map(|line| place.put(text, line)))
        .collect())
}

/// Where a new line can stand.
struct Place {
    /// Byte before which it is put.
    at: usize,
    indent: String,
    ending: &'static str,
    /// Whether the file ends there without a line break.
    is_open_end: bool,
}

impl Place {
    fn put(&self, text: &str, line: &str) -> String {
        let (head, tail) = text.split_at(self.at);
        let Self { indent, ending, .. } = self;
        if self.is_open_end {
            format!("{head}{ending}{indent}{line}{tail}")
        } else {
            format!("{head}{indent}{line}{ending}{tail}")
        }
    }
}

/// The lines of a text, as the parser counts them.
struct Lines<'a> {
    text: &'a str,
    /// Byte at which each line begins.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let breaks = bytes.iter().enumerate().filter(|(index, byte)| {
            **byte == b'\n' || (**byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'))
        });
        Self {
            text,
            starts: std::iter::once(0)
                .chain(breaks.map(|(index, _)| index + 1))
                .collect(),
        }
    }

    /// A line with its break, by its number from 1.
    fn line(&self, number: u32) -> Option<(usize, &'a str)> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self
            .starts
            .get(index + 1)
            .copied()
            .unwrap_or(self.text.len());
        Some((start, self.text.get(start..end)?))
    }

    /// The byte of a position.
    fn offset(&self, position: flowgate_checks::model::Position) -> Option<usize> {
        let (start, line) = self.line(position.line)?;
        // The mark at the beginning of a file takes no column.
        let mark = if start == 0 && line.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let column = usize::try_from(position.column).ok()?.checked_sub(1)?;
        let within = line[mark..]
            .char_indices()
            .map(|(at, _)| at)
            .chain([line.len() - mark])
            .nth(column)?;
        Some(start + mark + within)
    }

    /// What stands before a key on its line; none when that is more than an indent and the marks of
    /// list items.
    fn indent(&self, key: &Key) -> Option<(usize, String)> {
        let (start, _) = self.line(key.position.line)?;
        let before = self.text.get(start..self.offset(key.position)?)?;
        let before = before.trim_start_matches('\u{feff}');
        before
            .chars()
            .all(|c| matches!(c, ' ' | '-'))
            .then(|| (start, " ".repeat(before.len())))
    }

    /// The place behind a pair whose value ends on the line of its key.
    fn behind(&self, (key, node): &(Key, Node)) -> Option<Place> {
        let span = node.span.clone()?;
        let (_, indent) = self.indent(key)?;
        let (start, line) = self.line(key.position.line)?;
        let end = start + line.len();
        let is_on_its_line =
            start <= span.start && span.end <= end && node.position.line == key.position.line;
        let is_closed = !self.text[span].contains(['\n', '\r']);
        (is_on_its_line && is_closed).then(|| Place {
            at: end,
            indent,
            ending: self.ending(line),
            is_open_end: !line.ends_with(['\n', '\r']),
        })
    }

    /// The place before a pair that begins its line.
    fn before(&self, (key, _): &(Key, Node)) -> Option<Place> {
        let (at, indent) = self.indent(key)?;
        let (start, line) = self.line(key.position.line)?;
        let mark = if at == 0 && line.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let is_first = self.text[start + mark..self.offset(key.position)?]
            .trim()
            .is_empty();
        is_first.then(|| Place {
            at: at + mark,
            indent,
            ending: self.ending(line),
            is_open_end: false,
        })
    }

    /// The line break of a line; that of the file for the last one.
    fn ending(&self, line: &str) -> &'static str {
        let whole = if line.ends_with(['\n', '\r']) {
            line
        } else {
            self.text
        };
        if whole.contains("\r\n") {
            "\r\n"
        } else if whole.contains('\n') || !whole.contains('\r') {
            "\n"
        } else {
            "\r"
        }
    }
}
