//! Every `flowgate …` that a document shows exists: its subcommands and its flags.

use clap::{Command, CommandFactory};
use flowgate::cli::Cli;

use crate::pages;

#[test]
fn every_command_that_a_document_shows_exists() {
    let mut whole = Cli::command();
    whole.build();
    let mut faults = Vec::new();
    let mut seen = 0;
    for page in pages::all() {
        for shown in shown(&page.text).into_iter().chain(tabled(&page.text)) {
            seen += 1;
            if let Err(why) = exists(&whole, shown) {
                faults.push(format!("{}: {shown}: {why}", page.path.display()));
            }
        }
    }
    assert!(seen > 40, "{seen}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What stands behind the name of the program, in code spans and code blocks.
fn shown(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            let line = line.trim().trim_start_matches("$ ");
            found.extend(line.strip_prefix("flowgate "));
        } else {
            let spans = line.split('`').skip(1).step_by(2);
            found.extend(spans.filter_map(|span| span.strip_prefix("flowgate ")));
        }
    }
    found
}

/// What the table of the README shows in its first column, without the name of the program.
fn tabled(text: &str) -> Vec<&str> {
    let Some((_, rest)) = text.split_once("| command | does |\n") else {
        return Vec::new();
    };
    let rows = rest.lines().take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|span| span.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect()
}

/// Placeholders and values pass; a name of a subcommand or a flag that is not there does not.
fn exists(whole: &Command, shown: &str) -> Result<(), String> {
    let mut command = whole;
    let mut takes_value = false;
    for word in shown.split_whitespace() {
        if ["|", "||", "&&", ">", "#"].contains(&word) {
            break;
        }
        if std::mem::take(&mut takes_value) {
            continue;
        }
        let word = word.trim_matches(['[', ']', '…', '"', ';', ',']);
        if let Some(flag) = word.strip_prefix("--") {
            let (name, value) = flag
                .split_once('=')
                .map_or((flag, None), |(n, v)| (n, Some(v)));
            let known = command
                .get_arguments()
                .find(|argument| argument.get_long() == Some(name))
                .ok_or_else(|| format!("no flag --{name}"))?;
            takes_value = value.is_none() && known.get_action().takes_values();
        } else if command.has_subcommands() && is_name(word) {
            command = command
                .find_subcommand(word)
                .ok_or_else(|| format!("no command {word}"))?;
        }
    }
    Ok(())
}

/// Whether a word is the name of a command, rather than a placeholder or a text.
fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

#[test]
fn a_command_that_is_not_there_is_noticed() {
    let mut whole = Cli::command();
    whole.build();
    assert!(exists(&whole, "--config x.yaml service start all").is_ok());
    assert!(exists(&whole, "doctor --wait 60s > doctor.txt").is_ok());
    assert!(exists(&whole, "doctor --wiat 60s").is_err());
    assert!(exists(&whole, "service begin all").is_err());
}
