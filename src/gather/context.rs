//! What every probe of a look shares.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::sys::fingerprint::Fingerprinter;
use crate::sys::place::Root;
use crate::sys::redact::Redactor;
use crate::sys::users::Users;

/// What every probe of a look shares.
pub struct Context {
    /// How paths are shown.
    pub root: Root,
    /// The folder in which flowgate was called.
    pub cwd: PathBuf,
    /// Where flowgate keeps its own keys: `secrets` beside the runtime dir.
    pub secrets_dir: PathBuf,
    /// Makes the fingerprints.
    pub fingerprinter: Fingerprinter,
    /// Learns every secret that is read.
    pub redactor: Arc<Redactor>,
    /// Names of users and groups.
    pub users: Users,
}

impl Context {
    /// The context of a look at the gateway of a root.
    pub fn new(root: Root, cwd: PathBuf, fingerprint_key: &Path) -> Self {
        Self {
            secrets_dir: fingerprint_key
                .parent()
                .unwrap_or(Path::new("/"))
                .to_owned(),
            fingerprinter: Fingerprinter::load(fingerprint_key),
            redactor: Arc::new(Redactor::default()),
            users: Users::load(),
            root,
            cwd,
        }
    }

    /// A path as the snapshot writes it.
    pub fn show(&self, path: &Path) -> String {
        self.root.show(path)
    }
}
