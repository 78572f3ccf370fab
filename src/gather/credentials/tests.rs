//! Real directories of token files.

use std::fs::File;
use std::io::Write;

use super::*;

const GOOD: &str = r#"{"type":"codex","refresh_token":"rt-lab-dummy-0001"}"#;

fn write(path: &Path, text: &str) {
    File::create(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

fn look_at(dirs: &[(PathBuf, AuthDirRole)], root: &Path) -> TokenFiles {
    look(
        dirs,
        &Root::new(root),
        &Fingerprinter::fixed([7; 32]),
        &Redactor::default(),
    )
}

#[test]
fn only_json_files_directly_in_the_dir_are_taken() {
    let home = tempfile::tempdir().unwrap();
    let auths = home.path().join("auths");
    fs::create_dir_all(auths.join("sub.json")).unwrap();
    write(&auths.join("sub.json/inner.json"), GOOD);
    write(&auths.join("codex-a.json"), GOOD);
    write(&auths.join("UPPER.JSON"), GOOD);
    write(&auths.join(".oauth-codex-abc.json"), GOOD);
    write(&auths.join("codex-a.json.tmp"), GOOD);
    write(&auths.join("notes.txt"), GOOD);
    let found = look_at(&[(auths, AuthDirRole::Service)], home.path());
    let names: Vec<&str> = found.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["auths/UPPER.JSON", "auths/codex-a.json"]);
    assert_eq!(found.auth_dirs[0].listing, Observed::Known(2));
    assert_eq!(found.auth_dirs[0].path, "auths");
    assert!(found.files.values().all(|file| file.modified_at.is_some()));
}

#[test]
fn a_missing_dir_and_a_file_in_its_place_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("file"), "");
    let dirs = [
        (home.path().join("gone"), AuthDirRole::Service),
        (home.path().join("file"), AuthDirRole::Flowgate),
    ];
    let found = look_at(&dirs, home.path());
    assert!(!found.auth_dirs[0].exists);
    assert_eq!(found.auth_dirs[0].listing, Observed::NotAsked);
    assert!(found.auth_dirs[1].exists);
    assert!(found.auth_dirs[1].listing.why_unknown().is_some());
}

#[test]
fn one_dir_under_two_names_is_listed_once() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("a.json"), GOOD);
    let dirs = [
        (home.path().to_path_buf(), AuthDirRole::Service),
        (home.path().join("x/.."), AuthDirRole::Flowgate),
    ];
    let found = look_at(&dirs, home.path());
    assert_eq!(found.auth_dirs.len(), 1);
    assert_eq!(found.files["a.json"].dir, AuthDirRole::Service);
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_hangs() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path("fifo.json"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    std::os::unix::fs::symlink(path("nowhere"), path("link.json")).unwrap();
    write(&path("huge.json"), &"x".repeat(FILE_LIMIT as usize + 1));
    write(&path("empty.json"), "");
    let found = look_at(&[(home.path().into(), AuthDirRole::Service)], home.path());
    let state = |name: &str| &found.files[name].state;
    assert!(
        matches!(state("fifo.json"), CredentialState::Unreadable { why } if why == "is not a regular file")
    );
    assert!(
        matches!(state("link.json"), CredentialState::Unreadable { why } if why == "no such file")
    );
    assert!(
        matches!(state("huge.json"), CredentialState::Unreadable { why } if why.starts_with("is larger"))
    );
    assert_eq!(state("empty.json"), &CredentialState::Empty);
}

#[test]
fn a_file_that_is_being_written_is_read_once_more() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.json");
    let state = |finish: &dyn Fn()| {
        write(&path, "{\"type\":");
        let fingerprinter = Fingerprinter::fixed([7; 32]);
        read_state(&path, &fingerprinter, &Redactor::default(), finish)
    };
    let finished = state(&|| write(&path, GOOD));
    assert!(matches!(finished, CredentialState::Parsed { .. }));
    let abandoned = state(&|| {});
    assert!(matches!(abandoned, CredentialState::NotJson { .. }));
}

#[test]
fn the_number_of_files_that_are_read_is_bounded() {
    let home = tempfile::tempdir().unwrap();
    for n in 0..MOST_FILES + 20 {
        write(&home.path().join(format!("{n:04}.json")), "{}");
    }
    let found = look_at(&[(home.path().into(), AuthDirRole::Service)], home.path());
    assert_eq!(found.files.len(), MOST_FILES);
    assert_eq!(found.auth_dirs[0].listing, Observed::Known(2020));
}
