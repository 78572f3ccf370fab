//! Bodies and headers as the real programs sent them.

use flowgate_checks::model::BodyClass;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const JSON: &str = "application/json; charset=utf-8";

fn class(purpose: Purpose, status: u16, content_type: &str, body: &str) -> BodyClass {
    let headers = headers(&[("content-type", content_type)]);
    classify(purpose, status, &headers, body.as_bytes())
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            )
        })
        .collect()
}

#[test]
fn litellm_is_known_by_its_bodies() {
    use Purpose::{Identity, Liveness, Models, Readiness};
    for (purpose, status, kind, body, expected) in [
        (
            Liveness,
            200,
            "application/json",
            r#""I'm alive!""#,
            BodyClass::LitellmAlive,
        ),
        (
            Readiness,
            200,
            "application/json",
            r#"{"status":"healthy","db":"Not connected"}"#,
            BodyClass::LitellmReadiness,
        ),
        // 1.75.8 also tells its version.
        (
            Readiness,
            200,
            "application/json",
            r#"{"status":"connected","db":"Not connected","cache":null,"litellm_version":"1.75.8"}"#,
            BodyClass::LitellmReadiness,
        ),
        (
            Models,
            400,
            "application/json",
            r#"{"error":{"message":"No connected db.","type":"no_db_connection","param":null,"code":"400"}}"#,
            BodyClass::LitellmKeyRejected,
        ),
        (
            Models,
            500,
            "text/plain; charset=utf-8",
            "Internal Server Error",
            BodyClass::LitellmKeyMissing,
        ),
        (
            Models,
            401,
            "application/json",
            r#"{"error":{"message":"Authentication Error, No api key passed in.","type":"auth_error","param":"None","code":"401"}}"#,
            BodyClass::LitellmKeyMissing,
        ),
        (
            Models,
            200,
            "application/json",
            r#"{"data":[{"id":"gpt-5.4","object":"model","created":1677610602,"owned_by":"openai","mode":"chat","max_input_tokens":1050000,"max_output_tokens":128000}],"object":"list"}"#,
            BodyClass::ModelList,
        ),
        (
            Identity,
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html>\n<html>\n<head>\n<title>LiteLLM API - Swagger UI</title>",
            BodyClass::LitellmHome,
        ),
        (
            Identity,
            404,
            "application/json",
            r#"{"detail":"Not Found"}"#,
            BodyClass::Json,
        ),
    ] {
        assert_eq!(class(purpose, status, kind, body), expected, "{body}");
    }
}

#[test]
fn a_bare_500_elsewhere_is_only_text() {
    let kind = "text/plain; charset=utf-8";
    assert_eq!(
        class(Purpose::Identity, 500, kind, "Internal Server Error"),
        BodyClass::Text
    );
}

#[test]
fn cliproxyapi_is_known_by_its_bodies() {
    use Purpose::{AuthFiles, Identity, Models};
    for (purpose, status, body, expected) in [
        (
            Identity,
            200,
            r#"{"endpoints":["POST /v1/chat/completions","POST /v1/completions","GET /v1/models"],"message":"CLI Proxy API Server"}"#,
            BodyClass::CliproxyIdentity,
        ),
        (
            Models,
            401,
            r#"{"error":"Missing API key"}"#,
            BodyClass::CliproxyKeyMissing,
        ),
        (
            Models,
            401,
            r#"{"error":"Invalid API key"}"#,
            BodyClass::CliproxyKeyRejected,
        ),
        (
            Models,
            200,
            r#"{"data":[],"object":"list"}"#,
            BodyClass::ModelList,
        ),
        (
            AuthFiles,
            401,
            r#"{"error":"missing management key"}"#,
            BodyClass::ManagementKeyMissing,
        ),
        (
            AuthFiles,
            401,
            r#"{"error":"invalid management key"}"#,
            BodyClass::ManagementKeyRejected,
        ),
        (
            AuthFiles,
            403,
            r#"{"error":"remote management disabled"}"#,
            BodyClass::ManagementRemoteDisabled,
        ),
        (
            AuthFiles,
            403,
            r#"{"error":"IP banned due to too many failed attempts. Try again in 30m0s"}"#,
            BodyClass::ManagementBanned { minutes: 30 },
        ),
        (
            AuthFiles,
            200,
            r#"{"files":[]}"#,
            BodyClass::ManagementAuthFiles,
        ),
        (Identity, 200, r#"{"status":"ok"}"#, BodyClass::Json),
        // What an upstream says is an object, and nobody's key in particular.
        (
            Models,
            401,
            r#"{"error": {"message": "Your authentication token has been invalidated.", "type": "invalid_request_error", "code": "token_invalidated", "param": null}, "status": 401}"#,
            BodyClass::Json,
        ),
    ] {
        assert_eq!(class(purpose, status, JSON, body), expected, "{body}");
    }
    assert_eq!(
        class(AuthFiles, 404, "text/plain", "404 page not found"),
        BodyClass::Text
    );
    assert_eq!(class(AuthFiles, 404, "", ""), BodyClass::Empty);
}

#[test]
fn safe_mode_is_known_by_header_page_and_error() {
    let body = r#"{"error":"unsafe_example_api_key","message":"Proxy API endpoints are disabled because api-keys contains template values. Open /management.html?safe-mode=configure, update api-keys in Management, then retry."}"#;
    assert_eq!(
        class(Purpose::Models, 403, JSON, body),
        BodyClass::CliproxySafeMode
    );
    let page = r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Example API key detected</title><style>body{margin:0}"#;
    assert_eq!(
        class(Purpose::Identity, 200, "text/html; charset=utf-8", page),
        BodyClass::CliproxySafeMode
    );
    let marked = headers(&[("x-cpa-safe-mode", "example-api-key")]);
    assert_eq!(
        classify(Purpose::Models, 403, &marked, b"changed words"),
        BodyClass::CliproxySafeMode
    );
}

#[test]
fn strangers_stay_strangers() {
    use Purpose::Identity;
    let page = "<html><body><h1>It works</h1></body></html>\n";
    assert_eq!(class(Identity, 200, "text/html", page), BodyClass::Html);
    let error = "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        <title>Error response</title>";
    assert_eq!(
        class(Identity, 404, "text/html;charset=utf-8", error),
        BodyClass::Html
    );
    assert_eq!(
        class(
            Identity,
            400,
            "",
            "Client sent an HTTP request to an HTTPS server.\n"
        ),
        BodyClass::TlsExpected
    );
    assert_eq!(class(Identity, 200, JSON, "{\"cut\": "), BodyClass::Json);
    assert_eq!(
        classify(Identity, 200, &HeaderMap::new(), &[0xff, 0xfe, 0]),
        BodyClass::Text
    );
}

#[test]
fn model_ids_keep_their_order_and_are_bounded() {
    let ids: Vec<String> = (0..300).map(|n| format!("{{\"id\":\"m-{n}\"}}")).collect();
    let models = parse_models(format!("{{\"data\":[{}]}}", ids.join(",")).as_bytes()).unwrap();
    assert_eq!(models.len(), 200);
    assert_eq!(models[..2], ["m-0", "m-1"]);
    assert_eq!(parse_models(b"{\"data\":[]}"), Some(Vec::new()));
    assert_eq!(parse_models(b"{\"data\":{}}"), None);
    assert_eq!(parse_models(b"<html>"), None);
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for purpose in [Purpose::Identity, Purpose::Models, Purpose::AuthFiles] {
            classify(purpose, status, &HeaderMap::new(), &body);
        }
        parse_models(&body);
    }
}
