//! The effective values of flowgate.yaml, each with the place that sets it.

use flowgate_checks::model::{ConfigFile, Entry, EntryValue, SecretClass};

use super::path;
use super::schema::FlowgateConfig;
use super::service::ServiceConfig;

/// One effective value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its path, in the words of the current version: `services.litellm.port`.
    pub key: String,
    /// Its value as text; of a secret the fingerprint only.
    pub value: String,
    /// Whether the value is a secret and does not show.
    pub is_secret: bool,
    /// The line that sets it; none for a default.
    pub line: Option<u32>,
}

/// Every effective value, in the order of the schema.
pub fn settings(config: &FlowgateConfig, file: &ConfigFile) -> Vec<Setting> {
    let mut list = List {
        file,
        settings: Vec::new(),
    };
    list.value("config_version", config.version);
    let paths = &config.paths;
    list.value("paths.runtime_dir", paths.runtime_dir.display());
    list.value("paths.active_config", paths.active_config.display());
    list.value("paths.state_file", paths.state_file.display());
    list.value("paths.log_file", paths.log_file.display());
    for service in &config.services {
        list.service(service);
    }
    list.below("litellm_base");
    list.below("profiles");
    for (name, provider) in &config.providers {
        let key = path::key("auth.providers", name);
        list.from(
            &path::key(&key, "method"),
            &path::key(&provider.entry, "method"),
            &provider.method,
        );
        for name in ["auth_url_endpoint", "status_endpoint"] {
            list.entry(&path::key(&key, name), &path::key(&provider.entry, name));
        }
    }
    for (index, secret) in config.secret_files.iter().enumerate() {
        let new = path::index("secret_files", index);
        let old = path::index("secrets", index);
        let from = if file.entry(&new).is_some() {
            &new
        } else {
            &old
        };
        list.from(&new, from, secret.display());
    }
    for part in [
        "integration",
        "credentials",
        "bootstrap",
        "cliproxyapi_plus",
    ] {
        list.below(part);
    }
    list.settings
}

struct List<'a> {
    file: &'a ConfigFile,
    settings: Vec<Setting>,
}

impl List<'_> {
    fn service(&mut self, service: &ServiceConfig) {
        let key = path::key("services", &service.name);
        let entry = &service.entry;
        let mut set = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                self.from(&format!("{key}.{name}"), &format!("{entry}.{name}"), value);
            }
        };
        let file = |file: &Option<std::path::PathBuf>| {
            file.as_ref().map(|file| file.display().to_string())
        };
        set("enabled", Some(service.enabled.to_string()));
        set("managed", Some(service.managed.to_string()));
        set("host", Some(service.host.clone()));
        set("port", service.port.map(|port| port.to_string()));
        set("command.cwd", file(&service.cwd));
        let seconds = |duration: std::time::Duration| Some(format!("{} s", duration.as_secs_f64()));
        set("ready_timeout", seconds(service.ready_timeout));
        set("stop_timeout", seconds(service.stop_timeout));
        let management = if service.management_auto {
            "auto"
        } else {
            "off"
        };
        set("management", Some(management.to_owned()));
        set("unit", service.unit.clone());
        set("container", service.container.clone());
        set("env_file", file(&service.env_file));
        set("config_file", file(&service.config_file));
        let readiness = ["readiness_path", "health_path"]
            .map(|name| path::key(entry, name))
            .into_iter()
            .find(|path| self.file.entry(path).is_some())
            .unwrap_or_default();
        self.from(
            &format!("{key}.readiness_path"),
            &readiness,
            &service.readiness_path,
        );
        for (index, arg) in service.args.iter().enumerate() {
            let arg_key = path::index(&format!("{key}.command.args"), index);
            let arg_entry = path::index(&format!("{entry}.command.args"), index);
            // The entry knows which argument is a secret; derived arguments have none.
            if self.file.entry(&arg_entry).is_some() {
                self.entry(&arg_key, &arg_entry);
            } else {
                self.from(&arg_key, &arg_entry, arg);
            }
        }
        for name in service.env.keys() {
            let name = path::key("env", name);
            self.entry(&format!("{key}.{name}"), &format!("{entry}.{name}"));
        }
    }

    /// A value whose key has had one name only.
    fn value(&mut self, key: &str, value: impl ToString) {
        self.from(key, key, value);
    }

    /// A value that flowgate has worked out, and the entry that sets it when there is one.
    fn from(&mut self, key: &str, entry: &str, value: impl ToString) {
        let set_by = self.file.entry(entry);
        self.settings.push(Setting {
            key: key.to_owned(),
            value: value.to_string(),
            is_secret: false,
            line: set_by.map(|entry| entry.position.line),
        });
    }

    /// The value of an entry as it stands.
    fn entry(&mut self, key: &str, entry: &str) {
        let Some(found) = self.file.entry(entry) else {
            return;
        };
        self.settings.extend(shown(key, found));
    }

    /// Every scalar below a section, as it stands.
    fn below(&mut self, section: &str) {
        let inside = |path: &str| {
            path.strip_prefix(section)
                .is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        let mut found: Vec<(&String, &Entry)> = self
            .file
            .entries
            .iter()
            .filter(|(path, _)| inside(path))
            .collect();
        found.sort_by_key(|(_, entry)| entry.position);
        self.settings
            .extend(found.iter().filter_map(|(path, entry)| shown(path, entry)));
    }
}

fn shown(key: &str, entry: &Entry) -> Option<Setting> {
    let value = match &entry.value {
        EntryValue::Null => "null".to_owned(),
        EntryValue::Bool(truth) => truth.to_string(),
        EntryValue::Int(number) => number.to_string(),
        EntryValue::Number(text) | EntryValue::Text(text) => text.clone(),
        EntryValue::Secret { fingerprint, class } => secret(fingerprint, *class),
        EntryValue::Map(0) => "{}".to_owned(),
        EntryValue::List(0) => "[]".to_owned(),
        EntryValue::Map(_) | EntryValue::List(_) => return None,
    };
    Some(Setting {
        key: key.to_owned(),
        value,
        is_secret: matches!(entry.value, EntryValue::Secret { .. }),
        line: Some(entry.position.line),
    })
}

fn secret(fingerprint: &str, class: SecretClass) -> String {
    let what = match class {
        SecretClass::Empty => return "(empty)".to_owned(),
        SecretClass::Ordinary => "secret",
        SecretClass::Template => "secret of the template",
        SecretClass::WellKnown => "well-known secret",
        SecretClass::Hash => "hash",
    };
    let short = fingerprint.get(..6).unwrap_or(fingerprint);
    format!("({what}, fingerprint {short})")
}
