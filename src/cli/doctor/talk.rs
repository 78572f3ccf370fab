//! The person at a terminal: what is asked of them, and what they are told meanwhile.

use owo_colors::OwoColorize;

use crate::cli::progress::Progress;
use crate::cli::{output, question};
use crate::repair::{Offer, Talk};

/// The person at a terminal, or nobody.
pub struct Terminal {
    is_there: bool,
    shows_progress: bool,
    progress: Option<Progress>,
}

impl Terminal {
    /// Somebody is there when questions can be read and answered; `is_wanted` is false for programs.
    /// A quiet one is asked, and told nothing meanwhile.
    pub fn new(is_wanted: bool, is_quiet: bool) -> Self {
        Self {
            is_there: is_wanted && question::can_be_asked(),
            shows_progress: !is_quiet,
            progress: None,
        }
    }
}

impl Talk for Terminal {
    fn can_answer(&self) -> bool {
        self.is_there
    }

    fn agrees(&mut self, offers: &[Offer]) -> bool {
        self.progress = None;
        for offer in offers {
            output::errors(&format!(
                "\n  {}     {}\n  {}  {}\n{}",
                "why".dimmed(),
                offer.why,
                "change".dimmed(),
                offer.what.bold(),
                indented(&offer.diff)
            ));
        }
        question::agrees("apply it?")
    }

    fn note(&mut self, what: &str) {
        let progress = self
            .progress
            .get_or_insert_with(|| Progress::of("repair", self.shows_progress));
        progress.note(what.to_owned());
    }
}

fn indented(diff: &str) -> String {
    diff.lines().map(|line| format!("    {line}\n")).collect()
}
