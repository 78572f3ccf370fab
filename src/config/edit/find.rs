//! The way from the top of a document to an entry.

use super::Refused;
use crate::config::document::{Document, Node, NodeValue};
use crate::config::path;

/// The nodes from the top to the entry, the entry last.
///
/// # Errors
/// [`Refused`], when it is not there, or not the only place that holds its value.
pub fn find<'a>(document: &'a Document, wanted: &str) -> Result<Vec<&'a Node>, Refused> {
    let way = walk(&document.root, wanted).ok_or_else(|| Refused::Absent(wanted.to_owned()))?;
    let is_twice = document
        .duplicates
        .iter()
        .any(|twice| is_at_or_below(wanted, &twice.path));
    if is_twice {
        return Err(Refused::Twice(wanted.to_owned()));
    }
    if way.iter().any(|node| node.alias_of.is_some()) {
        return Err(Refused::Alias(wanted.to_owned()));
    }
    if way.iter().any(|node| node.anchored) {
        return Err(Refused::Anchored(wanted.to_owned()));
    }
    Ok(way)
}

fn walk<'a>(root: &'a Node, wanted: &str) -> Option<Vec<&'a Node>> {
    let mut way = vec![root];
    let mut here = String::new();
    let mut node = root;
    while here != wanted {
        (here, node) = children(node, &here)
            .into_iter()
            .find(|(path, _)| is_at_or_below(wanted, path))?;
        way.push(node);
    }
    Some(way)
}

/// The nodes below one, each with its path.
pub fn children<'a>(node: &'a Node, parent: &str) -> Vec<(String, &'a Node)> {
    match &node.value {
        NodeValue::Map(pairs) => pairs
            .iter()
            .map(|(key, node)| (path::key(parent, &key.text), node))
            .collect(),
        NodeValue::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, node)| (path::index(parent, index), node))
            .collect(),
        _ => Vec::new(),
    }
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
