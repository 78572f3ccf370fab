//! What a start needs of the one who asks for it: the folder, and the variables of the shell.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use flowgate_checks::model::{ConfigFile, EntryValue};

use super::protocol::Launch;
use crate::config::document::{Node, NodeValue};
use crate::config::schema::FlowgateConfig;
use crate::config::secrets;

/// Names that every service gets when the shell has them (DESIGN section 9); the proxies in both
/// cases, since programs differ in which they read.
const NAMES: [&str; 14] = [
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
];

/// Beginnings of names that every service gets, and the one proxy variable that is left.
const PREFIXES: [&str; 3] = ["LC_", "XDG_", "NO_PROXY"];

/// The launch of a service: of the variables those that every service gets and those that the
/// configs name. What is no text is left out.
pub fn launch(
    service: &str,
    cwd: &Path,
    variables: impl Iterator<Item = (OsString, OsString)>,
    referenced: &BTreeSet<String>,
) -> Launch {
    let env: BTreeMap<String, String> = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_common(name) || referenced.contains(name))
        .collect();
    Launch {
        service: service.to_owned(),
        cwd: cwd.to_owned(),
        env,
    }
}

/// Whether every service gets a variable of this name.
pub fn is_common(name: &str) -> bool {
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The names that `litellm_base`, the profiles and the active config give as `os.environ/NAME`,
/// and those of `credentials.upstream`.
pub fn referenced(config: &FlowgateConfig, active: Option<&ConfigFile>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for node in config.litellm_base.iter().chain(config.profiles.values()) {
        collect(node, &mut names);
    }
    for credential in config.upstream.values() {
        if let crate::config::schema::UpstreamCredential::Environment(name) = credential {
            names.insert(name.clone());
        }
    }
    let entries = active.into_iter().flat_map(|file| file.entries.values());
    names.extend(entries.filter_map(|entry| match &entry.value {
        EntryValue::Text(text) => secrets::environment_reference(text).map(str::to_owned),
        _ => None,
    }));
    names
}

fn collect(node: &Node, names: &mut BTreeSet<String>) {
    match &node.value {
        NodeValue::Text(text) => {
            names.extend(secrets::environment_reference(text).map(str::to_owned));
        }
        NodeValue::List(items) => items.iter().for_each(|item| collect(item, names)),
        NodeValue::Map(pairs) => pairs.iter().for_each(|(_, node)| collect(node, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document::{Document, Rules};

    #[test]
    fn common_and_referenced_variables_go_along_and_nothing_else() {
        let shell = [
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("https_proxy", "http://127.0.0.1:1"),
            ("NO_PROXY", "x"),
            ("ROUTER_KEY", "secret"),
            ("AWS_SECRET_ACCESS_KEY", "no"),
            ("PORT", "80"),
            ("LD_PRELOAD", "x.so"),
        ];
        let shell = shell.map(|(name, value)| (name.into(), value.into()));
        let referenced = BTreeSet::from(["ROUTER_KEY".to_owned(), "NOT_SET".to_owned()]);
        let launch = launch("litellm", Path::new("/gw"), shell.into_iter(), &referenced);
        let names: Vec<&str> = launch.env.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["LC_ALL", "NO_PROXY", "PATH", "ROUTER_KEY", "https_proxy"]
        );
    }

    #[test]
    fn references_are_found_at_any_depth() {
        let text = b"a: os.environ/A\nb: [{c: os.environ/C}, os.environ/D]\ne: environ/E\n";
        let document = Document::parse_bytes(text, Rules::default()).unwrap();
        let mut config = FlowgateConfig::assumed(Path::new("/gw"));
        config.litellm_base = Some(document.root.clone());
        let names = referenced(&config, None);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["A", "C", "D"]);
    }
}
