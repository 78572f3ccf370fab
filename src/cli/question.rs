//! A question to the person at the terminal.

use std::io::{self, BufRead, IsTerminal};

use super::output;

/// Whether somebody is there who can read a question and answer it.
pub fn can_be_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on stderr, and gives whether the answer is yes; anything else is no, the end of stdin too.
pub fn agrees(question: &str) -> bool {
    output::errors(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
