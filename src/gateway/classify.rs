//! What a body is, and what can be read from one.

use flowgate_checks::model::BodyClass;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::excerpt::one_line;
use super::requests::Purpose;
use super::{cliproxyapi, litellm};

/// Most model ids that are taken from one list.
const MOST_MODELS: usize = 200;

/// Longest id that is taken, in characters.
const LONGEST_NAME: usize = 120;

/// The class of a body. Pure; a body of any bytes is fine.
///
/// The status alone never decides: `python -m http.server` says 200 too
/// (`facts/real-stack.md` 2.8). Codes differ between editions and versions, bodies less.
pub fn classify(purpose: Purpose, status: u16, headers: &HeaderMap, body: &[u8]) -> BodyClass {
    if body.is_empty() {
        return BodyClass::Empty;
    }
    if let Some(class) = cliproxyapi::by_header(headers) {
        return class;
    }
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        return litellm::by_json(&json)
            .or_else(|| cliproxyapi::by_json(&json))
            .or_else(|| is_model_list(&json).then_some(BodyClass::ModelList))
            .unwrap_or(BodyClass::Json);
    }
    let text = String::from_utf8_lossy(body);
    if let Some(class) = litellm::by_text(purpose, status, headers, &text) {
        return class;
    }
    if text.contains("Client sent an HTTP request to an HTTPS server") {
        return BodyClass::TlsExpected;
    }
    if is_html(headers, &text) {
        return litellm::by_page(&text)
            .or_else(|| cliproxyapi::by_page(&text))
            .unwrap_or(BodyClass::Html);
    }
    if is_json(headers) || text.trim_start().starts_with(['{', '[']) {
        // Cut off at the limit, or broken.
        return BodyClass::Json;
    }
    BodyClass::Text
}

/// The model ids of a list in its order, at most 200; none when it is no list.
pub fn parse_models(body: &[u8]) -> Option<Vec<String>> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let ids = json
        .get("data")?
        .as_array()?
        .iter()
        .filter_map(|item| item.get("id")?.as_str());
    Some(
        ids.take(MOST_MODELS)
            .map(|id| one_line(id, LONGEST_NAME))
            .collect(),
    )
}

fn is_model_list(json: &Value) -> bool {
    json.get("data").is_some_and(Value::is_array)
}

fn is_html(headers: &HeaderMap, text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    content_type(headers).contains("html")
        || start.starts_with("<!doctype html")
        || start.starts_with("<html")
}

fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers).contains("json")
}

pub(super) fn content_type(headers: &HeaderMap) -> String {
    header(headers, "content-type").to_ascii_lowercase()
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
