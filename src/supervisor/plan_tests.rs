use std::fs;

use super::*;

struct House(tempfile::TempDir);

impl House {
    fn new(services: &str) -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(house.path("config")).unwrap();
        let text = format!(
            "config_version: 2\npaths: {{runtime_dir: ../run/time, active_config: ../a.yaml, state_file: ../s.json, log_file: ../e.log}}\n\
             litellm_base: {{}}\nprofiles: {{p: {{}}}}\nservices:\n{services}"
        );
        house.write("config/flowgate.yaml", &text);
        house
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test makes the files that are read"
    )]
    fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).unwrap();
    }

    fn plan(&self, service: &str, env: &[(&str, &str)]) -> Result<Plan, Refusal> {
        let launch = Launch {
            service: service.into(),
            cwd: self.path("."),
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        current(&self.path("config/flowgate.yaml"))?
            .plan(&Places::new(&self.path("run/time")), &launch)
    }
}

const LITELLM: &str = "  litellm: {port: 4000, command: {args: [litellm, --config, a.yaml]}}\n";

fn proxy(extra: &str) -> String {
    format!(
        "{LITELLM}  cliproxyapi_plus: {{port: 8317, {extra} command: {{cwd: .., args: [proxy, -config, p.yaml]}}}}\n"
    )
}

#[test]
fn host_and_port_are_given_to_litellm_and_never_twice() {
    let house = House::new(&proxy(""));
    let args = house.plan("litellm", &[]).ok().unwrap().args;
    assert_eq!(args[3..], ["--host", "127.0.0.1", "--port", "4000"]);
    let own = LITELLM.replace("a.yaml]", "a.yaml, --port=4001, --host, 0.0.0.0]");
    let house = House::new(&proxy("").replace(LITELLM, &own));
    let args = house.plan("litellm", &[]).ok().unwrap().args;
    assert_eq!(args[3..], ["--port=4001", "--host", "0.0.0.0"]);
    let args = house.plan("cliproxyapi_plus", &[]).ok().unwrap().args;
    assert_eq!(args, ["proxy", "-config", "p.yaml"]);
}

#[test]
fn the_management_key_is_given_on_loopback_only_and_never_over_a_users() {
    let given = |house: &House, env: &[(&str, &str)]| {
        house
            .plan("cliproxyapi_plus", env)
            .ok()
            .unwrap()
            .env
            .get(MANAGEMENT)
            .cloned()
    };
    let house = House::new(&proxy("management: auto,"));
    house.write("p.yaml", "host: 127.0.0.1\nport: 8317\n");
    let key = given(&house, &[]).unwrap();
    assert_eq!(key.len(), 64);
    assert_eq!(given(&house, &[]).unwrap(), key);
    let users = given(&house, &[(MANAGEMENT, "mine")]);
    assert_eq!(users.as_deref(), Some("mine"));
    house.write(".env", "MANAGEMENT_PASSWORD=mine\n");
    assert_eq!(given(&house, &[]), None);
    house.write(".env", "");
    house.write("p.yaml", "host: ''\nport: 8317\n");
    assert_eq!(given(&house, &[]), None);
    let house = House::new(&proxy(""));
    house.write("p.yaml", "host: 127.0.0.1\nport: 8317\n");
    assert_eq!(given(&house, &[]), None);
}

#[test]
fn every_entry_of_the_program_s_config_is_digested() {
    let house = House::new(&proxy(""));
    let digests = |text: &str| {
        house.write("a.yaml", text);
        house.plan("litellm", &[]).ok().unwrap().digests
    };
    let first =
        digests("general_settings:\n  master_key: sk-one\nlitellm_settings: {num_retries: 1}\n");
    let same = digests(
        "litellm_settings: {num_retries: 1} # a comment\ngeneral_settings: {master_key: sk-one}\n",
    );
    let other =
        digests("general_settings:\n  master_key: sk-two\nlitellm_settings: {num_retries: 1}\n");
    assert!(!first.is_empty());
    assert_eq!(first, same, "order and comments say nothing");
    let changed: Vec<&String> = first
        .keys()
        .filter(|key| first.get(*key) != other.get(*key))
        .collect();
    assert_eq!(changed, ["litellm:general_settings.master_key"]);
}

#[test]
fn what_cannot_be_started_is_refused_with_its_code() {
    let code = |house: &House, service: &str| house.plan(service, &[]).err().unwrap().code;
    let house = House::new(&proxy("managed: false,"));
    assert_eq!(code(&house, "cliproxyapi_plus"), "not-managed");
    assert_eq!(code(&house, "nobody"), "unknown-service");
    let house = House::new(&proxy("env_file: nowhere,"));
    assert_eq!(code(&house, "cliproxyapi_plus"), "config");
    house.write("config/flowgate.yaml", "services: [");
    let refusal = house.plan("litellm", &[]).err().unwrap();
    assert_eq!(refusal.code, "config");
    assert!(
        refusal
            .message
            .starts_with("Config error: config/flowgate.yaml:1:"),
        "{}",
        refusal.message
    );
}
