//! A log stays small while its service writes it, and no line is lost.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use flowgate::supervisor::rotate::Rotation;
use flowgate::sys::rotated::{self, Cut, Rotated};

use crate::house::{FLOWGATE, House, read, wait_for};

/// Rotates often, so that there is much that could go wrong.
const SMALL: u64 = 1024 * 1024;

/// Writes numbered lines to a log as fast as it can, in the way a service does.
#[expect(clippy::disallowed_methods, reason = "a test starts what it needs")]
fn writer(log: &Path, lines: u64) -> Child {
    let out = OpenOptions::new().create(true).append(true).open(log);
    Command::new("seq")
        .args(["-f", "a line of a service, number %.0f", "1"])
        .arg(lines.to_string())
        .stdin(Stdio::null())
        .stdout(out.unwrap())
        .spawn()
        .unwrap()
}

/// Takes lines one after the other, in pieces that end with a line.
struct Tally {
    next: u64,
}

impl Tally {
    /// Takes what ends with a line, and leaves the beginning of the next one.
    fn take_lines(&mut self, bytes: &mut Vec<u8>) {
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let rest = bytes.split_off(end.map_or(0, |end| end + 1));
        self.take(bytes);
        *bytes = rest;
    }

    fn take(&mut self, bytes: &[u8]) {
        assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "cut in a line");
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let expected = format!("a line of a service, number {}\n", self.next);
            assert!(
                line == expected.as_bytes(),
                "{:?} where {expected:?} was expected",
                String::from_utf8_lossy(&line[..line.len().min(80)])
            );
            self.next += 1;
        }
    }
}

fn all_of(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// What is left in a log.
fn rest_of(log: &Path) -> Vec<u8> {
    let opened = Rotated::open(log).unwrap();
    rotated::from_offset(&opened.file, opened.head, u64::MAX).unwrap()
}

#[test]
fn a_writer_at_full_speed_loses_no_line() {
    let lines = std::env::var("FLOWGATE_TEST_LINES").ok();
    let lines = lines.map_or(1_000_000, |lines| lines.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("a.log");
    let mut writer = writer(&log, lines);
    let rotation = Rotation::new(&log, SMALL);
    let mut tally = Tally { next: 1 };
    let (mut rotations, mut at) = (0, 0);
    loop {
        let has_ended = writer.try_wait().unwrap().is_some();
        while let Some(moved) = rotation.step().unwrap() {
            assert_eq!(moved.from, at);
            at = moved.to;
            tally.take(&all_of(&rotated::previous_of(&log)));
            rotations += 1;
        }
        if has_ended {
            break;
        }
    }
    tally.take(&rest_of(&log));
    assert_eq!(tally.next, lines + 1);
    let facts = log.metadata().unwrap();
    assert!(rotations >= 30, "{rotations} rotations");
    assert!(facts.len() > 30 * SMALL && facts.blocks() * 512 < 2 * SMALL);
    assert!(!rotated::note_of(&log).exists());
}

/// A log of some lines that was rotated once; gives where its head ends.
fn rotated_once(log: &Path) -> u64 {
    writer(log, 40_000).wait().unwrap();
    let moved = Rotation::new(log, SMALL).step().unwrap().unwrap();
    moved.to
}

#[test]
fn a_tail_goes_on_where_the_copy_ends_and_from_the_start_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("a.log");
    let to = rotated_once(&log);
    let (bytes, is_cut) = rotated::tail(&log, 0, u64::MAX).unwrap();
    let mut tally = Tally { next: 1 };
    tally.take(&bytes);
    assert_eq!((tally.next, is_cut), (40_001, false));

    // From an offset before the cut, after it, and bounded.
    assert_eq!(
        rotated::tail(&log, to - 10, 1 << 20).unwrap().0,
        bytes[to as usize - 10..]
    );
    assert_eq!(
        rotated::tail(&log, to + 10, 1 << 20).unwrap().0,
        bytes[to as usize + 10..]
    );
    let (bounded, is_cut) = rotated::tail(&log, 0, 4096).unwrap();
    assert_eq!(
        (bounded.as_slice(), is_cut),
        (&bytes[bytes.len() - 4096..], true)
    );

    // Without the copy only what is left can be told.
    std::fs::remove_file(rotated::previous_of(&log)).unwrap();
    let (left, is_cut) = rotated::tail(&log, 0, u64::MAX).unwrap();
    assert_eq!((left.as_slice(), is_cut), (&bytes[to as usize..], true));
}

#[test]
fn a_rotation_that_was_cut_short_is_finished_or_forgotten_and_reads_the_same() {
    for has_name in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("a.log");
        writer(&log, 40_000).wait().unwrap();
        let whole = all_of(&log);
        let to = whole[..SMALL as usize]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .unwrap()
            + 1;
        // As it is when the supervisor is killed before, or after, the copy has its name.
        let name = match has_name {
            true => rotated::previous_of(&log),
            false => rotated::with_ending(&log, ".1.new"),
        };
        File::create(&name)
            .unwrap()
            .write_all(&whole[..to])
            .unwrap();
        let cut = Cut {
            log: rotated::inode_at(&log).unwrap(),
            copy: rotated::inode_at(&name).unwrap(),
            to: to as u64,
        };
        let note = serde_json::to_vec(&cut).unwrap();
        File::create(rotated::note_of(&log))
            .unwrap()
            .write_all(&note)
            .unwrap();
        let left = if has_name { &whole[to..] } else { &whole[..] };
        assert_eq!(rest_of(&log), left);
        assert_eq!(rotated::tail(&log, 0, u64::MAX).unwrap().0, whole);

        // Larger than the log: only what was left over is looked after.
        assert_eq!(Rotation::new(&log, 1 << 30).step().unwrap(), None);
        assert_eq!(rest_of(&log), left);
        assert_eq!(rotated::tail(&log, 0, u64::MAX).unwrap().0, whole);
        assert!(!rotated::note_of(&log).exists());
        assert!(!rotated::with_ending(&log, ".1.new").exists());
        assert_eq!(log.metadata().unwrap().len(), whole.len() as u64);
    }
}

#[test]
fn a_note_on_another_log_or_copy_means_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("a.log");
    let to = rotated_once(&log);
    let left = rest_of(&log);
    let inode = |path: &Path| rotated::inode_at(path).unwrap();
    let copy = inode(&rotated::previous_of(&log));
    for cut in [
        Cut {
            log: inode(&log) + 1,
            copy,
            to: to + 1000,
        },
        Cut {
            log: inode(&log),
            copy: copy + 1,
            to: to + 1000,
        },
    ] {
        let note = serde_json::to_vec(&cut).unwrap();
        File::create(rotated::note_of(&log))
            .unwrap()
            .write_all(&note)
            .unwrap();
        assert_eq!(rest_of(&log), left);
        Rotation::new(&log, 1 << 30).step().unwrap();
        assert_eq!(rest_of(&log), left);
    }
}

#[test]
fn at_a_start_a_long_log_is_moved_and_a_short_one_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("a.log");
    let rotation = Rotation::new(&log, SMALL);
    rotation.at_start();
    assert!(!log.exists());
    rotated_once(&log);
    rotation.at_start();
    assert!(log.exists(), "what is left of it is short");
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(&vec![b'x'; SMALL as usize]).unwrap();
    let left = rest_of(&log);
    rotation.at_start();
    assert!(!log.exists());
    let mut moved = File::open(rotated::previous_of(&log)).unwrap();
    let head = rotated::end_of_hole(&moved).unwrap();
    moved.seek(SeekFrom::Start(head)).unwrap();
    let mut bytes = Vec::new();
    moved.read_to_end(&mut bytes).unwrap();
    assert!(bytes == left);
    // Its offsets are not those of the log that follows.
    File::create(&log).unwrap().write_all(b"anew\n").unwrap();
    assert_eq!(
        rotated::tail(&log, 0, 100).unwrap(),
        (b"anew\n".to_vec(), false)
    );
}

/// A house with a service that writes a million lines in ten seconds, in bursts.
fn house_of_a_writer() -> House {
    let house = House::without_supervisor();
    house.write(
        "writer.sh",
        "for burst in $(seq 0 99); do
  seq -f 'a line of a service, number %.0f' $((burst * 10000 + 1)) $((burst * 10000 + 10000))
  sleep 0.05
done
exec sleep 600
",
    );
    let config = read(&house.config());
    let service = "services:\n  writer: {command: {cwd: .., args: [sh, writer.sh]}}\n";
    house.write(
        "config/flowgate.yaml",
        &config.replace("services:\n", service),
    );
    house.with_supervisor()
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn a_log_is_followed_across_rotations_and_ends_of_the_supervisor() {
    let mut house = house_of_a_writer();
    let mut follower = Command::new(FLOWGATE)
        .arg("--config")
        .arg(house.config())
        .args(["service", "logs", "writer", "-f", "-n", "1000000"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = follower.stdout.take().unwrap();
    let pid = house.start_ready("writer");
    let mut tally = Tally { next: 1 };
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    let mut kills = [300_000, 600_000].into_iter().peekable();
    while tally.next <= 1_000_000 {
        let read = out.read(&mut piece).unwrap();
        assert!(read > 0, "it ended after line {}", tally.next);
        bytes.extend_from_slice(&piece[..read]);
        tally.take_lines(&mut bytes);
        if kills.next_if(|at| tally.next > *at).is_some() {
            house.kill_supervisor();
            house.start_supervisor();
        }
    }
    assert_eq!(house.status("writer").pid, Some(pid));
    let log = house.runtime.join("process-logs/writer.log");
    wait_for("a short log", || {
        log.metadata().unwrap().blocks() * 512 < 11 << 20
    });
    assert!(log.metadata().unwrap().len() > 30 << 20, "its offsets stay");
    drop(out);
    let ended = follower.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    // The copy and what is left are the last lines, each once.
    let (kept, _) = rotated::tail(&log, 0, u64::MAX).unwrap();
    let first = kept.split(|byte| *byte == b'\n').next().unwrap();
    let first = String::from_utf8_lossy(first);
    let number = first.rsplit(' ').next().unwrap().parse().unwrap();
    let mut tally = Tally { next: number };
    tally.take(&kept);
    assert_eq!(tally.next, 1_000_001);
    house.stop("writer");
}
