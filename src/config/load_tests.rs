use flowgate_checks::model::{EntryValue, Position, ProblemKind};
use proptest::prelude::*;

use super::*;
use crate::config::{command, litellm};

const FLOWGATE_EXAMPLE: &str = include_str!("../../config/flowgate.example.yaml");
const CLIPROXYAPI_EXAMPLE: &str = include_str!("../../config/cliproxyapi.example.yaml");

/// A gateway folder with some files in it.
struct Gateway {
    _temp: tempfile::TempDir,
    folder: PathBuf,
    redactor: Redactor,
}

impl Gateway {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().canonicalize().unwrap();
        for (name, content) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            #[expect(clippy::disallowed_methods, reason = "a test prepares its own file")]
            std::fs::write(path, content).unwrap();
        }
        Self {
            _temp: temp,
            folder,
            redactor: Redactor::default(),
        }
    }

    fn load(&self) -> Loaded<FlowgateConfig> {
        let path = self.folder.join("config/flowgate.yaml");
        let print = Fingerprinter::fixed([1; 32]);
        load(&path, &root_of(&path), &print, &self.redactor)
    }

    fn reading<T>(&self, read: impl FnOnce(&Reading<'_>) -> T) -> T {
        read(&Reading {
            root: &Root::new(&self.folder),
            fingerprinter: &Fingerprinter::fixed([1; 32]),
            redactor: &self.redactor,
        })
    }
}

fn flowgate(content: &str) -> Gateway {
    Gateway::with(&[("config/flowgate.yaml", content.as_bytes())])
}

#[test]
fn the_examples_load_without_a_problem() {
    let gateway = Gateway::with(&[
        ("config/flowgate.yaml", FLOWGATE_EXAMPLE.as_bytes()),
        ("config/cliproxyapi.yaml", CLIPROXYAPI_EXAMPLE.as_bytes()),
    ]);
    let loaded = gateway.load();
    assert_eq!(sentence(&loaded.file), None);
    assert_eq!(loaded.file.problems, []);
    assert_eq!(loaded.file.path, "config/flowgate.yaml");
    let config = loaded.config.unwrap();
    assert_eq!(config.profiles.len(), 3);
    let proxy = config.service("cliproxyapi_plus").unwrap();
    let path = command::config_path(proxy, Path::new("/")).unwrap();
    let own = gateway.reading(|reading| cliproxyapi::load(&path, reading));
    assert_eq!((sentence(&own.file), own.file.problems.len()), (None, 0));
    assert_eq!(own.config.unwrap().port, proxy.port);
    for service in &config.services {
        let port = command::port_argument(&service.args);
        assert!(port.is_none_or(|port| port.parse() == Ok(service.port.unwrap())));
    }
    for name in config.profiles.keys() {
        let rendered = crate::config::profiles::render(&config, name)
            .unwrap()
            .to_string();
        let gateway = Gateway::with(&[("active.yaml", rendered.as_bytes())]);
        let path = gateway.folder.join("active.yaml");
        let active = gateway.reading(|reading| litellm::load(&path, reading));
        assert!(!active.config.unwrap().deployments.is_empty());
    }
}

#[test]
fn the_examples_hold_no_key() {
    for (text, kind) in [
        (FLOWGATE_EXAMPLE, FileKind::Flowgate),
        (CLIPROXYAPI_EXAMPLE, FileKind::Cliproxyapi),
    ] {
        let gateway = flowgate(text);
        let path = gateway.folder.join("config/flowgate.yaml");
        let file = gateway.reading(|reading| reading.load(&path, kind, |_, _| Ok(())).file);
        for (path, entry) in &file.entries {
            let is_ordinary = matches!(
                entry.value,
                EntryValue::Secret { class, .. } if class == flowgate_checks::model::SecretClass::Ordinary
            );
            assert!(!is_ordinary, "{path}");
        }
    }
}

#[test]
fn a_file_that_does_not_load_says_why_in_one_sentence() {
    let told = |gateway: &Gateway| sentence(&gateway.load().file);
    assert_eq!(
        told(&Gateway::with(&[])).as_deref(),
        Some("config/flowgate.yaml: no such file")
    );
    let folder = Gateway::with(&[("config/flowgate.yaml/x", b"")]);
    assert_eq!(
        told(&folder).as_deref(),
        Some("config/flowgate.yaml: is a directory")
    );
    let large = flowgate(&"# long\n".repeat(200_000));
    assert_eq!(
        told(&large).as_deref(),
        Some("config/flowgate.yaml: is larger than 1048576 bytes")
    );
    let broken = flowgate(&FLOWGATE_EXAMPLE.replace("    port: 4000", "    port: 70000"));
    let loaded = broken.load();
    let line = 1 + FLOWGATE_EXAMPLE
        .lines()
        .position(|line| line == "    port: 4000")
        .unwrap();
    assert_eq!(
        sentence(&loaded.file),
        Some(format!(
            "config/flowgate.yaml:{line}:11: services.litellm.port must be a whole number from 1 to 65535"
        ))
    );
    assert!(loaded.config.is_none() && loaded.file.entries.is_empty());
    let ConfigState::Invalid { excerpt, .. } = &loaded.file.state else {
        panic!("{:?}", loaded.file.state);
    };
    assert_eq!(excerpt.as_deref(), Some("    port: 70000"));
}

#[test]
fn duplicates_and_unknown_keys_are_problems_of_a_config_that_loads() {
    let text = FLOWGATE_EXAMPLE.replace(
        "    port: 4000\n",
        "    port: 4000\n    prot: 1\n    port: 4001\n",
    );
    let loaded = flowgate(&text).load();
    assert!(loaded.file.is_loaded());
    let line =
        u32::try_from(1 + text.lines().position(|line| line == "    prot: 1").unwrap()).unwrap();
    let first = Position {
        line: line - 1,
        column: 5,
    };
    assert_eq!(loaded.file.problems.len(), 2);
    assert!(matches!(
        loaded.file.problems[0].kind,
        ProblemKind::UnknownKey { .. }
    ));
    assert_eq!(
        loaded.file.problems[1].kind,
        ProblemKind::DuplicateKey { first }
    );
    assert_eq!(loaded.file.problems[1].position.line, line + 1);
    assert_eq!(
        loaded.config.unwrap().service("litellm").unwrap().port,
        Some(4001)
    );
}

#[test]
fn version_3_takes_host_and_port_from_the_programs_file() {
    let gateway = Gateway::with(&[
        (
            "flowgate.yaml",
            b"config_version: 3\npaths: {runtime_dir: r, log_file: l}\ncliproxyapi_plus: {config_file: cli.yaml}\n",
        ),
        ("cli.yaml", b"host: '[::1]'\nport: 9000\n"),
    ]);
    let path = gateway.folder.join("flowgate.yaml");
    let root = root_of(&path);
    assert_eq!(root.path(), gateway.folder);
    let loaded = load(&path, &root, &Fingerprinter::random(), &gateway.redactor);
    let config = loaded.config.unwrap();
    assert_eq!(
        (config.services[0].host.as_str(), config.services[0].port),
        ("::1", Some(9000))
    );
}

#[test]
fn the_programs_files_keep_their_state() {
    let gateway = Gateway::with(&[
        ("tabs.json", b"{\n\t\"port\": 1\n}"),
        ("bad.yaml", b"api-keys:\n\t- \"sk-lab-upstream-0001\"\n"),
    ]);
    let state = |name: &str| {
        let path = gateway.folder.join(name);
        let proxy = gateway.reading(|reading| cliproxyapi::load(&path, reading).file.state);
        let litellm = gateway.reading(|reading| litellm::load(&path, reading).file.state);
        (proxy, litellm)
    };
    assert_eq!(
        state("absent.yaml"),
        (ConfigState::Missing, ConfigState::Missing)
    );
    let (proxy, litellm) = state("tabs.json");
    assert_eq!(proxy, ConfigState::Loaded);
    assert!(matches!(litellm, ConfigState::Invalid { .. }));
    let (proxy, _) = state("bad.yaml");
    let ConfigState::Invalid {
        position, excerpt, ..
    } = proxy
    else {
        panic!("{proxy:?}");
    };
    assert_eq!(position, Some(Position { line: 2, column: 2 }));
    assert_eq!(excerpt.as_deref(), Some("→- …"));
    // The service may still run with the key of a file that does not parse any more.
    let said = gateway.redactor.clean("key sk-lab-upstream-0001");
    assert_eq!(said, "key [redacted]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a config is broken, what is said of it holds nothing that was planted.
    #[test]
    fn no_planted_secret_is_in_anything_that_is_said(
        secret in "[A-Za-z0-9][A-Za-z0-9_.~!+-]{8,30}", at in any::<prop::sample::Index>(),
        damage in "[\"'{\\[\t:*&@%-]", broken in any::<bool>(),
        misplaced in any::<bool>()
    ) {
        let token = format!("    port: 4000\n    env: {{A_TOKEN: \"{secret}\"}}\n");
        let mut text = FLOWGATE_EXAMPLE
            .replace("os.environ/ROUTER_UPSTREAM_API_KEY", &secret)
            .replace("    port: 4000\n", &token);
        if misplaced {
            text = text.replace("port: 8317", &format!("port: \"{secret}\""));
        }
        if broken {
            let starts: Vec<usize> = text.match_indices('\n').map(|(index, _)| index + 1).collect();
            text.insert_str(starts[at.index(starts.len())], &damage);
        }
        let loaded = flowgate(&text).load();
        prop_assert!(broken || loaded.file.is_loaded() != misplaced);
        let json = serde_json::to_string(&loaded.file).unwrap();
        prop_assert!(!json.contains(&secret), "{}", json);
        prop_assert!(!sentence(&loaded.file).unwrap_or_default().contains(&secret));
    }
}
