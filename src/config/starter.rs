//! The files of a new gateway, as text: the examples with keys of its own in them.

const FLOWGATE: &str = include_str!("../../config/flowgate.example.yaml");
const CLIPROXYAPI: &str = include_str!("../../config/cliproxyapi.example.yaml");

/// The placeholder of the key in the example, as the program's own template has it.
const PLACEHOLDER: &str = "your-api-key-1";
const PORT_LINE: &str = "port: 8317\n";

/// The variable of the key that LiteLLM sends to CLIProxyAPIPlus.
pub const UPSTREAM_VARIABLE: &str = "ROUTER_UPSTREAM_API_KEY";
/// The variable of the key that clients send to LiteLLM.
pub const MASTER_VARIABLE: &str = "LITELLM_MASTER_KEY";

/// flowgate.yaml. In a folder `config` its paths lead to the folder above, else they stay where
/// the file is.
pub fn flowgate(is_in_config_folder: bool) -> String {
    if is_in_config_folder {
        return FLOWGATE.to_owned();
    }
    FLOWGATE
        .replace("../.router/", ".router/")
        .replace("cwd: ..\n", "cwd: .\n")
        .replace("config/cliproxyapi.yaml", "cliproxyapi.yaml")
}

/// cliproxyapi.yaml with its key and port.
pub fn cliproxyapi(key: &str, port: u16) -> String {
    CLIPROXYAPI
        .replace(PORT_LINE, &format!("port: {port}\n"))
        // Quoted, since a key may be any word.
        .replace(PLACEHOLDER, &serde_json::Value::from(key).to_string())
        .replace(
            "# `flowgate init` puts a random key here; mainline builds answer 403 to this very placeholder.\n",
            "",
        )
}

/// The variables that LiteLLM is started with, one a line.
pub fn litellm_env(upstream: &str, master: &str) -> String {
    format!("{UPSTREAM_VARIABLE}={upstream}\n{MASTER_VARIABLE}={master}\n")
}

/// The value of a variable in such a text.
pub fn variable<'a>(env: &'a str, name: &str) -> Option<&'a str> {
    env.lines()
        .filter_map(|line| {
            let line = line.trim();
            line.strip_prefix("export ").unwrap_or(line).split_once('=')
        })
        .filter(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
        .next_back()
        .filter(|value| !value.is_empty())
}

/// A .gitignore with the lines that it lacks at its end; none when it lacks none.
pub fn gitignore(before: &str, wanted: &[&str]) -> Option<String> {
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    let has = |line: &str| before.lines().any(|there| bare(there) == bare(line));
    let missing: Vec<&&str> = wanted.iter().filter(|line| !has(line)).collect();
    if missing.is_empty() {
        return None;
    }
    let end = if before.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let mut text = before.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str(end);
    }
    for line in missing {
        text.push_str(line);
        text.push_str(end);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::config::cliproxyapi::CliproxyConfig;
    use crate::config::document::{Document, Rules};
    use crate::config::litellm::KeyValue;

    #[test]
    fn the_key_takes_the_place_of_the_placeholder() {
        let text = cliproxyapi("sk-0001: #", 9000);
        assert!(
            !text.contains("your-api-key") && !text.contains("placeholder"),
            "{text}"
        );
        let document = Document::parse(&text, Rules::default()).unwrap();
        let config = CliproxyConfig::read(&document).unwrap();
        assert_eq!(config.port, Some(9000));
        let [key] = config.api_keys.as_slice() else {
            panic!("{text}");
        };
        assert!(
            matches!(&key.value, KeyValue::Literal(key) if key.expose_secret() == "sk-0001: #")
        );
    }

    #[test]
    fn paths_lead_out_of_a_config_folder_alone() {
        assert!(flowgate(true).contains("runtime_dir: ../.router/runtime"));
        let text = flowgate(false);
        assert!(text.contains("runtime_dir: .router/runtime"));
        assert!(!text.contains("..") && !text.contains("config/"), "{text}");
    }

    #[test]
    fn variables_are_read_as_they_are_written() {
        let text = litellm_env("sk-a", "sk-b");
        assert_eq!(variable(&text, UPSTREAM_VARIABLE), Some("sk-a"));
        assert_eq!(variable(&text, MASTER_VARIABLE), Some("sk-b"));
        assert_eq!(variable("A=1\nexport A='2'\n#A=3\nB=\n", "A"), Some("2"));
        assert_eq!(variable("A=1\nB=\n", "B"), None);
    }

    #[test]
    fn a_line_is_ignored_once() {
        let wanted = [".router/", "config/cliproxyapi.yaml"];
        let first = gitignore("", &wanted).unwrap();
        assert_eq!(first, ".router/\nconfig/cliproxyapi.yaml\n");
        assert_eq!(gitignore(&first, &wanted), None);
        assert_eq!(
            gitignore("target\r\n/.router", &wanted).unwrap(),
            "target\r\n/.router\r\nconfig/cliproxyapi.yaml\r\n"
        );
    }
}
