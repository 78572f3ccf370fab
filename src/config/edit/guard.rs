//! The guard: two texts differ in exactly the planned change, or the edit is refused.

use super::{Change, Scalar, find};
use crate::config::document::{Document, Node, NodeValue};

/// Whether the new document is the old one with this change and no other.
pub fn is_exactly(old: &Document, new: &Document, change: Change<'_>) -> bool {
    let paths = |document: &Document| -> Vec<String> {
        let twice = document.duplicates.iter();
        twice.map(|twice| twice.path.clone()).collect()
    };
    let guard = Guard {
        what: change.what(),
        change,
    };
    paths(old) == paths(new) && guard.is_same(&old.root, &new.root, "")
}

struct Guard<'a> {
    /// The entry that is changed or added.
    what: String,
    change: Change<'a>,
}

impl Guard<'_> {
    /// Whether a node is what it was, but for the change.
    fn is_same(&self, old: &Node, new: &Node, here: &str) -> bool {
        if old.alias_of.is_some() != new.alias_of.is_some() || old.anchored != new.anchored {
            return false;
        }
        let before = find::children(old, here);
        let mut after = find::children(new, here);
        match self.change {
            Change::Replace { value, .. } if here == self.what => {
                return is_replaced(old, new, value);
            }
            Change::Insert { under, value, .. } if here == under => {
                let Some(index) = after.iter().position(|(path, _)| *path == self.what) else {
                    return false;
                };
                if !is_written(after.remove(index).1, value) {
                    return false;
                }
            }
            _ => {}
        }
        match (&old.value, &new.value) {
            (NodeValue::Map(_), NodeValue::Map(_)) | (NodeValue::List(_), NodeValue::List(_)) => {
                before.len() == after.len()
                    && before
                        .iter()
                        .zip(&after)
                        .all(|((path, old), (other, new))| {
                            path == other && self.is_same(old, new, path)
                        })
            }
            (was, is) => was == is && old.raw == new.raw,
        }
    }
}

/// Text that looks like a number stays text: `port: "4000"` becomes `port: "4001"`.
fn is_replaced(old: &Node, new: &Node, value: &Scalar) -> bool {
    let stays_text = match (value, &old.value, &new.value) {
        (Scalar::Int(number), NodeValue::Text(_), NodeValue::Text(read)) => {
            *read == number.to_string()
        }
        (Scalar::Bool(truth), NodeValue::Text(_), NodeValue::Text(read)) => {
            *read == truth.to_string()
        }
        _ => false,
    };
    stays_text || is_written(new, value)
}

/// Whether a node holds this value, of this type, and nobody else uses it.
fn is_written(node: &Node, value: &Scalar) -> bool {
    let is_value = match (value, &node.value) {
        (Scalar::Text(text), NodeValue::Text(read)) => read == text,
        (Scalar::Int(number), NodeValue::Int(read)) => read == number,
        (Scalar::Bool(truth), NodeValue::Bool(read)) => read == truth,
        _ => false,
    };
    is_value && node.alias_of.is_none() && !node.anchored
}
