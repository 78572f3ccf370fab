//! TOML, edited in place: comments, order and spelling of everything else stay.

use toml_edit::{Document, DocumentMut, Item, Table, TableLike, value};

use super::format::{FormatError, line_of};

fn parse(text: &str) -> Result<DocumentMut, FormatError> {
    text.parse::<DocumentMut>()
        .map_err(|error| syntax(text, &error))
}

fn syntax(text: &str, error: &toml_edit::TomlError) -> FormatError {
    FormatError::Syntax {
        what: "TOML",
        line: line_of(text, error.span().map_or(0, |span| span.start)),
    }
}

/// Whether a text is TOML.
pub fn check(text: &str) -> Result<(), FormatError> {
    parse(text).map(|_| ())
}

/// The text at a place.
pub fn get(text: &str, path: &[&str]) -> Result<Option<String>, FormatError> {
    let document = parse(text)?;
    let Some(item) = find(document.as_item(), path) else {
        return Ok(None);
    };
    match item.as_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(FormatError::NoText {
            path: path.join("."),
        }),
    }
}

/// Where the value at a place begins.
pub fn start(text: &str, path: &[&str]) -> Option<usize> {
    let document = Document::parse(text).ok()?;
    find(document.as_item(), path)?
        .span()
        .map(|span| span.start)
}

fn find<'a>(item: &'a Item, path: &[&str]) -> Option<&'a Item> {
    path.iter().try_fold(item, |item, key| {
        item.as_table_like()?
            .get(key)
            .filter(|item| !item.is_none())
    })
}

/// The text with a value at a place. Tables on the way are made at the end.
pub fn set(text: &str, path: &[&str], new: &str) -> Result<String, FormatError> {
    let mut document = parse(text)?;
    let Some((key, tables)) = path.split_last() else {
        return Ok(text.to_owned());
    };
    let no_table = |depth: usize| FormatError::NoTable {
        path: path[..=depth].join("."),
    };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for (depth, name) in tables.iter().enumerate() {
        if table.get(name).is_none_or(Item::is_none) {
            let mut made = Table::new();
            // Only the last table of the way needs a line of its own.
            made.set_implicit(depth + 1 < tables.len());
            table.insert(name, Item::Table(made));
        }
        table = table
            .get_mut(name)
            .and_then(Item::as_table_like_mut)
            .ok_or_else(|| no_table(depth))?;
    }
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            // The comment behind a value stays behind it.
            let decor = old.decor().clone();
            *old = new.into();
            *old.decor_mut() = decor;
        }
        None => {
            table.insert(key, value(new));
        }
    }
    Ok(document.to_string())
}

/// The text without a value at a place, and without the tables that are empty then.
pub fn unset(text: &str, path: &[&str]) -> Result<String, FormatError> {
    let mut document = parse(text)?;
    remove(document.as_table_mut(), path);
    Ok(document.to_string())
}

/// Removes a value; tells whether the table is empty then.
fn remove(table: &mut dyn TableLike, path: &[&str]) -> bool {
    match path {
        [] => {}
        [key] => {
            table.remove(key);
        }
        [name, rest @ ..] => {
            let inner = table.get_mut(name).and_then(Item::as_table_like_mut);
            if inner.is_some_and(|inner| remove(inner, rest)) {
                table.remove(name);
            }
        }
    }
    table.is_empty()
}

/// Everything but the value at a place, to be compared; none for what is no TOML.
pub fn without(text: &str, path: &[&str]) -> Option<serde_json::Value> {
    let mut document = parse(text).ok()?;
    remove(document.as_table_mut(), path);
    // Empty tables on the way there are no content.
    Some(content(document.as_item()))
}

fn content(item: &Item) -> serde_json::Value {
    if let Some(table) = item.as_table_like() {
        return table
            .iter()
            .map(|(key, item)| (key.to_owned(), content(item)))
            .filter(|(_, content)| !content.as_object().is_some_and(serde_json::Map::is_empty))
            .collect();
    }
    if let Some(list) = item.as_array_of_tables() {
        return list
            .iter()
            .map(|table| content(&Item::Table(table.clone())))
            .collect();
    }
    match item.as_value() {
        Some(value) => value.clone().decorated("", "").to_string().into(),
        None => serde_json::Value::Null,
    }
}
