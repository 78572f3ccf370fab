//! Copies of nodes that an alias or a merge brings to another place.

use flowgate_checks::model::Position;

use super::document::{Node, NodeValue};

/// How much a node holds, itself included.
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// Bytes of text.
    pub bytes: usize,
    /// Levels below it.
    pub depth: usize,
}

/// Measures a node.
pub fn measure(node: &Node) -> Size {
    let mut size = Size {
        nodes: 1,
        bytes: node.raw.as_ref().map_or(0, String::len),
        depth: 0,
    };
    let mut add = |inner: Size| {
        size.nodes += inner.nodes;
        size.bytes += inner.bytes;
        size.depth = size.depth.max(inner.depth + 1);
    };
    match &node.value {
        NodeValue::Map(pairs) => pairs.iter().for_each(|(key, node)| {
            let mut inner = measure(node);
            inner.bytes += key.text.len();
            add(inner);
        }),
        NodeValue::List(items) => items.iter().for_each(|node| add(measure(node))),
        NodeValue::Text(text) | NodeValue::Number(text) => size.bytes += text.len(),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Int(_) => {}
    }
    size
}

/// Marks a copy: it stands at `at`, and was written elsewhere.
pub fn use_at(node: &mut Node, at: Position) {
    node.alias_of.get_or_insert(node.position);
    node.position = at;
    node.span = None;
    match &mut node.value {
        NodeValue::Map(pairs) => pairs.iter_mut().for_each(|(_, node)| use_at(node, at)),
        NodeValue::List(items) => items.iter_mut().for_each(|node| use_at(node, at)),
        _ => {}
    }
}
