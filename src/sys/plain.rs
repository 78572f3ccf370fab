//! Foreign text made plain: one line, no control characters, bounded.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Terminal sequences. Examples: `\x1b[31m` (colour), `\x1b]0;title\x07` (title), `\x1b(B` (charset).
static SEQUENCES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])",
    )
    .ok()
});

/// The text as one line without terminal sequences. Every other control character, also those that
/// turn the reading direction or break lines in some viewers, is shown as `\u{fffd}`; a tab is a blank.
pub fn one_line(text: &str) -> String {
    let text = match &*SEQUENCES {
        Some(sequences) if text.contains('\u{1b}') => sequences.replace_all(text, ""),
        _ => text.into(),
    };
    text.trim_end_matches(['\r', '\n'])
        .chars()
        .map(|char| match char {
            '\t' => ' ',
            char if is_treacherous(char) => char::REPLACEMENT_CHARACTER,
            char => char,
        })
        .collect()
}

fn is_treacherous(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// At most `limit` characters; what was cut off shows as `…`.
pub fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => {
            let mut out: String = text.chars().take(limit.saturating_sub(1)).collect();
            out.push('…');
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_go_and_control_characters_cannot_act() {
        assert_eq!(
            one_line("\u{1b}[32mINFO\u{1b}[0m:     up\r\n"),
            "INFO:     up"
        );
        assert_eq!(one_line("a\u{1b}]0;title\u{7}b"), "ab");
        assert_eq!(one_line("ok\rERROR"), "ok\u{fffd}ERROR");
        assert_eq!(one_line("a\u{202e}b\tc"), "a\u{fffd}b c");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("한국어", 3), "한국어");
    }

    proptest! {
        #[test]
        fn what_comes_out_is_one_plain_line(text in "(\u{1b}|\\[|\\]|[0-9;]|m|\u{7}|[^a]){0,60}", limit in 1usize..50) {
            let plain = one_line(&text);
            prop_assert!(!plain.chars().any(is_treacherous));
            prop_assert!(cut(&plain, limit).chars().count() <= limit);
        }
    }
}
