//! What may be a secret, and what can be said of it without giving it away.

use flowgate_checks::model::SecretClass;
use secrecy::SecretString;

use crate::sys::hash::is_bcrypt;
use crate::sys::redact::{REDACTED, Redactor};

/// Last words of the keys whose value is a secret whatever it looks like.
const SECRET_WORDS: [&str; 17] = [
    "key",
    "keys",
    "apikey",
    "apikeys",
    "token",
    "secret",
    "secrets",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "pw",
    "credential",
    "credentials",
    "authorization",
    "cookie",
];

/// How known keys and tokens begin, and how long they are at least. Longer where a model or a
/// folder could begin alike: `xai-grok-4-fast`.
const KEY_FORMS: [(&str, usize); 8] = [
    ("sk-", 9),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("xai-", 40),
    ("eyJ", 20),
];

/// What every reader of a secret knows of it.
pub fn class(secret: &str) -> SecretClass {
    let is_template = secret
        .strip_prefix("your-api-key-")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if secret.is_empty() {
        SecretClass::Empty
    } else if is_template {
        // facts/cliproxyapi.md section 3.2: `your-api-key-1..3`.
        SecretClass::Template
    } else if secret == "sk-1234" {
        // The one value that LiteLLM refuses (facts/litellm.md section 3.4).
        SecretClass::WellKnown
    } else if is_bcrypt(secret) {
        SecretClass::Hash
    } else {
        SecretClass::Ordinary
    }
}

/// The variable of LiteLLM's `os.environ/NAME`.
pub fn environment_reference(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/")
}

/// Whether a key of this name holds a secret: `api_key`, `secret-key`, `masterKey`; not
/// `max_tokens`, `api_key_ref`.
pub fn is_secret_name(name: &str) -> bool {
    let start = name
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_ascii_alphanumeric())
        .last()
        .map_or(name.len(), |(index, _)| index);
    let word = &name[start..];
    let camel = word.rfind(|c: char| c.is_ascii_uppercase()).unwrap_or(0);
    [word, &word[camel..]]
        .iter()
        .any(|word| SECRET_WORDS.contains(&word.to_ascii_lowercase().as_str()))
}

/// Whether a text has the form of a key or token, wherever it stands: `sk-…`, `ghp_…`, a JWT,
/// a bcrypt hash, a PEM block.
pub fn has_secret_form(text: &str) -> bool {
    let has_digit = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    let is_key = |word: &str| {
        KEY_FORMS
            .iter()
            .any(|(prefix, least)| word.starts_with(prefix) && word.len() >= *least)
            && has_digit(word)
    };
    is_bcrypt(text)
        || text.contains("-----BEGIN")
        || text
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .any(is_key)
}

/// Whether a text that is no known setting should vanish from all other text too.
///
/// What stands under the name of a secret always does. Of the rest, words, paths and URLs stay:
/// blotting out `gateway` or a folder everywhere would take the report apart.
pub fn is_worth_hiding(name: &str, text: &str) -> bool {
    if environment_reference(text).is_some() {
        return false;
    }
    if class(text) != SecretClass::Ordinary {
        return class(text) == SecretClass::Hash;
    }
    if is_secret_name(name) || has_secret_form(text) {
        return true;
    }
    let is_path = ["/", "./", "../", "~/"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    let is_word = text
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '-' | '_' | ' '));
    !is_path && !is_word && !text.contains("://") && text.chars().count() >= 8
}

/// Learns the secrets inside a URL: the password, and query values of secret names.
pub fn learn_url(url: &str, redactor: &Redactor) {
    let Some((_, rest)) = url.split_once("://") else {
        return;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    if let Some((user, _)) = authority.rsplit_once('@') {
        let password = user.split_once(':').map_or(user, |(_, password)| password);
        redactor.learn(&SecretString::from(password));
    }
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    for (name, value) in query
        .split(['&', '#'])
        .filter_map(|pair| pair.split_once('='))
    {
        if is_secret_name(name) {
            redactor.learn(&SecretString::from(value));
        }
    }
}

/// A URL without its user part, and without the values of its query except small harmless ones
/// (`is_webui=true`, which a check looks for).
pub fn plain_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (before, query) = match rest.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = match before.find(['/', '#']) {
        Some(index) => before.split_at(index),
        None => (before, ""),
    };
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{REDACTED}@{host}"),
        None => authority.to_owned(),
    };
    let query = query.map_or(String::new(), |query| {
        let pairs: Vec<String> = query.split('&').map(plain_pair).collect();
        format!("?{}", pairs.join("&"))
    });
    format!("{scheme}://{host}{path}{query}")
}

fn plain_pair(pair: &str) -> String {
    let Some((name, value)) = pair.split_once('=') else {
        return if pair.len() > 16 {
            REDACTED.to_owned()
        } else {
            pair.to_owned()
        };
    };
    let is_small_number = value.len() <= 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_secret_name(name) && (matches!(value, "true" | "false") || is_small_number) {
        pair.to_owned()
    } else {
        format!("{name}={REDACTED}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_end_in_a_secret_word() {
        for name in [
            "api_key",
            "secret-key",
            "masterKey",
            "api-keys",
            "apiKey",
            "PASSWORD",
            "x.token",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "max_tokens",
            "api_key_ref",
            "host",
            "monkey",
            "key_alias",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn urls_lose_user_and_query_values() {
        for (url, plain) in [
            ("http://127.0.0.1:8317/v1", "http://127.0.0.1:8317/v1"),
            (
                "http://h/codex-auth-url?is_webui=true",
                "http://h/codex-auth-url?is_webui=true",
            ),
            ("socks5://ana:pw@h:1080", "socks5://[redacted]@h:1080"),
            ("http://h/x?key=abc&n=1", "http://h/x?key=[redacted]&n=1"),
            ("http://h/x?state=", "http://h/x?state="),
            ("http://a@b@h/x", "http://[redacted]@h/x"),
            ("http://h?u=ana@x", "http://h?u=[redacted]"),
            ("no url", "no url"),
        ] {
            assert_eq!(plain_url(url), plain);
        }
    }

    #[test]
    fn ordinary_words_and_paths_are_left_alone() {
        assert!(is_worth_hiding("api_key", "gateway"));
        assert!(is_worth_hiding("note", "hunter2-hunter2"));
        assert!(!is_worth_hiding("note", "gateway"));
        assert!(!is_worth_hiding("log_dir", "/var/log/gw1"));
        assert!(!is_worth_hiding("api_key", "os.environ/KEY_1"));
        assert!(!is_worth_hiding("api_key", "your-api-key-1"));
        assert!(!is_worth_hiding("api_key", ""));
    }

    #[test]
    fn keys_are_known_by_their_form_and_models_are_no_keys() {
        for key in [
            "sk-lab-0001",
            "http://h/sk-lab-0001/x",
            "$2a$10$abc",
            "-----BEGIN KEY",
        ] {
            assert!(has_secret_form(key), "{key}");
        }
        for word in [
            "xai-grok-4-fast",
            "openai/gpt-5-codex",
            "/srv/sk-project-files",
            "sk-1234",
        ] {
            assert!(!has_secret_form(word), "{word}");
        }
    }

    #[test]
    fn classes_say_nothing_of_the_value() {
        assert_eq!(class(""), SecretClass::Empty);
        assert_eq!(class("your-api-key-2"), SecretClass::Template);
        assert_eq!(class("sk-1234"), SecretClass::WellKnown);
        assert_eq!(class("$2a$10$abc"), SecretClass::Hash);
        assert_eq!(class("sk-lab-1"), SecretClass::Ordinary);
    }
}
