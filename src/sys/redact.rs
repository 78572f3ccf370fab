//! One redactor over all text that enters a snapshot.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, RwLock};

use regex_lite::Regex;
use secrecy::{ExposeSecret, SecretString};

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Secrets shorter than this are not searched for: they would blot out ordinary words.
const SHORTEST: usize = 6;

/// Words that someone may have taken for a key and that the report cannot do without.
const WORDS: [&str; 8] = [
    "flowgate",
    "litellm",
    "cliproxyapi_plus",
    "config",
    "codex",
    "copilot",
    "localhost",
    "127.0.0.1",
];

/// Secrets by their form, so that one which nobody read is not shown either.
/// Example: `Authorization: Bearer abc`, `sk-lab-0001`, `eyJhbGciOi….eyJ….sig`, `http://user:pw@host`.
static FORMS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{6,}", "${1}[redacted]"),
        (r"\b(?:sk|rt|at|gh[oprsu])[-_][A-Za-z0-9_-]{6,}", REDACTED),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?", REDACTED),
        (r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{20,}", REDACTED),
        (r"(://)[^/\s:@]*:[^/\s@]+@", "${1}[redacted]@"),
        (
            r#"(?i)((?:api[_-]?key|token|secret|passw(?:or)?d|master[_-]key|auth_token|code|[?&]key)["']?\s*[=:]\s*["']?)[^\s"'&,;)}\[]{6,}"#,
            "${1}[redacted]",
        ),
    ]
    .into_iter()
    .filter_map(|(pattern, with)| Some((Regex::new(pattern).ok()?, with)))
    .collect()
});

/// Takes every known secret out of a text, in each spelling in which it may appear,
/// and everything that has the form of one.
#[derive(Default)]
pub struct Redactor {
    secrets: RwLock<Known>,
}

/// Secrets by the bytes that they begin with: a text is walked once, however many there are.
#[derive(Default)]
struct Known(HashMap<[u8; SHORTEST], BTreeSet<String>>);

impl Known {
    fn learn(&mut self, spelling: String) {
        if let Some(start) = spelling.as_bytes().first_chunk::<SHORTEST>() {
            self.0.entry(*start).or_default().insert(spelling);
        }
    }

    /// The end of the longest secret that begins where a text does.
    fn match_at(&self, text: &[u8]) -> Option<usize> {
        let candidates = self.0.get(text.first_chunk::<SHORTEST>()?)?;
        let found = candidates
            .iter()
            .filter(|secret| text.starts_with(secret.as_bytes()));
        found.map(String::len).max()
    }

    /// The text without secrets; none when it holds none. Of secrets that overlap nothing is left.
    fn clean(&self, text: &str) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = text.as_bytes();
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for at in 0..bytes.len().saturating_sub(SHORTEST - 1) {
            let Some(length) = self.match_at(&bytes[at..]) else {
                continue;
            };
            match parts.last_mut() {
                Some((_, end)) if at < *end => *end = (*end).max(at + length),
                _ => parts.push((at, at + length)),
            }
        }
        if parts.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = 0;
        for (start, end) in parts {
            out.push_str(text.get(rest..start).unwrap_or_default());
            out.push_str(REDACTED);
            rest = end;
        }
        out.push_str(text.get(rest..).unwrap_or_default());
        Some(out)
    }
}

impl Redactor {
    /// Learns a secret that was read.
    pub fn learn(&self, secret: &SecretString) {
        let secret = secret.expose_secret().trim();
        if secret.chars().count() < SHORTEST || WORDS.contains(&secret) {
            return;
        }
        let Ok(mut secrets) = self.secrets.write() else {
            return;
        };
        spellings(secret).for_each(|spelling| secrets.learn(spelling));
    }

    /// Whether a text holds a secret that was learnt.
    pub fn knows_one_in(&self, text: &str) -> bool {
        self.known(text).is_some()
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut out = self.known(text).unwrap_or_else(|| text.to_owned());
        for (form, with) in FORMS.iter() {
            if form.is_match(&out) {
                out = form.replace_all(&out, *with).into_owned();
            }
        }
        out
    }

    /// The same over every text of a JSON value, keys included; known secrets only,
    /// so that fingerprints, paths and ids stay as they are.
    pub fn clean_json(&self, value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.clean_known(text),
            serde_json::Value::Array(items) => {
                items.iter_mut().for_each(|item| self.clean_json(item))
            }
            serde_json::Value::Object(map) => {
                let old = std::mem::take(map);
                for (mut key, mut item) in old {
                    self.clean_known(&mut key);
                    self.clean_json(&mut item);
                    map.insert(key, item);
                }
            }
            _ => {}
        }
    }

    fn clean_known(&self, text: &mut String) {
        if let Some(clean) = self.known(text) {
            *text = clean;
        }
    }

    /// The text without the secrets that were learnt; none when it holds none.
    fn known(&self, text: &str) -> Option<String> {
        self.secrets.read().ok()?.clean(text)
    }
}

/// How a secret may be written: as it is, in JSON, and in a URL by whoever encodes little or much.
fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let encoded = percent_encoded(secret);
    let whole: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    [
        secret.to_owned(),
        json_escaped(secret),
        lower_case_codes(&encoded),
        lower_case_codes(&whole),
        encoded,
        whole,
    ]
    .into_iter()
}

/// The same text with `%2f` for `%2F`.
fn lower_case_codes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let start = parts.next().unwrap_or_default().to_owned();
    parts.fold(start, |out, part| match part.split_at_checked(2) {
        Some((code, rest)) => format!("{out}%{}{rest}", code.to_ascii_lowercase()),
        None => format!("{out}%{part}"),
    })
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_learnt_secret_is_left_in_any_spelling(
            secret in "[ -~]{6,40}", before in ".{0,40}", after in ".{0,40}"
        ) {
            let secret = secret.trim().to_owned();
            prop_assume!(secret.len() >= SHORTEST && !REDACTED.contains(&secret) && !WORDS.contains(&secret.as_str()));
            let redactor = Redactor::default();
            redactor.learn(&SecretString::from(secret.clone()));
            for spelling in spellings(&secret) {
                let text = format!("{before}{spelling}{after}");
                // The text around may put a redaction mark and its own letters together anew.
                prop_assume!(!text.replace(&spelling, REDACTED).contains(&spelling));
                prop_assert!(!redactor.clean(&text).contains(&spelling));
            }
        }
    }

    #[test]
    fn nothing_is_left_of_secrets_that_overlap() {
        let redactor = Redactor::default();
        for secret in ["abcdefgh", "efghijklmnop", "abcdef"] {
            redactor.learn(&SecretString::from(secret));
        }
        for (text, left) in [
            ("xabcdefghijklmnopy", "x[redacted]y"),
            ("abcdef abcdefgh é", "[redacted] [redacted] é"),
            ("abcde", "abcde"),
        ] {
            assert_eq!(redactor.clean(text), left);
            assert_eq!(redactor.knows_one_in(text), text != left);
        }
    }

    #[test]
    fn secrets_are_known_by_their_form() {
        let redactor = Redactor::default();
        for (text, left) in [
            (
                "Authorization: Bearer abcdef123",
                "Authorization: Bearer [redacted]",
            ),
            ("key sk-lab-upstream-0001 refused", "key [redacted] refused"),
            (
                "http://ana:pass@10.0.0.1:7890",
                "http://[redacted]@10.0.0.1:7890",
            ),
            (
                "GET /v1/models?key=abcdefgh",
                "GET /v1/models?key=[redacted]",
            ),
            ("\"api_key\": \"abcdefgh\"", "\"api_key\": \"[redacted]\""),
        ] {
            assert_eq!(redactor.clean(text), left);
        }
    }
}
