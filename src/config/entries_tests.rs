use flowgate_checks::model::SecretClass;
use proptest::prelude::*;

use super::*;
use crate::config::document::Rules;

struct Flat {
    entries: BTreeMap<String, Entry>,
    redactor: Redactor,
}

fn flat(kind: FileKind, text: &str) -> Flat {
    let redactor = Redactor::default();
    let document = Document::parse(text, Rules::default()).unwrap();
    let entries = flatten(&document, kind, &Fingerprinter::fixed([7; 32]), &redactor);
    Flat { entries, redactor }
}

impl Flat {
    fn value(&self, path: &str) -> &EntryValue {
        &self.entries[path].value
    }

    fn is_secret(&self, path: &str) -> bool {
        matches!(self.value(path), EntryValue::Secret { .. })
    }

    fn class(&self, path: &str) -> SecretClass {
        match self.value(path) {
            EntryValue::Secret { class, .. } => *class,
            other => panic!("{path} is {other:?}"),
        }
    }
}

#[test]
fn what_no_edit_can_be_sure_of_is_marked() {
    let flat = flat(
        FileKind::Flowgate,
        "services:\n  a: &one {port: 1}\n  b: *one\n  c:\n    port: &two 2\n",
    );
    let flow: Vec<&str> = flat
        .entries
        .iter()
        .filter(|(_, entry)| entry.is_flow)
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(flow, ["services.a", "services.b"]);
    assert!(flat.entries["services.a"].is_anchored);
    assert!(flat.entries["services.c.port"].is_anchored);
    assert!(!flat.entries["services.c"].is_anchored);
    assert!(flat.entries["services.b.port"].alias_of.is_some());
}

#[test]
fn settings_are_text_and_everything_else_is_a_fingerprint() {
    let flat = flat(
        FileKind::Cliproxyapi,
        "host: \"::1\"\nport: 0x207D\nauth-dir: ~/auths\napi-keys: [sk-lab-1, your-api-key-1, '', 12345]\n\
         remote-management: {secret-key: $2a$10$abc, allow-remote: false}\nunknown: word\n\
         proxy-url: socks5://ana:hunter22@h:1080\n",
    );
    assert_eq!(*flat.value("host"), EntryValue::Text("::1".into()));
    assert_eq!(flat.entries["host"].raw.as_deref(), Some("\"::1\""));
    assert_eq!(*flat.value("port"), EntryValue::Int(8317));
    assert_eq!(flat.entries["port"].raw.as_deref(), Some("0x207D"));
    assert_eq!(*flat.value("auth-dir"), EntryValue::Text("~/auths".into()));
    assert_eq!(*flat.value("api-keys"), EntryValue::List(4));
    assert_eq!(flat.class("api-keys[0]"), SecretClass::Ordinary);
    assert_eq!(flat.class("api-keys[1]"), SecretClass::Template);
    assert_eq!(flat.class("api-keys[2]"), SecretClass::Empty);
    // A number is a key all the same.
    assert_eq!(flat.class("api-keys[3]"), SecretClass::Ordinary);
    assert_eq!(
        flat.class("remote-management.secret-key"),
        SecretClass::Hash
    );
    assert_eq!(
        *flat.value("remote-management.allow-remote"),
        EntryValue::Bool(false)
    );
    assert!(flat.is_secret("unknown"));
    let proxy = EntryValue::Text("socks5://[redacted]@h:1080".into());
    assert_eq!(*flat.value("proxy-url"), proxy);
    assert_eq!(flat.entries["proxy-url"].raw, None);
    assert_eq!(flat.redactor.clean("hunter22"), "[redacted]");
}

#[test]
fn equal_keys_have_equal_fingerprints_across_files() {
    let proxy = flat(FileKind::Cliproxyapi, "api-keys: [\"sk-lab-1\"]");
    let litellm = flat(
        FileKind::Litellm,
        "model_list: [{litellm_params: {api_key: sk-lab-1}}]",
    );
    assert_eq!(
        proxy.value("api-keys[0]"),
        litellm.value("model_list[0].litellm_params.api_key")
    );
}

#[test]
fn a_reference_to_a_variable_is_text_everywhere() {
    let flat = flat(
        FileKind::Litellm,
        "general_settings: {master_key: os.environ/KEY, other: 'os.environ/sk-real secret'}",
    );
    assert_eq!(
        *flat.value("general_settings.master_key"),
        EntryValue::Text("os.environ/KEY".into())
    );
    assert!(flat.is_secret("general_settings.other"));
}

#[test]
fn arguments_are_text_unless_they_carry_a_secret() {
    let flat = flat(
        FileKind::Flowgate,
        "services: {x: {command: {args: [bin/p, --port, \"4000\", -password, hunter2, --api-key=abc, --config, a.yaml]}, \
         env: {PORT: '1', OPENAI_API_KEY: abc}}}",
    );
    let arg = |index: usize| flat.is_secret(&format!("services.x.command.args[{index}]"));
    let secret: Vec<usize> = (0..8).filter(|index| arg(*index)).collect();
    assert_eq!(secret, [4, 5]);
    assert_eq!(
        *flat.value("services.x.env.PORT"),
        EntryValue::Text("1".into())
    );
    assert!(flat.is_secret("services.x.env.OPENAI_API_KEY"));
    let port = &flat.entries["services.x.command.args[2]"];
    assert_eq!(port.value, EntryValue::Text("4000".into()));
    assert_eq!(port.raw.as_deref(), Some("\"4000\""));
}

#[test]
fn the_litellm_part_of_flowgate_yaml_is_shown_like_the_active_config() {
    let flat = flat(
        FileKind::Flowgate,
        "litellm_base: {model_list: [{model_name: m, litellm_params: {model: openai/m, api_base: http://h/v1, api_key: abc}}]}\n\
         profiles: {p: {litellm_settings: {fallbacks: [{a: [b]}], num_retries: 3}}}\n",
    );
    let base = "litellm_base.model_list[0]";
    assert_eq!(
        *flat.value(&format!("{base}.model_name")),
        EntryValue::Text("m".into())
    );
    assert!(flat.is_secret(&format!("{base}.litellm_params.api_key")));
    assert_eq!(
        *flat.value("profiles.p.litellm_settings.fallbacks[0].a[0]"),
        EntryValue::Text("b".into())
    );
}

#[test]
fn keys_of_an_allowed_place_that_look_like_secrets_are_hidden() {
    let text = "tls: {key: \"-----BEGIN PRIVATE KEY-----\\nabc\"}\nauth-dir: sk-lab-upstream-0001\napi-keys: {sk-lab-upstream-0002: 1}\n";
    let flat = flat(FileKind::Cliproxyapi, text);
    assert!(flat.is_secret("tls.key") && flat.is_secret("auth-dir"));
    let json = serde_json::to_string(&flat.entries).unwrap();
    assert!(
        !json.contains("sk-lab") && !json.contains("BEGIN"),
        "{json}"
    );
}

#[test]
fn what_is_shown_elsewhere_in_the_file_does_not_vanish_from_other_text() {
    let flat = flat(
        FileKind::Litellm,
        "model_list: [{model_name: gpt-5-codex, unknown: gpt-5-codex}]\nnote: planted-0001\n",
    );
    assert_eq!(
        flat.redactor.clean("gpt-5-codex planted-0001"),
        "gpt-5-codex [redacted]"
    );
}

#[test]
fn entries_have_a_bound_and_their_parent_tells_how_many_there_are() {
    let flat = flat(FileKind::Litellm, &format!("x: [{}]", "1,".repeat(30_000)));
    assert_eq!(flat.entries.len(), 20_000);
    assert_eq!(*flat.value("x"), EntryValue::List(30_000));
}

/// Places of the three files where a secret may stand.
const PLACES: [(FileKind, &str); 16] = [
    (FileKind::Cliproxyapi, "api-keys: [\"{}\"]"),
    (
        FileKind::Cliproxyapi,
        "remote-management: {secret-key: \"{}\"}",
    ),
    (FileKind::Cliproxyapi, "api-keys:\n  - x\n  - '{}'\n"),
    (
        FileKind::Cliproxyapi,
        "openai-compatibility: [{api-key-entries: [{api-key: \"{}\"}]}]",
    ),
    (
        FileKind::Cliproxyapi,
        "proxy-url: \"http://ana:{}@127.0.0.1:7890\"",
    ),
    (
        FileKind::Cliproxyapi,
        "k: &a \"{}\"\nl: *a\nm: {<<: {n: *a}}",
    ),
    (FileKind::Litellm, "general_settings: {master_key: \"{}\"}"),
    (
        FileKind::Litellm,
        "model_list: [{litellm_params: {api_key: \"{}\"}}]",
    ),
    (
        FileKind::Litellm,
        "model_list: [{litellm_params: {api_base: \"http://h/v1?key={}\"}}]",
    ),
    (FileKind::Litellm, "environment_variables: {X: \"{}\"}"),
    (
        FileKind::Litellm,
        "general_settings:\n  master_key: |\n    {}\n",
    ),
    (
        FileKind::Flowgate,
        "services: {x: {env: {SOME_VAR: \"{}\"}}}",
    ),
    (
        FileKind::Flowgate,
        "services: {x: {command: {args: [p, \"-password={}\"]}}}",
    ),
    (
        FileKind::Flowgate,
        "services: {x: {command: {args: [p, --api-key, \"{}\"]}}}",
    ),
    (
        FileKind::Flowgate,
        "auth: {providers: {c: {auth_url_endpoint: \"http://u:{}@h/a?state={}\"}}}",
    ),
    (
        FileKind::Flowgate,
        "_comment: \"{}\"\nunknown: {deep: [\"{}\"]}",
    ),
];

proptest! {
    #[test]
    fn no_planted_secret_is_in_the_entries(
        secret in "[A-Za-z0-9][A-Za-z0-9_.~!+-]{8,30}", place in 0..PLACES.len()
    ) {
        let (kind, text) = PLACES[place];
        let flat = flat(kind, &text.replace("{}", &secret));
        let json = serde_json::to_string(&flat.entries).unwrap();
        prop_assert!(!json.contains(&secret), "{}", json);
    }

    #[test]
    fn a_secret_under_a_secret_name_is_learnt(secret in "[A-Za-z0-9][A-Za-z0-9_.~!+-]{8,30}", place in 0..4usize) {
        let (kind, text) = PLACES[place];
        let flat = flat(kind, &text.replace("{}", &secret));
        let said = format!("log: {secret} refused");
        prop_assert!(!flat.redactor.clean(&said).contains(&secret));
    }
}
