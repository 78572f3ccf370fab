//! A recording laid out in a temp dir and read from there by flowgate's own code.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowgate::config::cliproxyapi::{self, CliproxyConfig};
use flowgate::config::command::config_path;
use flowgate::config::file::{Loaded, Reading};
use flowgate::config::litellm::{self, LitellmConfig};
use flowgate::config::load;
use flowgate::config::schema::FlowgateConfig;
use flowgate::config::service::{ServiceConfig, without_brackets};
use flowgate::sys::fingerprint::Fingerprinter;
use flowgate::sys::place::{Root, normalise};
use flowgate::sys::read::ReadError;
use flowgate::sys::redact::Redactor;
use flowgate_checks::model::{ConfigFile, ConfigState, ServiceKind};

use crate::cases::Case;
use crate::frame;
use crate::recording::{Listing, ROOT, Recording};
use crate::write;

/// A recording on the stage: its files, and what flowgate's configs make of them.
pub struct Stage<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// What it needs beside.
    pub case: &'a Case,
    /// Modes and owners, those of the frame included.
    pub listing: Listing,
    /// How paths are shown; its folder is the temp dir.
    pub root: Root,
    /// Makes the fingerprints.
    pub fingerprinter: Fingerprinter,
    /// Learns every secret that is read.
    pub redactor: Arc<Redactor>,
    /// flowgate.yaml as the snapshot holds it.
    pub flowgate_file: ConfigFile,
    /// flowgate.yaml.
    pub flowgate: FlowgateConfig,
    /// The active config of LiteLLM.
    pub litellm: Loaded<LitellmConfig>,
    /// The config of CLIProxyAPIPlus.
    pub cliproxyapi: Loaded<CliproxyConfig>,
    /// The configs that were looked at, as they were in the recording.
    pub config_paths: Vec<PathBuf>,
    _temp: tempfile::TempDir,
}

impl<'a> Stage<'a> {
    /// Lays a recording out and reads its configs.
    pub fn of(recording: &'a Recording, case: &'a Case) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Root::new(temp.path().canonicalize().unwrap());
        let fingerprinter = Fingerprinter::fixed([7; 32]);
        let redactor = Arc::new(Redactor::default());
        let mut listing = recording.listing.clone();
        frame::complete(&mut listing, case.client_key.is_some());
        let folder = root.path();
        for name in ["config", "auths", ".router/secrets"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        copy_all(&recording.folder.join("config"), &folder.join("config"));
        write(
            &folder.join(".router/secrets/management.key"),
            frame::MANAGEMENT_KEY,
        );
        if let Some(key) = case.client_key {
            write(&folder.join(".router/secrets/litellm-master.key"), key);
        }
        let reading = Reading {
            root: &root,
            fingerprinter: &fingerprinter,
            redactor: &redactor,
        };
        let own = own_address(recording, folder);
        let yaml = folder.join("config/flowgate.yaml");
        let text = frame::flowgate_yaml(recording, case, (&own.0, own.1));
        write(&yaml, &text);
        let loaded = load::load(&yaml, &root, &fingerprinter, &redactor);
        let problem = load::sentence(&loaded.file);
        let flowgate = loaded
            .config
            .unwrap_or_else(|| panic!("{problem:?}\n{text}"));
        let mut stage = Self {
            litellm: nothing(),
            cliproxyapi: nothing(),
            config_paths: vec![Path::new(ROOT).join("config/flowgate.yaml")],
            flowgate_file: loaded.file,
            flowgate,
            recording,
            case,
            listing,
            fingerprinter: Fingerprinter::fixed([7; 32]),
            redactor: Arc::clone(&redactor),
            root: root.clone(),
            _temp: temp,
        };
        stage.flowgate_file.modified_at = None;
        stage.flowgate_file.tried = vec![stage.flowgate_file.path.clone()];
        if let Some(path) = stage.own_config(ServiceKind::Litellm) {
            stage.litellm = stage.load(&path, |path| litellm::load(path, &reading));
        }
        if let Some(path) = stage.own_config(ServiceKind::Cliproxyapi) {
            stage.cliproxyapi = stage.load(&path, |path| cliproxyapi::load(path, &reading));
        }
        stage.lay_tokens();
        stage
    }

    /// The services of flowgate.yaml, those that are off left out.
    pub fn services(&self) -> impl Iterator<Item = &ServiceConfig> {
        self.flowgate
            .services
            .iter()
            .filter(|service| service.enabled)
    }

    /// The service of a kind.
    pub fn service(&self, kind: ServiceKind) -> Option<&ServiceConfig> {
        self.services().find(|service| service.kind == kind)
    }

    /// A path of the recording in the temp dir; another path as it is.
    pub fn inside(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(ROOT) {
            Ok(below) => normalise(&self.root.path().join(below)),
            Err(_) => normalise(path),
        }
    }

    /// A path of the temp dir as it was in the recording; another path as it is.
    pub fn outside(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(self.root.path()) {
            Ok(below) => normalise(&Path::new(ROOT).join(below)),
            Err(_) => normalise(path),
        }
    }

    /// A path as the snapshot writes it.
    pub fn show(&self, path: &Path) -> String {
        self.root.show(&self.inside(path))
    }

    /// A text without the temp dir.
    pub fn in_the_words_of_the_recording(&self, text: &str) -> String {
        text.replace(&self.root.path().display().to_string(), ROOT)
    }

    fn own_config(&self, kind: ServiceKind) -> Option<PathBuf> {
        config_path(self.service(kind)?, Path::new(ROOT))
    }

    /// Reads a config, unless the user of the recording could not: then nothing of it is read.
    fn load<T>(&mut self, path: &Path, read: impl Fn(&Path) -> Loaded<T>) -> Loaded<T> {
        self.config_paths.push(path.to_owned());
        if self.listing.row(path).is_some() && !self.listing.may(path, 4) {
            let why = ReadError::Denied.to_string();
            return Loaded::without_content(ConfigFile {
                path: self.show(path),
                state: ConfigState::Unreadable { why },
                ..ConfigFile::default()
            });
        }
        let mut loaded = read(&self.inside(path));
        // The file in the temp dir is as old as the test.
        let row = self.listing.row(path);
        loaded.file.modified_at = row.map(|row| row.modified);
        loaded
    }

    /// The token files, with the times of the recording.
    fn lay_tokens(&self) {
        let dir = Path::new(ROOT).join(".router/auths");
        let there = self.inside(&dir);
        fs::create_dir_all(&there).unwrap();
        copy_all(&self.recording.folder.join("auths"), &there);
        for (path, row) in self.listing.in_folder(&dir) {
            if let Ok(file) = File::options().append(true).open(self.inside(path)) {
                file.set_modified(row.modified.into()).unwrap();
            }
        }
    }
}

fn nothing<T>() -> Loaded<T> {
    Loaded::without_content(ConfigFile::default())
}

/// Host and port that the config of CLIProxyAPIPlus names; 8317 where it names none, because that
/// is where everybody looks for it.
fn own_address(recording: &Recording, folder: &Path) -> (String, u16) {
    let root = Root::new(folder);
    let reading = Reading {
        root: &root,
        fingerprinter: &Fingerprinter::fixed([7; 32]),
        // What the user of the recording could not read is not learnt.
        redactor: &Redactor::default(),
    };
    let run = recording.last_run("cliproxyapi_plus").unwrap();
    let written = flowgate::config::command::config_argument(&run.argv).unwrap();
    let path = folder.join(written.strip_prefix(&format!("{ROOT}/")).unwrap());
    let config = cliproxyapi::load(&path, &reading)
        .config
        .unwrap_or_default();
    let host = without_brackets(&config.host);
    let host = if host.is_empty() {
        "127.0.0.1".to_owned()
    } else {
        host
    };
    (host, config.port.unwrap_or(8317))
}

fn copy_all(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        if !entry.file_type().unwrap().is_file() {
            continue;
        }
        // `fs::copy` would take over that the recording is read-only.
        let text = crate::read_text(&entry.path());
        write(&copy, &text);
    }
}
