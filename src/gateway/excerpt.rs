//! The start of a body as evidence: one line, bounded, without secrets.

use flowgate_checks::model::BodyClass;
use serde_json::Value;

use crate::sys::redact::Redactor;

/// Longest excerpt, in characters.
const LONGEST: usize = 160;

/// The start of a body of class `text`, `json` or `html`; none of another class, which says it all.
///
/// Of HTML the text, without tags. Of JSON what it says itself (`error`, `message`, `detail`), else
/// the names of its fields: values of an unknown object may be keys.
pub fn excerpt(class: &BodyClass, body: &[u8], redactor: &Redactor) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let said = match class {
        BodyClass::Text => redactor.clean(&text),
        BodyClass::Html => redactor.clean(&without_tags(&without_known(&text, redactor))),
        BodyClass::Json => redactor.clean(&gist(body)),
        _ => return None,
    };
    let line = one_line(&said, LONGEST);
    (!line.is_empty()).then_some(line)
}

/// A text as one line of at most `longest` characters, without control characters and colours.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\x1b' {
            skip_escape(&mut letters);
            continue;
        }
        let is_gap = letter.is_whitespace() || letter.is_control() || is_direction(letter);
        if is_gap && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if length == longest {
            line = line.trim_end().to_owned();
            line.pop();
            line.push('…');
            return line;
        }
        line.push(if is_gap { ' ' } else { letter });
        length += 1;
    }
    line.trim_end().to_owned()
}

/// The rest of a colour code: `\x1b[1;31m`.
fn skip_escape(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if letters.next_if_eq(&'[').is_some() {
        while letters.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
        letters.next();
    }
}

/// Characters that turn the direction of text and could make a line read as another.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text without the known secrets, before the tags go: one that holds `<` would be cut in two.
fn without_known(text: &str, redactor: &Redactor) -> String {
    let mut value = Value::from(text);
    redactor.clean_json(&mut value);
    value.as_str().unwrap_or_default().to_owned()
}

/// What a JSON value says of itself.
fn gist(body: &[u8]) -> String {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return "JSON that is cut or broken".into();
    };
    for pointer in ["/error/message", "/error", "/message", "/detail", "/status"] {
        if let Some(text) = json.pointer(pointer).and_then(Value::as_str) {
            return text.to_owned();
        }
    }
    match &json {
        Value::Object(map) => {
            let names: Vec<&str> = map.keys().take(12).map(String::as_str).collect();
            format!("JSON object with {}", names.join(", "))
        }
        Value::Array(items) => format!("JSON list of {}", items.len()),
        Value::String(_) => "a JSON string".into(),
        Value::Number(_) => "a JSON number".into(),
        Value::Bool(_) | Value::Null => json.to_string(),
    }
}

/// The text of a page, without tags, scripts and styles.
fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let name: String = tag
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_ascii_lowercase();
        let after = if name == "script" || name == "style" {
            let closing = format!("</{name}");
            let end = tag.to_ascii_lowercase().find(&closing).unwrap_or(tag.len());
            &tag[end.min(tag.len())..]
        } else {
            tag
        };
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn pages_are_shown_as_their_text() {
        let page = b"<!DOCTYPE HTML>\n<html lang=\"en\">\n <head>\n <style>b{c:d}</style><title>Error response</title>\n </head>\n <body>\n <h1>Error response</h1>\n <p>Error code: 404</p>";
        assert_eq!(
            excerpt(&BodyClass::Html, page, &Redactor::default()).as_deref(),
            Some("Error response Error response Error code: 404")
        );
    }

    #[test]
    fn unknown_json_shows_its_words_or_its_field_names_and_no_values() {
        let shown =
            |body: &str| excerpt(&BodyClass::Json, body.as_bytes(), &Redactor::default()).unwrap();
        assert_eq!(shown(r#"{"detail":"Not Found"}"#), "Not Found");
        assert_eq!(shown(r#"{"error":{"message":"no\nway"}}"#), "no way");
        assert_eq!(
            shown(r#"{"api-keys":["zzzz"],"port":1}"#),
            "JSON object with api-keys, port"
        );
        assert_eq!(shown("\"zzzz\""), "a JSON string");
        assert_eq!(shown("[1,2]"), "JSON list of 2");
        assert_eq!(shown("{\"a\": \"zzzz"), "JSON that is cut or broken");
    }

    #[test]
    fn lines_are_bounded_and_colourless() {
        assert_eq!(one_line("\x1b[1;31ma\x1b[0m\r\n\tb\u{202e}c", 9), "a b c");
        let long = one_line(&"é".repeat(300), 160);
        assert_eq!(long.chars().count(), 160);
        assert!(long.ends_with('…'));
    }

    proptest! {
        #[test]
        fn any_body_gives_a_bounded_line_without_the_learnt_secret(
            before in "[a-z<>/ ]{0,40}", after in "\\PC{0,60}", padding in 0usize..200
        ) {
            let secret = "Zq7-planted-secret-0001";
            let redactor = Redactor::default();
            redactor.learn(&SecretString::from(secret));
            let body = format!("{}{before}{secret}{after}", "x ".repeat(padding));
            for class in [BodyClass::Text, BodyClass::Html, BodyClass::Json] {
                if let Some(line) = excerpt(&class, body.as_bytes(), &redactor) {
                    prop_assert!(line.chars().count() <= LONGEST);
                    prop_assert!(!line.contains("Zq7-planted"), "{line}");
                    prop_assert!(!line.contains(char::is_control));
                }
            }
        }
    }
}
