//! The line of `/proc/<pid>/stat`.

use crate::platform::ProcessStat;

/// Parses the line. The name stands in brackets and may hold brackets and blanks itself, so the
/// fields are counted after the last `)`.
pub fn parse(line: &[u8]) -> Option<ProcessStat> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(&line[..open])
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let name = String::from_utf8_lossy(line.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(&line[close + 1..]).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first field after the name is the third of the line.
    let field = |number: usize| fields.get(number - 3).copied();
    let number = |index: usize| field(index)?.parse::<u64>().ok();
    Some(ProcessStat {
        pid,
        name,
        state: field(3)?.chars().next()?,
        parent: field(4)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        start_time: number(22)?,
        cpu_ticks: number(14)?.saturating_add(number(15)?),
    })
}

/// The exit status, the 52nd and last field; it is 0 too for whoever may not see it.
pub fn exit_status(line: &[u8]) -> Option<i32> {
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(&line[close + 1..]).ok()?;
    rest.split_ascii_whitespace().nth(52 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_with_brackets_and_blanks_do_not_move_the_fields(
            pid in any::<u32>(), name in "[ -~\n]{1,15}", parent in 0u32..5_000_000,
            session in 0u32..5_000_000, start in any::<u64>(), cpu in 0u64..1_000_000,
        ) {
            let line = format!(
                "{pid} ({name}) S {parent} 7 {session} 0 -1 4194560 1 2 3 4 {cpu} 5 0 0 20 0 1 0 {start} 4 5 6\n"
            );
            prop_assert_eq!(parse(line.as_bytes()), Some(ProcessStat {
                pid, name, state: 'S', parent, session, start_time: start, cpu_ticks: cpu + 5,
            }));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
            exit_status(&bytes);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_no_process() {
        assert_eq!(parse(b"12 (a) S 1 1 1"), None);
        assert_eq!(parse(b") 12 ("), None);
        assert_eq!(parse(b""), None);
    }
}
