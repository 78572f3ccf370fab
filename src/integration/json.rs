//! JSON, edited byte by byte: order, indent and spelling of everything else stay.

use std::ops::Range;

use serde_json::Value;

use super::format::FormatError;

/// A member of an object in a text.
struct Member {
    key: String,
    /// From its key to the end of its value.
    whole: Range<usize>,
    value: Range<usize>,
}

/// An object in a text, brackets included.
struct Object {
    span: Range<usize>,
    members: Vec<Member>,
}

fn parse(text: &str) -> Result<Value, FormatError> {
    let value: Value = serde_json::from_str(text).map_err(|error| FormatError::Syntax {
        what: "JSON",
        line: u32::try_from(error.line()).unwrap_or(u32::MAX),
    })?;
    match value.is_object() {
        true => Ok(value),
        false => Err(FormatError::NoTable { path: "it".into() }),
    }
}

/// Whether a text is a JSON object.
pub fn check(text: &str) -> Result<(), FormatError> {
    parse(text).map(|_| ())
}

/// The text at a place.
pub fn get(text: &str, path: &[&str]) -> Result<Option<String>, FormatError> {
    let value = parse(text)?;
    match path.iter().try_fold(&value, |value, key| value.get(key)) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(FormatError::NoText {
            path: path.join("."),
        }),
    }
}

/// Where the value at a place begins.
pub fn start(text: &str, path: &[&str]) -> Option<usize> {
    parse(text).ok()?;
    let (key, objects) = path.split_last()?;
    Some(object(text, objects)?.member(key)?.value.start)
}

/// The text with a value at a place; objects on the way are made.
pub fn set(text: &str, path: &[&str], new: &str) -> Result<String, FormatError> {
    parse(text)?;
    let mut value = Value::from(new).to_string();
    for depth in (0..path.len()).rev() {
        let Some(object) = object(text, &path[..depth]) else {
            if path_is_taken(text, &path[..depth]) {
                return Err(FormatError::NoTable {
                    path: path[..depth].join("."),
                });
            }
            // This object is to be made, with one member in it.
            let indent = "  ".repeat(depth);
            value = format!(
                "{{\n{indent}  {}: {value}\n{indent}}}",
                Value::from(path[depth])
            );
            continue;
        };
        return Ok(match object.member(path[depth]) {
            Some(member) => replaced(text, member.value.clone(), &value),
            None => inserted(text, &object, path[depth], &value, depth),
        });
    }
    Ok(text.to_owned())
}

fn path_is_taken(text: &str, path: &[&str]) -> bool {
    let (Some((key, objects)), Ok(_)) = (path.split_last(), parse(text)) else {
        return false;
    };
    object(text, objects).is_some_and(|object| object.member(key).is_some())
}

fn replaced(text: &str, range: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..range.start], &text[range.end..])
}

fn inserted(text: &str, object: &Object, key: &str, value: &str, depth: usize) -> String {
    let member = format!("{}: {value}", Value::from(key));
    let Some(last) = object.members.last() else {
        let indent = "  ".repeat(depth);
        let inner = format!("{{\n{indent}  {member}\n{indent}}}");
        return replaced(text, object.span.clone(), &inner);
    };
    // What stands before the last member stands before the new one too.
    let before = text[..last.whole.start]
        .rfind(|c: char| !c.is_whitespace())
        .map_or(0, |at| at + 1);
    let gap = &text[before..last.whole.start];
    replaced(
        text,
        last.whole.end..last.whole.end,
        &format!(",{gap}{member}"),
    )
}

/// The text without a value at a place, and without the objects that are empty then.
pub fn unset(text: &str, path: &[&str]) -> Result<String, FormatError> {
    parse(text)?;
    for depth in (0..path.len()).rev() {
        let Some(object) = object(text, &path[..depth]) else {
            return Ok(text.to_owned());
        };
        let Some(index) = object.index(path[depth]) else {
            return Ok(text.to_owned());
        };
        let is_last_one = object.members.len() == 1;
        if is_last_one && depth > 0 {
            continue;
        }
        let range = match index {
            _ if is_last_one => object.span.start + 1..object.span.end - 1,
            0 => object.members[0].whole.start..object.members[1].whole.start,
            index => object.members[index - 1].whole.end..object.members[index].whole.end,
        };
        return Ok(replaced(text, range, ""));
    }
    Ok(text.to_owned())
}

/// Everything but the value at a place, to be compared; none for what is no JSON.
pub fn without(text: &str, path: &[&str]) -> Option<Value> {
    let mut value = parse(text).ok()?;
    remove(&mut value, path);
    Some(value)
}

/// Removes a value, and the objects that are empty then.
fn remove(value: &mut Value, path: &[&str]) {
    let (Some(map), Some((key, rest))) = (value.as_object_mut(), path.split_first()) else {
        return;
    };
    if rest.is_empty() {
        map.remove(*key);
    } else if let Some(inner) = map.get_mut(*key) {
        remove(inner, rest);
        if inner.as_object().is_some_and(serde_json::Map::is_empty) {
            map.remove(*key);
        }
    }
}

impl Object {
    fn index(&self, key: &str) -> Option<usize> {
        // Of a key that stands twice the last one is read.
        self.members.iter().rposition(|member| member.key == key)
    }

    fn member(&self, key: &str) -> Option<&Member> {
        self.members.get(self.index(key)?)
    }
}

/// The object at a place of a text that is known to be JSON.
fn object(text: &str, path: &[&str]) -> Option<Object> {
    let mut scan = Scan { text, at: 0 };
    scan.space();
    let mut object = scan.object()?;
    for key in path {
        let start = object.member(key)?.value.start;
        object = Scan { text, at: start }.object()?;
    }
    Some(object)
}

/// Reads a text that is known to be JSON.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn object(&mut self) -> Option<Object> {
        let start = self.at;
        let mut members = Vec::new();
        if self.peek()? != b'{' {
            return None;
        }
        self.at += 1;
        loop {
            self.space();
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some(Object {
                        span: start..self.at,
                        members,
                    });
                }
                b',' => self.at += 1,
                _ => members.push(self.member()?),
            }
        }
    }

    fn member(&mut self) -> Option<Member> {
        let start = self.at;
        self.string()?;
        let key = serde_json::from_str(&self.text[start..self.at]).ok()?;
        self.space();
        // The colon.
        self.at += 1;
        self.space();
        let value = self.at;
        self.value()?;
        Some(Member {
            key,
            whole: start..self.at,
            value: value..self.at,
        })
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    /// Passes a value, however deep it is.
    fn value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                _ => {
                    let rest = &self.text.as_bytes()[self.at..];
                    let is_end = |byte: &u8| {
                        byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b':')
                    };
                    self.at += rest.iter().position(is_end).unwrap_or(rest.len()).max(1);
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}
