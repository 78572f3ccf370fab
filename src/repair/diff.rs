//! What a plan would change in a text, as a unified diff, with its secrets hidden.

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Beyond so many pairs of lines the middle of a change is shown as a whole.
const LARGEST: usize = 4_000_000;

/// One line of an edit script.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    Keep(usize, usize),
    Remove(usize),
    Add(usize),
}

/// A text before or after, and the same as it may be shown: both have the same lines.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// The text; none when the file is not there.
    pub text: Option<&'a str>,
    /// As it may be shown.
    pub shown: &'a str,
}

/// The unified diff of a file; none when nothing differs.
pub fn unified(path: &str, old: Sides<'_>, new: Sides<'_>) -> Option<String> {
    let (before, after) = (lines(old.text.unwrap_or("")), lines(new.text.unwrap_or("")));
    let (old_shown, new_shown) = (lines(old.shown), lines(new.shown));
    let ops = script(&before, &after);
    let changed: Vec<usize> = (0..ops.len())
        .filter(|at| !matches!(ops[*at], Op::Keep(..)))
        .collect();
    if changed.is_empty() {
        return None;
    }
    let name = |is_there: bool, side: &str| match is_there {
        true => format!("{side}/{}", path.trim_start_matches('/')),
        false => "/dev/null".to_owned(),
    };
    let mut out = format!(
        "--- {}\n+++ {}\n",
        name(old.text.is_some(), "a"),
        name(new.text.is_some(), "b")
    );
    let mut at = 0;
    while at < changed.len() {
        let first = changed[at].saturating_sub(CONTEXT);
        let mut last = changed[at];
        while at + 1 < changed.len() && changed[at + 1] - last <= 2 * CONTEXT {
            at += 1;
            last = changed[at];
        }
        at += 1;
        let end = (last + CONTEXT + 1).min(ops.len());
        hunk(&ops, first..end, &old_shown, &new_shown, &mut out);
    }
    Some(out)
}

fn hunk(ops: &[Op], range: std::ops::Range<usize>, old: &[&str], new: &[&str], out: &mut String) {
    let count = |ops: &[Op]| {
        let old = ops.iter().filter(|op| !matches!(op, Op::Add(_))).count();
        let new = ops.iter().filter(|op| !matches!(op, Op::Remove(_))).count();
        (old, new)
    };
    let (old_before, new_before) = count(&ops[..range.start]);
    let (old_here, new_here) = count(&ops[range.clone()]);
    let start = |before: usize, here: usize| if here == 0 { before } else { before + 1 };
    out.push_str(&format!(
        "@@ -{},{old_here} +{},{new_here} @@\n",
        start(old_before, old_here),
        start(new_before, new_here)
    ));
    for op in &ops[range] {
        let (mark, line) = match op {
            Op::Keep(old_line, _) => (' ', old.get(*old_line)),
            Op::Remove(line) => ('-', old.get(*line)),
            Op::Add(line) => ('+', new.get(*line)),
        };
        let line = line.copied().unwrap_or_default();
        out.push(mark);
        out.push_str(line.trim_end_matches('\r'));
        out.push('\n');
    }
}

fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() {
        Vec::new()
    } else {
        text.split('\n').collect()
    }
}

/// The shortest edit script, between the common beginning and the common end.
fn script(old: &[&str], new: &[&str]) -> Vec<Op> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = rest.take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let mut ops: Vec<Op> = (0..head).map(|at| Op::Keep(at, at)).collect();
    middle(old, new, head..old_end, head..new_end, &mut ops);
    ops.extend((0..tail).map(|at| Op::Keep(old_end + at, new_end + at)));
    ops
}

fn middle(
    old: &[&str],
    new: &[&str],
    olds: std::ops::Range<usize>,
    news: std::ops::Range<usize>,
    ops: &mut Vec<Op>,
) {
    let (height, width) = (olds.len(), news.len());
    if height.saturating_mul(width) > LARGEST {
        ops.extend(olds.map(Op::Remove));
        ops.extend(news.map(Op::Add));
        return;
    }
    // Lengths of the longest common rests.
    let mut common = vec![vec![0u32; width + 1]; height + 1];
    for row in (0..height).rev() {
        for column in (0..width).rev() {
            common[row][column] = if old[olds.start + row] == new[news.start + column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < height || column < width {
        let is_same =
            row < height && column < width && old[olds.start + row] == new[news.start + column];
        if is_same {
            ops.push(Op::Keep(olds.start + row, news.start + column));
            row += 1;
            column += 1;
        } else if column == width
            || (row < height && common[row + 1][column] >= common[row][column + 1])
        {
            ops.push(Op::Remove(olds.start + row));
            row += 1;
        } else {
            ops.push(Op::Add(news.start + column));
            column += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(old: &str, new: &str) -> Option<String> {
        let side = |text| Sides {
            text: Some(text),
            shown: text,
        };
        unified("config/a.yaml", side(old), side(new))
    }

    #[test]
    fn a_change_has_its_lines_around_it() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(of(old, old), None);
        assert_eq!(
            of(old, &old.replace('5', "five")).unwrap(),
            "--- a/config/a.yaml\n+++ b/config/a.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
        assert_eq!(
            of("a\nb\n", "a\nx\nb\ny\n").unwrap(),
            "--- a/config/a.yaml\n+++ b/config/a.yaml\n@@ -1,2 +1,4 @@\n a\n+x\n b\n+y\n"
        );
        assert_eq!(
            of("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n2\n3\n4\n5\n6\n7\n8\n0\n")
                .unwrap()
                .matches("@@ -")
                .count(),
            2
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_nothing() {
        let side = |text| Sides { text, shown: "" };
        let new = Sides {
            text: Some("a\n"),
            shown: "a\n",
        };
        let diff = unified("/x/a", side(None), new).unwrap();
        assert_eq!(diff, "--- /dev/null\n+++ b/x/a\n@@ -0,0 +1,1 @@\n+a\n");
    }

    #[test]
    fn what_is_shown_is_the_masked_text() {
        let old = Sides {
            text: Some("key: one\n"),
            shown: "key: [redacted]\n",
        };
        let new = Sides {
            text: Some("key: two\n"),
            shown: "key: [redacted]\n",
        };
        let diff = unified("a", old, new).unwrap();
        assert!(
            diff.ends_with("-key: [redacted]\n+key: [redacted]\n"),
            "{diff}"
        );
    }
}
