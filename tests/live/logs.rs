//! `service logs` across rotations, and of several services.

use std::io::Read;
use std::path::Path;

use crate::process::write;
use crate::supervised::{Supervised, said};

fn lines(from: u32, to: u32) -> String {
    (from..=to).map(|n| format!("line {n}\n")).collect()
}

fn append(log: &Path, text: &str) {
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(log);
    std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}

/// Reads until so much has come.
fn read_all(out: &mut impl Read, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    out.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

#[test]
fn earlier_lines_come_from_the_log_before() {
    let gateway = Supervised::new(&[]);
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    let before = gateway.path(".router/runtime/process-logs/litellm.log.1");
    write(&before, &lines(1, 40), 0o600);
    write(&log, &lines(41, 60), 0o600);
    for (asked, from) in [("30", 31), ("20", 41), ("5", 56), ("100", 1)] {
        let shown = gateway.flowgate(&["service", "logs", "litellm", "-n", asked]);
        assert_eq!(shown.out, lines(from, 60), "{asked}");
    }
}

#[test]
fn a_followed_log_that_is_renamed_is_read_to_its_end_and_gone_on_with() {
    let gateway = Supervised::new(&[]);
    let log = gateway.path(".router/runtime/process-logs/litellm.log");
    write(&log, &lines(1, 3), 0o600);
    let mut follower = gateway.begin(&["service", "logs", "litellm", "-f", "-n", "1"]);
    let mut out = follower.stdout.take().unwrap();
    read_all(&mut out, &lines(3, 3));
    // Its writer has it open and goes on for a moment.
    let before = gateway.path(".router/runtime/process-logs/litellm.log.1");
    rustix::fs::rename(&log, &before).unwrap();
    append(&before, &lines(4, 5));
    append(&log, &lines(6, 9));
    read_all(&mut out, &lines(4, 9));
    drop(out);
    let ended = said(follower.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn lines_of_all_services_carry_their_names() {
    let gateway = Supervised::new(&[]);
    let none = gateway.flowgate(&["service", "logs"]);
    assert_eq!((none.code, none.out.as_str()), (1, ""));
    assert!(
        none.err.contains("litellm.log: no such file"),
        "{}",
        none.err
    );

    let log = |name: &str| gateway.path(&format!(".router/runtime/process-logs/{name}.log"));
    write(&log("litellm"), &lines(1, 3), 0o600);
    write(&log("cliproxyapi_plus"), "a\nb\n", 0o600);
    let mut follower = gateway.begin(&["service", "logs", "-f", "-n", "2"]);
    let mut out = follower.stdout.take().unwrap();
    read_all(
        &mut out,
        "cliproxyapi_plus | a\ncliproxyapi_plus | b\n\
         litellm          | line 2\nlitellm          | line 3\n",
    );
    // Half a line of one does not stand before a line of the other.
    append(&log("litellm"), "half");
    append(&log("cliproxyapi_plus"), "c\n");
    read_all(&mut out, "cliproxyapi_plus | c\n");
    append(&log("litellm"), " a line\n");
    read_all(&mut out, "litellm          | half a line\n");
    drop(out);
    assert_eq!(said(follower.wait_with_output().unwrap()).code, 0);
}
