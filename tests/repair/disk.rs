//! A disk that is full, or read-only: nothing is half-written, and it is said.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::crash::{FIX, with_stranger};
use crate::gateway::Gateway;
use crate::process::{read, set_mode, write};
use crate::state::{differences, state};

/// A small file system over a folder, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// None for an ordinary user, who cannot mount.
    fn over(folder: &Path, kilobytes: u32) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let size = format!("size={kilobytes}k,mode=0755");
        let is_mounted = run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], folder);
        is_mounted.then(|| Self(folder.to_owned()))
    }

    fn make_read_only(&self) {
        assert!(run("mount", &["-o", "remount,ro"], &self.0));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["-l"], &self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test mounts what it fills")]
fn run(program: &str, args: &[&str], folder: &Path) -> bool {
    let status = std::process::Command::new(program)
        .args(args)
        .arg(folder)
        .status();
    status.is_ok_and(|status| status.success())
}

/// Puts the files of a folder on a disk of their own.
fn moved_to_disk(folder: &Path, kilobytes: u32) -> Option<Disk> {
    let files: Vec<(PathBuf, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), read(&path)))
        .collect();
    let disk = Disk::over(folder, kilobytes)?;
    for (path, text) in files {
        let is_secret = path.ends_with("cliproxyapi.yaml");
        write(&path, &text, if is_secret { 0o600 } else { 0o644 });
    }
    Some(disk)
}

fn fix(gateway: &Gateway) -> Value {
    gateway.doctor(&[&format!("--fix={FIX}"), "--yes"])
}

fn first_run(document: &Value) -> &Value {
    &document["repair"]["rounds"][0]["runs"][0]
}

#[test]
fn a_full_disk_for_the_journal_changes_nothing_or_everything() {
    let (gateway, _stranger) = with_stranger();
    let folder = gateway.path(".router/runtime/doctor");
    let before = state(&gateway.path("."));
    let (mut refused, mut kept) = (0, 0);
    for kilobytes in (4..=96).step_by(4) {
        std::fs::create_dir_all(&folder).unwrap();
        let Some(disk) = Disk::over(&folder, kilobytes) else {
            return;
        };
        set_mode(&folder, 0o700);
        let said = gateway.flowgate(&["doctor", "--json", &format!("--fix={FIX}"), "--yes"]);
        let document: Value = serde_json::from_str(&said.out).unwrap();
        if first_run(&document)["state"] == "kept" {
            kept += 1;
            assert_eq!(
                gateway.flowgate(&["doctor", "undo"]).code,
                0,
                "{kilobytes} KB"
            );
        } else {
            refused += 1;
            assert!(
                said.out.contains("no space is left"),
                "{kilobytes} KB: {}",
                said.out
            );
        }
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, Vec::<String>::new(), "{kilobytes} KB");
        drop(disk);
    }
    assert!(refused > 0 && kept > 0, "{refused} refused, {kept} kept");
}

#[test]
fn a_full_disk_for_the_configs_takes_everything_back() {
    let (gateway, _stranger) = with_stranger();
    let folder = gateway.path("config");
    let Some(_disk) = moved_to_disk(&folder, 64) else {
        return;
    };
    fill(&folder.join("filler"));
    let before = state(&gateway.path("."));
    let document = fix(&gateway);
    let run = first_run(&document);
    assert_eq!(run["state"], "rolled-back", "{run:#}");
    assert!(run["reason"].as_str().unwrap().contains("no space is left"));
    assert_eq!(
        document["exitCode"], 0,
        "a service that is not wanted is a warning"
    );
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
}

#[test]
fn wherever_the_disk_of_the_configs_gets_full_everything_is_taken_back() {
    let (gateway, _stranger) = with_stranger();
    let folder = gateway.path("config");
    let Some(_disk) = moved_to_disk(&folder, 256) else {
        return;
    };
    let filler = folder.join("filler");
    let (mut refused, mut kept) = (0, 0);
    for free_pages in 0..8 {
        fill(&filler);
        let full = std::fs::metadata(&filler).unwrap().len();
        let file = std::fs::File::options().write(true).open(&filler).unwrap();
        file.set_len(full - free_pages * 4096).unwrap();
        let before = state(&gateway.path("."));
        let document = fix(&gateway);
        let run = first_run(&document);
        if run["state"] == "kept" {
            kept += 1;
            assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
        } else {
            refused += 1;
            let reason = run["reason"].as_str().unwrap();
            assert!(reason.contains("no space is left"), "{run:#}");
        }
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, Vec::<String>::new(), "{free_pages} pages");
    }
    assert!(refused > 0 && kept > 0, "{refused} refused, {kept} kept");
}

#[test]
fn a_read_only_config_is_said_and_nothing_is_changed() {
    let (gateway, _stranger) = with_stranger();
    let Some(disk) = moved_to_disk(&gateway.path("config"), 256) else {
        return;
    };
    disk.make_read_only();
    let before = state(&gateway.path("."));
    let document = fix(&gateway);
    let run = first_run(&document);
    assert_eq!(run["state"], "rolled-back", "{run:#}");
    assert!(run["reason"].as_str().unwrap().contains("read-only"));
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
}

/// Writes until nothing goes any more. A file that is there is emptied, not removed: the pages of a
/// removed one stay taken while a process that another test starts still holds it.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    while file.write_all(&[b'x'; 512]).is_ok() {}
}
