//! Did you mean: the known key that is close to an unknown one.

use crate::model::ConfigFile;

/// The known word that is closest to `word`, when one is close enough to be meant.
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // A long key is no typing error, and its distance would cost.
    if word.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    known
        .iter()
        .map(|candidate| (distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The key at the top of a config that may be meant for one that it lacks: `api_keys` for `api-keys`.
/// Both programs ignore a key that they do not know.
pub fn misspelt<'a>(config: &'a ConfigFile, key: &str) -> Option<&'a str> {
    config
        .entries
        .keys()
        .map(String::as_str)
        .filter(|found| !found.contains(['.', '[']))
        .find(|found| *found != key && closest(found, &[key]).is_some())
}

/// Edits from one word to the other: insert, delete, replace, or swap two neighbours.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (above[j] + usize::from(a != b))
                .min(above[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_typing_error_finds_its_key_and_another_word_finds_none() {
        let known = ["readiness_path", "host", "port", "command"];
        assert_eq!(closest("readines_path", &known), Some("readiness_path"));
        assert_eq!(closest("readiness-path", &known), Some("readiness_path"));
        assert_eq!(closest("prot", &known), Some("port"));
        assert_eq!(closest("comand", &known), Some("command"));
        assert_eq!(closest("description", &known), None);
        assert_eq!(closest("", &known), None);
    }
}
