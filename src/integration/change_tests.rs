use secrecy::SecretString;

use super::*;

fn gateway(port: u16) -> Gateway {
    Gateway {
        root: format!("http://127.0.0.1:{port}"),
        model: "router-default".into(),
        fast_model: "router-cheap".into(),
        key: Some(SecretString::from("sk-gateway")),
    }
}

fn pointed(client: Client, old: Option<&str>, known: Option<&Record>, port: u16) -> Changed {
    let path = Path::new("/home/ana/file");
    point(client, &gateway(port), path, old, known, false).unwrap()
}

fn at(client: Client, text: &str, path: &[&str]) -> Option<String> {
    client.format().get(text, path).unwrap()
}

/// Configs as people have them, with one value that is none of flowgate's.
const CONFIGS: [(Client, Option<&str>); 7] = [
    (Client::Codex, None),
    (
        Client::Codex,
        Some("# mine\nmodel = \"o4\"\n\n[mcp_servers.docs]\ncommand = \"x\"\n"),
    ),
    (
        Client::Codex,
        Some(
            "model_provider = \"corp\"\n[model_providers.corp]\nbase_url = \"https://llm.example.net/v1\"\n\n\n[profiles.work]\nmodel_provider = \"corp\"\n",
        ),
    ),
    (Client::ClaudeCode, None),
    (
        Client::ClaudeCode,
        Some("{\"permissions\": {\"allow\": []}, \"env\": {\"ANTHROPIC_MODEL\": \"opus\"}}"),
    ),
    (Client::OpenaiEnv, None),
    (Client::OpenaiEnv, Some("OPENAI_MODEL=mine\nOTHER=1\n")),
];

#[test]
fn what_nobody_touched_comes_back_byte_for_byte_also_after_a_move() {
    for (client, old) in CONFIGS {
        let first = pointed(client, old, None, 4000);
        let text = first.text.clone().unwrap();
        assert_eq!(first.key, KeyOutcome::Given);
        assert!(first.holds_key);
        let moved = pointed(client, Some(&text), first.record.as_ref(), 4001);
        let url = look_url(client, moved.text.as_deref().unwrap());
        assert!(url.contains(":4001"), "{url}");
        assert_eq!(moved.key, KeyOutcome::Given);
        let back = take_back(
            client,
            moved.text.as_deref(),
            moved.record.as_ref().unwrap(),
        );
        assert_eq!(back.unwrap().text.as_deref(), old, "{}", client.name());
    }
}

fn look_url(client: Client, text: &str) -> String {
    super::super::look::look(client, text)
        .unwrap()
        .url
        .unwrap()
        .text
}

#[test]
fn pointing_twice_changes_nothing_the_second_time() {
    for (client, old) in CONFIGS {
        let first = pointed(client, old, None, 4000);
        let again = pointed(client, first.text.as_deref(), first.record.as_ref(), 4000);
        assert_eq!(first.text, again.text);
        let (one, two) = (first.record.unwrap(), again.record.unwrap());
        assert!(one.values == two.values && one.before == two.before);
    }
}

#[test]
fn what_somebody_changed_since_stays_and_the_rest_goes_back() {
    let old = "{\n  \"env\": {\"ANTHROPIC_MODEL\": \"opus\"},\n  \"theme\": \"dark\"\n}\n";
    let client = Client::ClaudeCode;
    let done = pointed(client, Some(old), None, 4000);
    let mine = client
        .format()
        .set(&done.text.unwrap(), &["theme"], "light")
        .unwrap();
    let haiku = ["env", "ANTHROPIC_DEFAULT_HAIKU_MODEL"];
    let mine = client.format().set(&mine, &haiku, "mine").unwrap();
    let back = take_back(client, Some(&mine), done.record.as_ref().unwrap()).unwrap();
    assert_eq!(back.left, ["env.ANTHROPIC_DEFAULT_HAIKU_MODEL"]);
    let text = back.text.unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "env": {"ANTHROPIC_MODEL": "opus", "ANTHROPIC_DEFAULT_HAIKU_MODEL": "mine"},
            "theme": "light",
        })
    );
}

#[test]
fn a_working_token_is_kept_and_a_placeholder_is_not() {
    let token = ["env", "ANTHROPIC_AUTH_TOKEN"];
    for (written, kept) in [
        ("sk-working", true),
        ("your-gateway-token", false),
        ("", false),
    ] {
        let old = format!("{{\"env\": {{\"ANTHROPIC_AUTH_TOKEN\": \"{written}\"}}}}");
        let done = pointed(Client::ClaudeCode, Some(&old), None, 4000);
        let now = at(Client::ClaudeCode, &done.text.unwrap(), &token).unwrap();
        assert_eq!(now == written, kept, "{written}");
        assert_eq!(now == "sk-gateway", !kept);
        assert_eq!(done.key == KeyOutcome::Kept, kept);
    }
}

#[test]
fn without_a_readable_key_nothing_is_written_over_a_token_either() {
    let path = Path::new("/home/ana/file");
    let keyless = Gateway {
        key: None,
        ..gateway(4000)
    };
    let old = "{\"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"sk-working\"}}";
    for with_key in [false, true] {
        let done = point(
            Client::ClaudeCode,
            &keyless,
            path,
            Some(old),
            None,
            with_key,
        )
        .unwrap();
        assert_eq!(done.key, KeyOutcome::Kept);
        assert!(done.text.unwrap().contains("sk-working"));
    }
    let done = point(Client::Codex, &keyless, path, None, None, false).unwrap();
    assert_eq!(done.key, KeyOutcome::Missing);
    assert!(done.text.unwrap().contains("env_key = \"OPENAI_API_KEY\""));
}

#[test]
fn the_key_of_the_gateway_replaces_one_of_the_client_only_on_request_and_comes_back() {
    let path = Path::new("/home/ana/file");
    let old = "model_provider = \"flowgate\"\n[model_providers.flowgate]\nbase_url = \"http://127.0.0.1:4000/v1\"\nenv_key = \"MY_KEY\"\n";
    let done = pointed(Client::Codex, Some(old), None, 4000);
    assert_eq!(done.key, KeyOutcome::Kept);
    let done = point(Client::Codex, &gateway(4000), path, Some(old), None, true).unwrap();
    let text = done.text.unwrap();
    assert!(
        text.contains("experimental_bearer_token = \"sk-gateway\"") && !text.contains("env_key")
    );
    // Another line makes it go back value by value.
    let mine = format!("# a line\n{text}");
    let back = take_back(Client::Codex, Some(&mine), done.record.as_ref().unwrap()).unwrap();
    let text = back.text.unwrap();
    assert!(
        text.contains("env_key = \"MY_KEY\"") && !text.contains("sk-gateway"),
        "{text}"
    );
    assert_eq!(back.left, Vec::<String>::new());
}

#[test]
fn what_does_not_parse_is_left_alone() {
    let path = Path::new("/home/ana/file");
    for (client, old) in [
        (Client::ClaudeCode, "{\"env\": {},}"),
        (Client::ClaudeCode, "[1]"),
        (Client::ClaudeCode, "{\"env\": \"x\"}"),
        (Client::Codex, "model = \n"),
        (Client::Codex, "model_providers = 3\n"),
    ] {
        let done = point(client, &gateway(4000), path, Some(old), None, false);
        assert!(done.is_err(), "{old}");
    }
}
