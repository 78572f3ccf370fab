//! The end of a log: bounded, plain and redacted; what it says is data, never trusted.

use std::path::Path;

use flowgate_checks::model::{LogTail, Observed, Unknown};
use flowgate_checks::shell;

use crate::sys::place::Root;
use crate::sys::plain;
use crate::sys::read::ReadError;
use crate::sys::redact::Redactor;
use crate::sys::rotated;

/// At most so many bytes of the end are read.
const BYTES: u64 = 256 * 1024;

/// At most so many lines are kept.
const LINES: usize = 400;

/// At most so many characters of a line are kept.
const LINE: usize = 400;

/// So many bytes of a line are searched for secrets: no secret that begins in the part
/// that is kept is longer.
const SEARCHED: usize = 16 * 1024;

/// The end of a log since the offset; a log that is not there has no lines.
pub fn tail(path: &Path, offset: u64, root: &Root, redactor: &Redactor) -> Observed<LogTail> {
    let shown = root.show(path);
    match rotated::tail(path, offset, BYTES) {
        Ok((bytes, cut)) => Observed::Known(interpret(&bytes, cut, shown, redactor)),
        Err(ReadError::Missing) => Observed::Known(LogTail {
            path: shown,
            ..LogTail::default()
        }),
        Err(error) => Observed::Unknown(Unknown {
            why: format!("{shown}: {error}"),
            command: Some(format!(
                "tail {}",
                shell::quote(&path.display().to_string())
            )),
        }),
    }
}

/// The lines of the last bytes of a log; `cut` says that they begin in the middle.
pub fn interpret(bytes: &[u8], cut: bool, path: String, redactor: &Redactor) -> LogTail {
    let bytes = if cut {
        // Half a line may begin with half a secret, which nobody would recognise.
        match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => &bytes[end + 1..],
            None => &[],
        }
    } else {
        bytes
    };
    let lines: Vec<&[u8]> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
        .collect();
    let kept = &lines[lines.len().saturating_sub(LINES)..];
    LogTail {
        path,
        lines: kept.iter().map(|line| clean(line, redactor)).collect(),
        cut: cut || kept.len() < lines.len(),
    }
}

/// Colours go first, because they may stand inside a secret; then secrets, then what is too long.
fn clean(line: &[u8], redactor: &Redactor) -> String {
    let line = &line[..line.len().min(SEARCHED)];
    let plain = plain::one_line(&String::from_utf8_lossy(line));
    plain::cut(&redactor.clean(&plain), LINE)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make the files that are read"
)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    fn look(path: &Path, offset: u64) -> LogTail {
        let root = Root::new(path.parent().unwrap());
        tail(path, offset, &root, &Redactor::default())
            .known()
            .unwrap()
            .clone()
    }

    #[test]
    fn only_lines_since_the_start_count_and_a_rotated_file_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("litellm.log");
        fs::write(&log, "old run\nnew run\n").unwrap();
        let read = look(&log, 8);
        assert_eq!(read.path, "litellm.log");
        assert_eq!(read.lines, ["new run"]);
        assert!(!read.cut);
        assert_eq!(look(&log, 4096).lines, ["old run", "new run"]);
        assert_eq!(look(&dir.path().join("gone.log"), 0).lines, [""; 0]);
    }

    #[test]
    fn long_logs_are_cut_at_a_line_and_say_so() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("a.log");
        let text: String = (0..20_000).map(|n| format!("line number {n}\n")).collect();
        fs::write(&log, &text).unwrap();
        let read = look(&log, 0);
        assert_eq!(read.lines.len(), LINES);
        assert_eq!(read.lines[LINES - 1], "line number 19999");
        assert!(read.cut);
        fs::write(&log, "x".repeat(300 * 1024)).unwrap();
        assert_eq!(look(&log, 0).lines, [""; 0]);
    }

    #[test]
    fn colours_secrets_and_control_characters_are_taken_out() {
        let redactor = Redactor::default();
        redactor.learn(&SecretString::from("lab-master-0001"));
        let log =
            b"\x1b[31mERROR\x1b[0m key lab-\x1b[1mmaster-0001 refused\r\n\xff\xfe\x07 bytes\n";
        let read = interpret(log, false, "a".into(), &redactor);
        assert_eq!(
            read.lines,
            [
                "ERROR key [redacted] refused",
                "\u{fffd}\u{fffd}\u{fffd} bytes"
            ]
        );
    }

    #[test]
    fn what_is_no_file_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        for path in [fifo.as_path(), dir.path()] {
            let read = tail(path, 0, &root, &Redactor::default());
            assert!(read.why_unknown().is_some(), "{}", path.display());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_bounded_plain_lines(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(0x1b)], 0..600),
            cut in any::<bool>(),
        ) {
            let read = interpret(&bytes, cut, "a".into(), &Redactor::default());
            prop_assert!(read.lines.len() <= LINES);
            for line in &read.lines {
                prop_assert!(line.chars().count() <= LINE);
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
