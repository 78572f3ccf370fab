//! Values and keys of flowgate.yaml that YAML readers do not read alike.

use super::AMBIGUOUS_SCALAR;
use crate::by_hand;
use crate::model::{Entry, EntryValue, Evidence, Finding, Fix, Snapshot, Subject, Verdict};

/// Words that YAML 1.1 takes for a truth value, and YAML 1.2 and JSON for text.
const WORDS: [(&str, &str); 4] = [
    ("yes", "true"),
    ("on", "true"),
    ("no", "false"),
    ("off", "false"),
];

/// So many of them are told.
const MOST: usize = 20;

/// Why readers disagree, what to write, and for a value what it is taken for.
struct Doubt {
    why: String,
    write: String,
}

/// Finds values and keys on which readers disagree. What is out of range is invalid, not ambiguous.
pub fn look(snapshot: &Snapshot, verdict: &mut Verdict) {
    let config = &snapshot.configs.flowgate;
    if !config.is_loaded() {
        return;
    }
    let doubts = config.entries.iter().filter_map(|(path, entry)| {
        let doubt = of_key(path).or_else(|| of_value(path, entry))?;
        Some((path, entry, doubt))
    });
    for (path, entry, doubt) in doubts.take(MOST) {
        let place = format!("{}:{}", config.path, entry.position.line);
        let seen = spelled(entry).unwrap_or_else(|| last_key(path).to_owned());
        verdict.push(
            Finding::new(
                &AMBIGUOUS_SCALAR,
                Subject::Entry(path.clone()),
                format!("{path} is {seen} at {place}, which not every reader takes alike"),
                doubt.why,
            )
            .brief("ambiguous value")
            .evidence(
                Evidence::new("config", seen, place.clone())
                    .expected(doubt.write.clone())
                    .command(by_hand::show_entry(snapshot, config, path)),
            )
            .fix(Fix::manual(
                "by-hand",
                format!("write {} at {place}", doubt.write),
                Vec::new(),
            )),
        );
    }
}

fn of_value(path: &str, entry: &Entry) -> Option<Doubt> {
    let is_port = path.starts_with("services.") && last_key(path) == "port";
    match &entry.value {
        EntryValue::Text(text) if is_port => Some(Doubt {
            why: "a port in quotes is text for other readers of this file".into(),
            write: format!("port: {}, without quotes", text.trim()),
        }),
        // A value in quotes keeps its spelling; only the bare word is in doubt. `management: off` is
        // a word of flowgate's own.
        EntryValue::Text(text) if entry.raw.is_none() && last_key(path) != "management" => {
            let meant = truth(text)?;
            Some(Doubt {
                why: format!("YAML 1.1 reads {text} as {meant}, YAML 1.2 and JSON as a word"),
                write: format!("{meant}, or \"{text}\" when the word is meant"),
            })
        }
        EntryValue::Number(text) if is_odd_integer(text) => Some(Doubt {
            why: odd_integer(text),
            write: "the number in plain digits".into(),
        }),
        _ => None,
    }
}

/// A key that a reader of YAML 1.1 does not take for text: `on:`, `0123:`.
fn of_key(path: &str) -> Option<Doubt> {
    let key = last_key(path);
    let is_quoted = path.ends_with('"');
    let what = match truth(key) {
        Some(meant) => format!("the truth value {meant}"),
        None if is_odd_integer(key) => "a number".to_owned(),
        None => return None,
    };
    (!is_quoted).then(|| Doubt {
        why: format!("YAML 1.1 reads the key {key} as {what}, YAML 1.2 and JSON as a word"),
        write: format!("\"{key}\": in quotes"),
    })
}

fn truth(word: &str) -> Option<&'static str> {
    let is_known_case = |word: &str| {
        let rest = word.get(1..).unwrap_or_default();
        word == word.to_ascii_lowercase()
            || word == word.to_ascii_uppercase()
            || rest == rest.to_ascii_lowercase()
    };
    WORDS
        .iter()
        .find(|(known, _)| word.eq_ignore_ascii_case(known) && is_known_case(word))
        .map(|(_, meant)| *meant)
}

/// A whole number that is written in a way that readers disagree on: `010`, `1_000`, `0o14`, `1e3`.
fn is_odd_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let begins = digits.starts_with(|c: char| c.is_ascii_digit());
    let leads_with_zero = digits.len() > 1
        && digits.starts_with('0')
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
    let is_based = digits.len() > 2
        && digits.starts_with(['0'])
        && matches!(digits.as_bytes()[1], b'o' | b'O' | b'b' | b'B' | b'X');
    let is_spaced = digits.contains('_')
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
    let has_bare_exponent = !digits.contains('.')
        && digits
            .split_once(['e', 'E'])
            .is_some_and(|(base, exponent)| all_digits(base) && all_digits(exponent));
    begins && (leads_with_zero || is_based || is_spaced || has_bare_exponent)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn odd_integer(text: &str) -> String {
    match text {
        _ if text.contains('_') => {
            format!("some readers take {text} for a number, some for a word")
        }
        _ if text.contains(['e', 'E']) => {
            format!("YAML 1.1 reads {text} as a word, YAML 1.2 as a number")
        }
        _ => format!("YAML 1.1 and 1.2 do not read {text} in the same base"),
    }
}

/// The value as it stands in the file.
fn spelled(entry: &Entry) -> Option<String> {
    match &entry.value {
        EntryValue::Text(text) | EntryValue::Number(text) => {
            Some(entry.raw.clone().unwrap_or_else(|| text.clone()))
        }
        _ => None,
    }
}

/// The key itself: `port` of `services.litellm.port`; nothing for an item of a list.
fn last_key(path: &str) -> &str {
    if path.ends_with(']') {
        return "";
    }
    match path.strip_suffix('"') {
        Some(quoted) => quoted.rsplit('"').next().unwrap_or(quoted),
        None => path.rsplit('.').next().unwrap_or(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spellings_of_yaml_1_1_are_in_doubt() {
        for word in ["yes", "Yes", "YES", "off", "On"] {
            assert!(truth(word).is_some(), "{word}");
        }
        for word in ["true", "false", "y", "oN", "yEs", "", "online"] {
            assert_eq!(truth(word), None, "{word}");
        }
    }

    #[test]
    fn only_numbers_that_readers_disagree_on_are_odd() {
        for text in ["010", "-007", "1_000", "0o14", "0b101", "0X1F", "1e3", "00"] {
            assert!(is_odd_integer(text), "{text}");
        }
        for text in [
            "10", "0", "1.5", "0.5", "1.5e3", "0x1F", "", "-", "é", "e3", "_", ".5",
        ] {
            assert!(!is_odd_integer(text), "{text}");
        }
    }
}
