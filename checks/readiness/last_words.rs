//! The line of a log that says why a program ended (`facts/litellm.md` 10, `facts/cliproxyapi.md` 6.2).

use crate::logs;
use crate::state::View;

/// Most characters of a line that are shown.
const SHOWN: usize = 200;

/// What a program said last.
pub enum LastWords {
    /// A line that is known to say why it ended.
    Deciding {
        /// The line, shortened.
        line: String,
        /// The log.
        path: String,
    },
    /// The last error, else the last line; what it has to do with the end is not known.
    Unexplained {
        /// The line, shortened.
        line: String,
        /// The log.
        path: String,
    },
}

impl LastWords {
    /// The line.
    pub fn line(&self) -> &str {
        match self {
            Self::Deciding { line, .. } | Self::Unexplained { line, .. } => line,
        }
    }

    /// The log.
    pub fn path(&self) -> &str {
        match self {
            Self::Deciding { path, .. } | Self::Unexplained { path, .. } => path,
        }
    }
}

/// What a service said last in its log since its last start; none when it said nothing.
pub fn last_words(view: View<'_>) -> Option<LastWords> {
    let log = view.service.log.known()?;
    let path = log.path.clone();
    let deciding = match view.had_served() {
        false => logs::deciding(view.service.kind, &log.lines),
        true => logs::crash(view.service.kind, &log.lines),
    };
    if let Some(line) = deciding {
        let line = shorten(line);
        return Some(LastWords::Deciding { line, path });
    }
    let line = shorten(logs::unexplained(&log.lines)?);
    Some(LastWords::Unexplained { line, path })
}

fn shorten(line: &str) -> String {
    let line = line.trim();
    if line.chars().count() <= SHOWN {
        return line.to_owned();
    }
    let head: String = line.chars().take(SHOWN).collect();
    format!("{head} …")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::Snapshot;

    #[test]
    fn the_source_that_a_traceback_quotes_decides_nothing() {
        let mut value = serde_json::to_value(Snapshot::new(Timestamp::UNIX_EPOCH)).unwrap();
        value["services"]["litellm"] = serde_json::json!({
            "kind": "litellm",
            "settings": {
                "host": "127.0.0.1", "port": 4000, "readinessPath": "/", "args": [], "cwd": ".",
                "readyTimeoutSeconds": 120
            },
            "wanted": { "running": true },
            "log": { "known": { "path": "a.log", "lines": [
                "    raise Exception(f\"Config file not found: {file_path}\")",
                "Exception: Config file not found: /gw/config/litellm.yaml"
            ] } }
        });
        let snapshot: Snapshot = serde_json::from_value(value).unwrap();
        let view = crate::state::services(&snapshot).next().unwrap();
        let words = last_words(view).unwrap();
        assert!(matches!(&words, LastWords::Deciding { .. }));
        assert_eq!(
            words.line(),
            "Exception: Config file not found: /gw/config/litellm.yaml"
        );
    }
}
