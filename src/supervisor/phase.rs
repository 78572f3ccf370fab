//! What a starting LiteLLM is doing, by its log (facts/litellm.md section 5).

use std::path::PathBuf;

use crate::sys::rotated;

/// So much of what was written since the last look is searched; a start writes less.
const WINDOW: u64 = 64 * 1024;

/// The lines that tell a phase, the latest first, and its words.
const PHASES: [(&str, &str); 2] = [
    ("Application startup complete", "opening its port"),
    ("Started server process", "starting application"),
];

/// Before its first line nothing but Python is at work.
pub const FIRST: &str = "loading modules";

/// Follows a log from the offset at which a run began.
pub struct PhaseLog {
    path: PathBuf,
    offset: u64,
    reached: Option<&'static str>,
}

impl PhaseLog {
    /// Follows this log.
    pub fn new(path: PathBuf, offset: u64) -> Self {
        Self {
            path,
            offset,
            reached: None,
        }
    }

    /// The phase that was reached since the last look, when it is another.
    pub fn look(&mut self) -> Option<&'static str> {
        let (bytes, _) = rotated::tail(&self.path, self.offset, WINDOW).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let (_, words) = PHASES.iter().find(|(line, _)| text.contains(line))?;
        let is_new = self.reached != Some(words);
        self.reached = Some(words);
        is_new.then_some(words)
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test makes the log that is read"
)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_is_told_once_and_earlier_runs_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("litellm.log");
        let before = "INFO:     Application startup complete.\n";
        std::fs::write(&path, before).unwrap();
        let mut log = PhaseLog::new(path.clone(), before.len() as u64);
        assert_eq!(log.look(), None);
        let started = format!("{before}INFO:     Started server process [1]\n");
        std::fs::write(&path, &started).unwrap();
        assert_eq!(log.look(), Some("starting application"));
        assert_eq!(log.look(), None);
        std::fs::write(&path, format!("{started}{before}")).unwrap();
        assert_eq!(log.look(), Some("opening its port"));
    }
}
