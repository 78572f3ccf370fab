//! What `flowgate doctor --bundle` says about the file that it wrote.

use std::fmt::Write;
use std::path::Path;

use crate::doctor::left_out::LeftOut;

/// Places that are named of each kind; the rest is counted.
const NAMED: usize = 6;

/// The lines on a bundle: where it is, and what was left out of it and where.
pub fn words(path: &Path, left_out: &LeftOut) -> String {
    let mut text = format!(
        "bundle {} written, mode 600; no secret that flowgate knows is in it\n",
        path.display()
    );
    for (places, what) in [
        (&left_out.fingerprints, "stand as fingerprints"),
        (&left_out.cuts, "have a part cut out"),
    ] {
        if places.is_empty() {
            continue;
        }
        // Writing to a String never fails.
        let _ = writeln!(text, "  {} {what}:", places.len());
        for place in places.iter().take(NAMED) {
            let _ = writeln!(text, "    {place}");
        }
        if places.len() > NAMED {
            let _ = writeln!(text, "    and {} more", places.len() - NAMED);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_up_to_a_bound_and_then_counted() {
        let left_out = LeftOut {
            fingerprints: (0..9).map(|n| format!("place{n}")).collect(),
            cuts: Vec::new(),
        };
        let text = words(Path::new("out.json"), &left_out);
        assert!(text.contains("9 stand as fingerprints:"), "{text}");
        assert!(text.contains("    place5\n    and 3 more\n"), "{text}");
        assert!(!text.contains("cut out"), "{text}");
    }
}
