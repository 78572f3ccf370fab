//! `checksums.txt` of a release: the form of `sha256sum` (facts/cliproxyapi.md 7.3).

use std::collections::BTreeMap;

use super::digest::is_digest;

/// Names of archives with their SHA-256 in lower-case hex; lines of another form are left out.
pub fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let (digest, name) = line.trim().split_once(char::is_whitespace)?;
            let name = name.trim().trim_start_matches('*');
            let is_name = !name.is_empty() && !name.contains(['/', '\\']) && !name.contains(' ');
            (is_digest(digest) && is_name).then(|| (name.to_owned(), digest.to_ascii_lowercase()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_both_forms_are_read_and_others_left_out() {
        let digest = "A".repeat(64);
        let text = format!(
            "{digest}  one.tar.gz\n{digest} *two.tar.gz\nabc  x\n\n{digest}  ../up\n<html>\n"
        );
        let sums = parse(&text);
        assert_eq!(
            sums.keys().collect::<Vec<_>>(),
            ["one.tar.gz", "two.tar.gz"]
        );
        assert_eq!(sums["one.tar.gz"], "a".repeat(64));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,200}") {
            let sums = parse(&text);
            prop_assert!(sums.values().all(|digest| is_digest(digest)));
        }
    }
}
