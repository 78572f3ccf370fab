//! Edits of configs that are certain: one value in the place of another, or one new line.

use crate::model::{
    ConfigFile, Entry, EntryValue, FileKind, FileRole, Fix, Literal, Mode, Observed, ProblemKind,
    Safety, Snapshot, Step, Value,
};
use crate::reach;

/// The edits of one remedy. As soon as one of them is not certain, all of it is for a person to do.
pub struct Edits<'a> {
    snapshot: &'a Snapshot,
    steps: Vec<Step>,
    is_certain: bool,
}

impl<'a> Edits<'a> {
    /// No edit yet.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            steps: Vec::new(),
            is_certain: true,
        }
    }

    /// Puts another value in the place of that of an entry.
    pub fn set(&mut self, config: &ConfigFile, path: &str, to: Value) {
        let entry = config.entry(path).filter(|_| is_editable(config, path));
        let Some(from) = entry.and_then(scalar) else {
            return self.give_up();
        };
        if is_same(&from, &to) {
            return;
        }
        self.protect(config, &to);
        self.push(Step::SetValue {
            file: config.path.clone(),
            path: path.to_owned(),
            from: from.text,
            to,
        });
    }

    /// The same with a text, written as a number or a truth value where one stands now.
    pub fn set_text(&mut self, config: &ConfigFile, path: &str, to: &str) {
        let to = match config.entry(path).map(|entry| &entry.value) {
            Some(EntryValue::Int(_)) => to.parse().map(Literal::Int).ok(),
            _ => None,
        }
        .unwrap_or_else(|| Literal::Text(to.to_owned()));
        self.set(config, path, Value::Literal(to));
    }

    /// Adds a line to a mapping; to the top when `under` is empty.
    pub fn insert(&mut self, config: &ConfigFile, under: &str, key: &str, value: Value) {
        let is_open = if under.is_empty() {
            config.is_loaded() && !config.is_flow && !config.entries.is_empty()
        } else {
            let is_map = config.entry(under).is_some_and(|entry| {
                matches!(entry.value, EntryValue::Map(keys) if keys > 0) && !entry.is_flow
            });
            is_map && is_editable(config, under)
        };
        if !is_open || config.entry(&below(under, key)).is_some() {
            return self.give_up();
        }
        self.protect(config, &value);
        self.push(Step::InsertKey {
            file: config.path.clone(),
            under: under.to_owned(),
            key: key.to_owned(),
            value,
        });
    }

    /// Replaces the value of a key, or adds the key.
    pub fn set_or_insert(&mut self, config: &ConfigFile, under: &str, key: &str, value: Value) {
        let path = below(under, key);
        if config.entry(&path).is_some() {
            self.set(config, &path, value);
        } else {
            self.insert(config, under, key, value);
        }
    }

    /// Replaces what a key file of flowgate holds.
    pub fn set_key_file(&mut self, file: &str, to: Value) {
        self.push(Step::SetValue {
            file: file.to_owned(),
            path: String::new(),
            from: None,
            to,
        });
    }

    /// Says that something has to be written which no step can write with certainty.
    pub fn give_up(&mut self) {
        self.is_certain = false;
    }

    /// What comes after the edits; none when that is not ours to do.
    pub fn then(&mut self, steps: Option<Vec<Step>>) {
        match steps {
            Some(steps) => steps.into_iter().for_each(|step| self.push(step)),
            None => self.give_up(),
        }
    }

    /// Whether nothing is changed so far.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The remedy: asked for, with its steps and the command that applies it; by hand with `commands`
    /// when an edit is not certain.
    pub fn fix(self, id: &str, subject: &str, title: String, commands: Vec<String>) -> Fix {
        if !self.is_certain || self.steps.is_empty() {
            return Fix::manual(id, title, commands);
        }
        let command = super::apply(self.snapshot, id, subject);
        Fix::new(id, Safety::Unsafe, title, vec![command]).with_steps(self.steps)
    }

    /// One entry is changed once; two different values for it are a contradiction.
    fn push(&mut self, step: Step) {
        if self.steps.contains(&step) {
            return;
        }
        let place = place(&step);
        if place.is_some() && self.steps.iter().any(|other| self::place(other) == place) {
            return self.give_up();
        }
        self.steps.push(step);
    }

    /// A file that gets its first secret is closed to others before.
    fn protect(&mut self, config: &ConfigFile, value: &Value) {
        let Some(Observed::Known(facts)) = self.snapshot.files.get(&config.path) else {
            return;
        };
        let is_literal = matches!(value, Value::Literal(_));
        if is_literal || facts.holds_secret || !facts.mode.has(0o077) {
            return;
        }
        let is_ours = facts.uid == self.snapshot.host.user.uid && facts.kind == FileKind::File;
        if facts.role != FileRole::Config
            || !is_ours
            || reach::other_user(facts, self.snapshot).is_some()
        {
            return self.give_up();
        }
        self.push(Step::SetMode {
            path: config.path.clone(),
            from: facts.mode,
            to: Mode(facts.mode.0 & 0o7777 & !0o077),
        });
    }
}

/// What a step changes, when that may be changed once only.
fn place(step: &Step) -> Option<(&str, &str, &str)> {
    match step {
        Step::SetValue { file, path, .. } => Some((file, path, "")),
        Step::InsertKey {
            file, under, key, ..
        } => Some((file, under, key)),
        _ => None,
    }
}

/// The path of a key in a mapping.
fn below(under: &str, key: &str) -> String {
    match under {
        "" => key.to_owned(),
        under => format!("{under}.{key}"),
    }
}

/// A scalar as a step names it.
struct Scalar {
    /// None for a secret.
    text: Option<String>,
}

/// Whether nothing would change.
fn is_same(from: &Scalar, to: &Value) -> bool {
    let to = match to {
        Value::Literal(Literal::Text(text)) => text.clone(),
        Value::Literal(Literal::Int(number)) => number.to_string(),
        Value::Literal(Literal::Bool(truth)) => truth.to_string(),
        Value::Random(_) | Value::CopyOf { .. } | Value::HashOf { .. } => return false,
    };
    from.text == Some(to)
}

/// Nothing stands where the value is null, so there is no certain place for one.
fn scalar(entry: &Entry) -> Option<Scalar> {
    let text = match &entry.value {
        EntryValue::Bool(truth) => Some(truth.to_string()),
        EntryValue::Int(number) => Some(number.to_string()),
        EntryValue::Number(text) | EntryValue::Text(text) => Some(text.clone()),
        EntryValue::Secret { .. } => None,
        EntryValue::Null | EntryValue::Map(_) | EntryValue::List(_) => return None,
    };
    Some(Scalar { text })
}

/// Whether a change of an entry changes nothing else: neither it nor what it stands in comes from
/// elsewhere, is used elsewhere, or stands twice.
fn is_editable(config: &ConfigFile, path: &str) -> bool {
    let is_at_or_above = |above: &str| {
        path.strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let is_shared = config
        .entries
        .iter()
        .filter(|(above, _)| is_at_or_above(above))
        .any(|(_, entry)| entry.alias_of.is_some() || entry.is_anchored);
    let is_twice = config.problems.iter().any(|problem| {
        matches!(problem.kind, ProblemKind::DuplicateKey { .. }) && is_at_or_above(&problem.entry)
    });
    config.is_loaded() && !is_shared && !is_twice
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
