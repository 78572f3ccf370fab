//! What `/proc` says of the machine.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::sys::read;

/// Ticks per second in which the kernel tells times: the same on every architecture that
/// flowgate is built for, whatever the timer of the kernel is (`USER_HZ`).
pub const TICKS_PER_SECOND: u64 = 100;

/// The largest pid that Linux ever gives (2^22).
const LARGEST_PID: u32 = 4_194_304;

/// Id of this boot; empty when it cannot be seen.
pub fn boot_id() -> String {
    // No process outlives its boot.
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    BOOT_ID
        .get_or_init(|| one_line("/proc/sys/kernel/random/boot_id"))
        .clone()
}

/// Release of the kernel, such as `6.1.0-18-amd64`; empty when it cannot be seen.
pub fn kernel_release() -> String {
    one_line("/proc/sys/kernel/osrelease")
}

/// The largest pid that this kernel gives.
pub fn pid_limit() -> u32 {
    one_line("/proc/sys/kernel/pid_max")
        .parse()
        .unwrap_or(LARGEST_PID)
}

/// Milliseconds since the machine was started.
pub fn uptime_ms() -> Option<u64> {
    parse_uptime(&one_line("/proc/uptime"))
}

/// `35.62 120.01`: seconds since the start, seconds spent idle.
fn parse_uptime(line: &str) -> Option<u64> {
    let seconds: f64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0) as u64)
}

/// When the machine was started, in seconds after 1970.
pub fn booted_at_seconds() -> Option<i64> {
    // The line stands behind one line per interrupt source, which are long.
    let bytes = read::head(Path::new("/proc/stat"), 1024 * 1024).ok()?;
    String::from_utf8_lossy(&bytes)
        .lines()
        .find_map(|line| line.strip_prefix("btime "))
        .and_then(|seconds| seconds.trim().parse().ok())
}

/// Whether an emulator is registered for programs that begin with these bytes.
pub fn emulated(head: &[u8]) -> bool {
    let Ok(entries) = fs::read_dir("/proc/sys/fs/binfmt_misc") else {
        return false;
    };
    entries.take(256).flatten().any(|entry| {
        let text = read::head(&entry.path(), 4096).unwrap_or_default();
        takes(&String::from_utf8_lossy(&text), head)
    })
}

/// An entry: `enabled`, `interpreter /usr/bin/qemu-aarch64`, `offset 0`, `magic 7f45…`, `mask ff…`.
fn takes(entry: &str, head: &[u8]) -> bool {
    let value = |name: &str| {
        entry
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    };
    if entry.lines().next() != Some("enabled") || value("offset") != Some("0") {
        return false;
    }
    let Some(magic) = value("magic").and_then(unhex) else {
        return false;
    };
    let mask = value("mask")
        .and_then(unhex)
        .unwrap_or_else(|| vec![0xff; magic.len()]);
    !magic.is_empty()
        && magic.len() <= head.len()
        && mask.len() == magic.len()
        && magic
            .iter()
            .zip(head)
            .zip(mask)
            .all(|((magic, head), mask)| magic & mask == head & mask)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().as_bytes();
    text.chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn one_line(path: &str) -> String {
    let bytes = read::head(Path::new(path), 4096).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_machine_is_read() {
        assert_eq!(boot_id().len(), 36);
        assert!(!kernel_release().is_empty());
        assert!(uptime_ms().unwrap() > 0);
        assert!(booted_at_seconds().unwrap() > 1_500_000_000);
        assert!(pid_limit() >= std::process::id());
    }

    #[test]
    fn an_emulator_takes_what_its_mask_leaves_open() {
        let entry = "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: OCF\noffset 0\nmagic 7f454c46\nmask ffffff00\n";
        assert!(takes(entry, b"\x7fELG rest"));
        assert!(!takes(entry, b"\x7eELF rest"));
        assert!(!takes(&entry.replace("enabled", "disabled"), b"\x7fELF"));
        assert!(!takes(entry, b"\x7f"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "(enabled\n|magic |mask |offset 0\n|[0-9a-fé]{0,5}|\n){0,12}") {
            takes(&text, b"\x7fELF");
            parse_uptime(&text);
        }
    }
}
