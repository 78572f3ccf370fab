//! Which distribution of Linux this is.

use std::path::Path;

use super::read;

/// Nobody writes more about a system, in bytes.
const LARGEST: u64 = 64 << 10;

/// `ID` of os-release, then those of `ID_LIKE`, separated by blanks: `debian`, `ubuntu debian`.
pub fn look() -> Option<String> {
    ["/etc/os-release", "/usr/lib/os-release"]
        .into_iter()
        .find_map(|path| read::whole(Path::new(path), LARGEST).ok())
        .and_then(|bytes| named(&String::from_utf8_lossy(&bytes)))
}

fn named(text: &str) -> Option<String> {
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let found = lines.rfind(|(name, _)| name.trim() == key);
        found.map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
    };
    let id = value("ID")?;
    let names = match value("ID_LIKE") {
        Some(like) => format!("{id} {like}"),
        None => id,
    };
    // It is shown: plain words only.
    let is_plain = |word: &&str| {
        word.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let words: Vec<&str> = names.split_whitespace().filter(is_plain).take(8).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_named_with_those_that_it_is_like() {
        assert_eq!(
            named("NAME=\"Debian\"\nID=debian\n").as_deref(),
            Some("debian")
        );
        assert_eq!(
            named("ID='rocky'\nID_LIKE=\"rhel centos fedora\"\n").as_deref(),
            Some("rocky rhel centos fedora")
        );
        assert_eq!(named("NAME=x\n"), None);
        assert_eq!(named("ID=$(reboot)\n"), None);
    }
}
