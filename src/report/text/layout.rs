//! Lines, labels, wrapping and symbols.

use flowgate_checks::model::Severity;
use owo_colors::OwoColorize;
use unicode_width::UnicodeWidthStr;

/// How a report is laid out.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns of the terminal; none when it is no terminal, and then nothing is wrapped.
    pub width: Option<usize>,
    /// Whether the locale is UTF-8.
    pub unicode: bool,
    /// Whether effects are shown in full.
    pub explained: bool,
}

/// Columns before the text of a labelled line: two of indent, seven of label.
const LABEL_INDENT: usize = 2;
const LABEL_WIDTH: usize = 7;

/// A page that grows line by line.
pub struct Page<'a> {
    options: &'a Options,
    out: String,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            out: String::new(),
        }
    }

    /// The text, ending in one line break.
    pub fn finish(self) -> String {
        self.out
    }

    /// The layout.
    pub fn options(&self) -> &Options {
        self.options
    }

    /// One line as it is.
    pub fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.out.push('\n');
    }

    /// A paragraph behind a mark, wrapped to the terminal with a hanging indent.
    pub fn marked(&mut self, mark: &str, text: &str, style: fn(&str) -> String) {
        let hang = width(mark) + 1;
        for (index, line) in self.wrap(text, hang).into_iter().enumerate() {
            let start = if index == 0 {
                format!("{} ", style(mark))
            } else {
                " ".repeat(hang)
            };
            self.line(&format!("{start}{}", bold(&line)));
        }
    }

    /// A labelled paragraph, wrapped; an empty label continues the one above.
    pub fn labelled(&mut self, label: &str, text: &str) {
        for (index, line) in self
            .wrap(text, LABEL_INDENT + LABEL_WIDTH)
            .into_iter()
            .enumerate()
        {
            self.labelled_line(if index == 0 { label } else { "" }, &line);
        }
    }

    /// A labelled line that is never broken, because somebody pastes it.
    pub fn labelled_line(&mut self, label: &str, text: &str) {
        let label = format!("{label:LABEL_WIDTH$}");
        let line = format!("{:LABEL_INDENT$}{}{text}", "", dim(&label));
        self.line(line.trim_end());
    }

    /// Whether a labelled text of so many columns fits into one line.
    pub fn fits(&self, columns: usize) -> bool {
        self.options
            .width
            .is_none_or(|width| LABEL_INDENT + LABEL_WIDTH + columns <= width)
    }

    fn wrap(&self, text: &str, hang: usize) -> Vec<String> {
        match self.options.width {
            Some(width) => wrap(text, width.saturating_sub(hang).max(20)),
            None => vec![text.to_owned()],
        }
    }

    /// The symbol of a severity.
    pub fn mark(&self, severity: Severity) -> &'static str {
        match (severity, self.options.unicode) {
            (Severity::Error, true) => "✗",
            (Severity::Error, false) => "x",
            (Severity::Warning, _) => "!",
            (Severity::Info, _) => "i",
        }
    }

    /// One of two spellings, by the locale.
    pub fn pick<'t>(&self, unicode: &'t str, ascii: &'t str) -> &'t str {
        if self.options.unicode { unicode } else { ascii }
    }
}

/// Columns that a text takes; Korean and other wide letters take two.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text padded to so many columns.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Red, for what is broken.
pub fn red(text: &str) -> String {
    text.red().bold().to_string()
}

/// Yellow, for what will break.
pub fn yellow(text: &str) -> String {
    text.yellow().bold().to_string()
}

/// Green, for what is fine.
pub fn green(text: &str) -> String {
    text.green().bold().to_string()
}

/// Cyan, for commands and paths.
pub fn cyan(text: &str) -> String {
    text.cyan().to_string()
}

/// Dim, for what is read last.
pub fn dim(text: &str) -> String {
    text.dimmed().to_string()
}

/// Bold, for what is read first.
pub fn bold(text: &str) -> String {
    text.bold().to_string()
}

/// The style of a severity.
pub fn style(severity: Severity) -> fn(&str) -> String {
    match severity {
        Severity::Error => red,
        Severity::Warning => yellow,
        Severity::Info => cyan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(width("포트"), 4);
        assert_eq!(pad("포트", 6), "포트  ");
        assert_eq!(wrap("포트 포트 포트", 9), ["포트 포트", "포트"]);
        assert_eq!(wrap("", 9), [""]);
    }
}
