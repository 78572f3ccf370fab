//! Small tables for people.

use owo_colors::OwoColorize;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use super::output;
use crate::sys::plain;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Fine.
    Good,
    /// Broken.
    Bad,
    /// Nobody knows yet.
    Unproven,
    /// Off, as it should be.
    Off,
}

/// A coloured symbol, in ASCII where the locale is not UTF-8.
pub fn mark(mark: Mark) -> String {
    let is_utf8 = output::is_utf8();
    let pick = |symbol: &'static str, ascii: &'static str| if is_utf8 { symbol } else { ascii };
    match mark {
        Mark::Good => pick("✓", "ok").green().bold().to_string(),
        Mark::Bad => pick("✗", "x").red().bold().to_string(),
        Mark::Unproven => "~".yellow().bold().to_string(),
        Mark::Off => pick("–", "-").dimmed().to_string(),
    }
}

/// A table without lines, its heads dimmed.
pub fn table<const N: usize>(heads: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut builder = Builder::default();
    builder.push_record(heads.map(|head| head.dimmed().to_string()));
    for row in rows {
        builder.push_record(row);
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    let text = table.to_string();
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// Text of a config or a record as one harmless line.
pub fn plain(text: &str) -> String {
    plain::one_line(text)
}
