use secrecy::ExposeSecret;

use super::*;
use crate::config::document::Rules;

fn read(text: &str) -> Result<CliproxyConfig, ParseFault> {
    CliproxyConfig::read(&Document::parse(text, Rules::default())?)
}

fn config(text: &str) -> CliproxyConfig {
    read(text).map_err(|fault| fault.message).unwrap()
}

#[test]
fn everything_that_the_doctor_needs_is_read() {
    let config = config(
        "host: \"[::1]\"\nport: 8317\ntls: {enable: yes, cert: c.pem, key: k.pem}\nauth-dir: ./auths\n\
         api-keys:\n  - sk-lab-1\n  - ''\n  - 12345\nremote-management: {secret-key: plain, allow-remote: true}\n\
         proxy-url: http://h:1\nlogging-to-file: true\n",
    );
    assert_eq!((config.host.as_str(), config.port), ("[::1]", Some(8317)));
    assert_eq!(config.reachable_host().as_deref(), Some("::1"));
    assert!(config.tls.enable && config.tls.cert.as_deref() == Some("c.pem"));
    assert_eq!(config.auth_dir.as_deref(), Some("./auths"));
    assert!(
        matches!(&config.api_keys[0].value, KeyValue::Literal(key) if key.expose_secret() == "sk-lab-1")
    );
    assert_eq!(config.api_keys[0].entry, "api-keys[0]");
    assert_eq!(config.api_keys[0].position, Position { line: 6, column: 5 });
    assert!(matches!(config.api_keys[1].value, KeyValue::Empty));
    assert!(
        matches!(&config.api_keys[2].value, KeyValue::Literal(key) if key.expose_secret() == "12345")
    );
    assert!(matches!(config.secret_key, SecretKey::Plain(_)));
    assert!(config.allow_remote && config.logging_to_file);
}

#[test]
fn an_empty_file_is_all_defaults() {
    for text in [
        "",
        "port: 0",
        "port:",
        "port: 80000",
        "remote-management: {secret-key: ''}",
    ] {
        let config = config(text);
        assert_eq!(
            (config.port, config.reachable_host()),
            (None, None),
            "{text}"
        );
        assert!(config.api_keys.is_empty() && config.auth_dir.is_none());
        assert!(matches!(config.secret_key, SecretKey::Absent));
    }
}

#[test]
fn a_stored_hash_is_no_key() {
    let config = config("remote-management: {secret-key: \"$2a$10$abc\"}");
    assert!(matches!(config.secret_key, SecretKey::Hash(_)));
}

#[test]
fn providers_that_the_program_drops_are_left_out() {
    let config = config(
        "gemini-api-key: [{api-key: a}]\ncodex-api-key: [{api-key: a}, {api-key: b, base-url: http://h}]\n\
         openai-compatibility: [{name: x}]\nclaude-api-key: []\nxai-api-key:\n",
    );
    let entries: Vec<&str> = config
        .api_key_providers
        .iter()
        .map(|provider| provider.entry.as_str())
        .collect();
    assert_eq!(entries, ["gemini-api-key[0]", "codex-api-key[1]"]);
}

#[test]
fn what_the_program_cannot_parse_is_refused() {
    for (text, told) in [
        ("- a", "is no mapping; expected keys such as port"),
        ("port: \"8317\"", "port must be a whole number"),
        ("port: x", "port must be a whole number"),
        ("api-keys: sk-a", "api-keys must be a list"),
        ("api-keys: [[a]]", "api-keys[0] must be text"),
        ("tls: 1", "tls must be a mapping/object"),
        ("auth-dir: [a]", "auth-dir must be text"),
        ("codex-api-key: {}", "codex-api-key must be a list"),
        ("tls: {enable: maybe}", "tls.enable must be true or false"),
    ] {
        assert_eq!(
            read(text).err().map(|fault| fault.message).as_deref(),
            Some(told)
        );
    }
}
