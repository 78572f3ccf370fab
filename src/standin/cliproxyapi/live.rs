//! The config of a running stand-in: reloaded when its file is written in place, and never again
//! once the file was replaced by another (`facts/cliproxyapi.md` 8.4).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Mutex;

use super::config::Config;
use super::edition::Edition;
use crate::standin::scene::Scene;
use crate::sys::read;

/// The config in force, and the file that it is watched by.
pub(super) struct LiveConfig {
    path: PathBuf,
    shown: String,
    edition: Edition,
    scene: Scene,
    /// None once the watch is lost.
    inode: Option<u64>,
    state: Mutex<State>,
}

struct State {
    config: Config,
    bytes: Vec<u8>,
}

impl LiveConfig {
    pub fn new(
        path: PathBuf,
        shown: String,
        config: Config,
        edition: Edition,
        scene: &Scene,
    ) -> Self {
        Self {
            inode: fs::metadata(&path).ok().map(|metadata| metadata.ino()),
            state: Mutex::new(State {
                config,
                bytes: bytes_of(&path),
            }),
            path,
            shown,
            edition,
            scene: scene.clone(),
        }
    }

    /// The config in force now. Host and port are never bound anew.
    pub fn current(&self) -> Option<Config> {
        let mut state = self.state.lock().ok()?;
        let inode = fs::metadata(&self.path).ok().map(|metadata| metadata.ino());
        if inode.is_some() && inode == self.inode {
            self.reload(&mut state);
        }
        Some(state.config.clone())
    }

    fn reload(&self, state: &mut State) {
        let bytes = bytes_of(&self.path);
        if bytes == state.bytes {
            return;
        }
        let say = |level: &str, text: &str| {
            self.scene
                .console
                .out(&self.edition.log_line(level, "watcher.go:500", text));
        };
        say(
            "info",
            &format!("config file changed, reloading: {}", self.shown),
        );
        match Config::load(&self.path, &self.shown, self.edition, &self.scene) {
            Ok(config) => {
                state.config = config;
                say(
                    "info",
                    "config successfully reloaded, triggering client reload",
                );
            }
            Err(error) => say("error", &format!("failed to reload config: {error}")),
        }
        // Loading may have replaced a plain secret by its hash.
        state.bytes = bytes_of(&self.path);
    }
}

fn bytes_of(path: &std::path::Path) -> Vec<u8> {
    read::whole(path, 1024 * 1024).unwrap_or_default()
}
