//! LiteLLM by what it says (`facts/litellm.md` 6).

use flowgate_checks::model::BodyClass;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::classify::content_type;
use super::requests::Purpose;

/// A JSON body that only LiteLLM sends.
pub(super) fn by_json(json: &Value) -> Option<BodyClass> {
    if json.as_str() == Some("I'm alive!") {
        return Some(BodyClass::LitellmAlive);
    }
    if json.get("status").is_some_and(Value::is_string) && json.get("db").is_some() {
        return Some(BodyClass::LitellmReadiness);
    }
    match json.pointer("/error/type")?.as_str()? {
        "no_db_connection" => Some(BodyClass::LitellmKeyRejected),
        // A database is there: `token_not_found_in_db` is said of an unknown key.
        "token_not_found_in_db" => Some(BodyClass::LitellmKeyRejected),
        "auth_error" => Some(BodyClass::LitellmKeyMissing),
        _ => None,
    }
}

/// The bare 500 with which version 1.106 meets a request without a key.
pub(super) fn by_text(
    purpose: Purpose,
    status: u16,
    headers: &HeaderMap,
    text: &str,
) -> Option<BodyClass> {
    let is_bare = status == 500
        && text == "Internal Server Error"
        && content_type(headers).starts_with("text/plain");
    (is_bare && purpose == Purpose::Models).then_some(BodyClass::LitellmKeyMissing)
}

/// Its page at `/`, the title of which names it.
pub(super) fn by_page(page: &str) -> Option<BodyClass> {
    let title = page.split("<title>").nth(1)?.split('<').next()?;
    title.contains("LiteLLM").then_some(BodyClass::LitellmHome)
}
