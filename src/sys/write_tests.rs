use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::sweep::YOUNG;
use super::temp::set_mode;
use super::*;
use crate::sys::read;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().canonicalize().unwrap();
    (temp, path)
}

fn text(path: &Path) -> String {
    String::from_utf8(read::whole(path, 4096).unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn put(path: &Path, content: &str, mode: u32) {
    let mut file = File::create(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    set_mode(&file, mode).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn no_umask_trims_a_mode() {
    let (_temp, top) = folder();
    let modes = Modes {
        file: 0o666,
        folder: 0o777,
        closes: false,
    };
    // Whatever the umask of the test run is, it takes a bit of at least one of these away.
    replace(&top.join("a/b/file"), b"x", modes, None).unwrap();
    assert_eq!(mode(&top.join("a/b/file")), 0o666);
    assert_eq!(mode(&top.join("a")), 0o777);
    assert_eq!(mode(&top.join("a/b")), 0o777);
    create(&top.join("c/file"), b"x", modes).unwrap();
    assert_eq!(
        (mode(&top.join("c/file")), mode(&top.join("c"))),
        (0o666, 0o777)
    );
    append_line(&top.join("log"), "x", modes).unwrap();
    assert_eq!(mode(&top.join("log")), 0o666);
}

#[test]
fn an_existing_file_keeps_its_mode_unless_everybody_could_use_a_private_one() {
    let (_temp, top) = folder();
    let file = top.join("file");
    for (before, modes, after) in [
        (0o640, Modes::PLAIN, 0o640),
        (0o600, Modes::PLAIN, 0o600),
        (0o644, Modes::PRIVATE, 0o600),
        (0o640, Modes::PRIVATE, 0o640),
        (0o400, Modes::PRIVATE, 0o400),
    ] {
        put(&file, "old", before);
        replace(&file, b"new", modes, None).unwrap();
        assert_eq!((mode(&file), text(&file).as_str()), (after, "new"));
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn the_owner_of_an_existing_file_is_kept() {
    let (_temp, top) = folder();
    let file = top.join("file");
    put(&file, "old", 0o640);
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        // Only root may give a file away, so only root can see it kept.
        std::os::unix::fs::chown(&file, Some(12345), Some(23456)).unwrap();
    }
    replace(&file, b"new", Modes::PLAIN, None).unwrap();
    let now = std::fs::metadata(&file).unwrap();
    assert_eq!(now.mode() & 0o7777, 0o640);
    if is_root {
        assert_eq!((now.uid(), now.gid()), (12345, 23456));
    }
}

#[test]
fn a_symlink_stays_one_and_its_target_changes() {
    let (_temp, top) = folder();
    std::fs::create_dir(top.join("real")).unwrap();
    put(&top.join("real/file"), "old", 0o600);
    std::os::unix::fs::symlink("real/file", top.join("link")).unwrap();
    replace(&top.join("link"), b"new", Modes::PLAIN, None).unwrap();
    assert!(
        std::fs::symlink_metadata(top.join("link"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(text(&top.join("real/file")), "new");
    assert_eq!(names(&top.join("real")), ["file"]);
    assert_eq!(names(&top), ["link", "real"]);
}

#[test]
fn a_symlink_to_nothing_is_refused_and_never_written_through() {
    let (_temp, top) = folder();
    let link = top.join("link");
    std::os::unix::fs::symlink("elsewhere", &link).unwrap();
    let error = replace(&link, b"new", Modes::PLAIN, None).unwrap_err();
    assert!(
        error.to_string().contains("symlink to a missing file"),
        "{error}"
    );
    assert_eq!(create_new_secret(&link, b"new").unwrap(), Created::Kept);
    assert_eq!(names(&top), ["link"]);
}

#[test]
fn a_symlink_of_another_user_leads_nowhere() {
    let (_temp, top) = folder();
    if !rustix::process::geteuid().is_root() {
        // Only root can make a symlink that belongs to another user.
        return;
    }
    std::fs::create_dir(top.join("real")).unwrap();
    std::os::unix::fs::symlink("real", top.join("link")).unwrap();
    std::os::unix::fs::lchown(top.join("link"), Some(12345), None).unwrap();
    let path = top.join("link/key");
    for error in [
        create_new_secret(&path, b"x").unwrap_err(),
        replace(&path, b"x", Modes::PLAIN, None).unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("of another user (uid 12345)"),
            "{error}"
        );
    }
    assert_eq!(names(&top.join("real")), [] as [&str; 0]);
}

#[test]
fn a_secret_is_made_once_and_closed() {
    let (_temp, top) = folder();
    let key = top.join(".router/secrets/a.key");
    assert_eq!(create_new_secret(&key, b"one").unwrap(), Created::Written);
    assert_eq!(create_new_secret(&key, b"two").unwrap(), Created::Kept);
    assert_eq!((text(&key).as_str(), mode(&key)), ("one", 0o600));
    assert_eq!(mode(&top.join(".router/secrets")), 0o700);
    assert_eq!(names(&top.join(".router/secrets")), ["a.key"]);
}

#[test]
fn two_writers_of_one_new_file_leave_one_whole_text() {
    let (_temp, top) = folder();
    let key = top.join("key");
    let written: Vec<Created> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let key = &key;
                scope
                    .spawn(move || create(key, n.to_string().repeat(999).as_bytes(), Modes::SECRET))
            })
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap().unwrap())
            .collect()
    });
    let won = written
        .iter()
        .filter(|made| **made == Created::Written)
        .count();
    assert_eq!(won, 1);
    let text = text(&key);
    assert!(text.len() == 999 && text.bytes().all(|byte| byte == text.as_bytes()[0]));
    assert_eq!(names(&top), ["key"]);
}

#[test]
fn an_edit_made_meanwhile_is_not_lost() {
    let (_temp, top) = folder();
    let file = top.join("file");
    put(&file, "old", 0o644);
    let prepared = prepare(&file, b"new", Modes::PLAIN, Some(b"old")).unwrap();
    put(&file, "edited", 0o644);
    let error = prepared.commit().unwrap_err();
    assert!(error.to_string().contains("changed meanwhile"), "{error}");
    assert_eq!(text(&file), "edited");
    replace(&file, b"new", Modes::PLAIN, Some(b"edited")).unwrap();
    assert_eq!(text(&file), "new");
    assert_eq!(names(&top), ["file"]);
}

#[test]
fn what_is_no_file_is_refused_and_nothing_is_left_behind() {
    let (_temp, top) = folder();
    std::fs::create_dir(top.join("folder")).unwrap();
    put(&top.join("plain"), "", 0o644);
    for (path, words) in [
        ("folder", "not a regular file"),
        ("plain/file", "no folder"),
    ] {
        let path = top.join(path);
        let error = replace(&path, b"x", Modes::PLAIN, None).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(
            error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
    }
    assert_eq!(names(&top), ["folder", "plain"]);
    assert_eq!(names(&top.join("folder")), [] as [&str; 0]);
}

#[test]
fn a_prepared_text_that_is_dropped_leaves_nothing() {
    let (_temp, top) = folder();
    drop(prepare(&top.join("file"), b"new", Modes::PLAIN, None).unwrap());
    assert_eq!(names(&top), [] as [&str; 0]);
}

#[test]
fn a_name_as_long_as_names_can_be_is_written() {
    let (_temp, top) = folder();
    let path = top.join("n".repeat(255));
    replace(&path, b"x", Modes::PLAIN, None).unwrap();
    assert_eq!(text(&path), "x");
    let error = replace(&top.join("n".repeat(256)), b"x", Modes::PLAIN, None).unwrap_err();
    assert!(
        error.to_string().ends_with("its name is too long"),
        "{error}"
    );
}

#[test]
fn what_a_killed_writer_left_is_swept_and_what_a_living_one_holds_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in [".flowgate-0011.tmp", ".flowgate-mine", "other.tmp"] {
        replace(&at(name), b"sk-secret", Modes::SECRET, None).unwrap();
    }
    let living = prepare(&at("kept"), b"x", Modes::SECRET, None).unwrap();
    sweep(folder.path());
    assert!(
        at(".flowgate-0011.tmp").exists(),
        "it may be locked in a moment"
    );
    let old = std::time::SystemTime::now() - 2 * YOUNG;
    let left = OpenOptions::new()
        .write(true)
        .open(at(".flowgate-0011.tmp"));
    left.unwrap().set_modified(old).unwrap();
    sweep(folder.path());
    assert!(!at(".flowgate-0011.tmp").exists());
    assert!(at(".flowgate-mine").exists() && at("other.tmp").exists());
    living.commit().unwrap();
    assert!(at("kept").exists());
}
