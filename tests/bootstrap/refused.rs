//! What is wrong with a release is one clear sentence, and nothing is changed.

use std::collections::BTreeMap;

use tar::EntryType;

use crate::gateway::Gateway;
use crate::packed::{
    REPOSITORY, TAG, archive, asset, bomb, path_of, program, release, sha256, sum, with_entry,
};
use crate::server::{Answer, Server};

/// One way in which a release is wrong.
struct Row {
    name: &'static str,
    answers: BTreeMap<String, Answer>,
    sentence: String,
}

fn good() -> Vec<u8> {
    archive(&program("one"))
}

/// A release whose archive is this, with the right digest.
fn holding(name: &'static str, archive: Vec<u8>, sentence: impl Into<String>) -> Row {
    Row {
        name,
        answers: release(TAG, &archive),
        sentence: sentence.into(),
    }
}

/// A good release, with one path answered in another way.
fn but(
    name: &'static str,
    path: String,
    answer: Option<Answer>,
    sentence: impl Into<String>,
) -> Row {
    let mut answers = release(TAG, &good());
    match answer {
        Some(answer) => answers.insert(path, answer),
        None => answers.remove(&path),
    };
    Row {
        name,
        answers,
        sentence: sentence.into(),
    }
}

fn rows() -> Vec<Row> {
    let (file, packed) = (asset(), good());
    let sums = path_of(TAG, "checksums.txt");
    let at = path_of(TAG, &file);
    let other = sum(b"another", "CLIProxyAPIPlus_7.2.1-0_darwin_aarch64.tar.gz");
    let mut no_build = release(TAG, &packed);
    no_build.insert(sums.clone(), Answer::Bytes(other.clone().into_bytes()));
    no_build.remove(&at);
    let wrong = sum(b"something else", &file);
    let page = b"<!DOCTYPE html><html><body>Sign in</body></html>".to_vec();
    let mut rows = vec![
        Row {
            name: "404 repository",
            answers: BTreeMap::new(),
            sentence: format!("the repository {REPOSITORY} is not there"),
        },
        Row {
            name: "no build for this machine",
            answers: no_build,
            sentence: format!("release {TAG} of {REPOSITORY} has no archive for linux"),
        },
        but(
            "asset gone",
            at.clone(),
            None,
            format!("{file} is not there (404)"),
        ),
        but(
            "checksums incomplete",
            sums.clone(),
            Some(Answer::Bytes(other.into_bytes())),
            format!("does not list {file} yet: the release is still being made"),
        ),
        but(
            "no checksums",
            sums.clone(),
            None,
            "has no checksums.txt, so nothing tells",
        ),
        but(
            "checksums are a page",
            sums.clone(),
            Some(Answer::Bytes(page.clone())),
            "checksums.txt is no list of checksums",
        ),
        but(
            "wrong checksum",
            sums.clone(),
            Some(Answer::Bytes(wrong.into_bytes())),
            format!("{file} has the sha256 {}, and", sha256(&packed)),
        ),
        but(
            "truncated",
            at.clone(),
            Some(Answer::Truncated(packed.clone(), packed.len() / 2)),
            format!(
                "broke off after {} of {} bytes",
                packed.len() / 2,
                packed.len()
            ),
        ),
        but(
            "stalled",
            at.clone(),
            Some(Answer::Stalled(packed.clone(), 100)),
            "went silent: nothing arrived for 0.5 s",
        ),
        but(
            "silent",
            at.clone(),
            Some(Answer::Stalled(packed.clone(), 0)),
            "went silent",
        ),
        but(
            "HTML",
            at.clone(),
            Some(Answer::Bytes(page)),
            format!("{file} is no tar.gz archive: it is an HTML page"),
        ),
        but(
            "huge",
            at.clone(),
            Some(Answer::Huge),
            "is larger than 268435456 bytes",
        ),
        but(
            "refused",
            at.clone(),
            Some(Answer::Status(503)),
            "answered 503",
        ),
        but(
            "circle",
            at.clone(),
            Some(Answer::Redirect(at.clone())),
            "it redirects in a circle",
        ),
        but(
            "other scheme",
            at,
            Some(Answer::Redirect("file:///etc/passwd".into())),
            "answered 302",
        ),
        holding(
            "bomb",
            bomb(),
            format!("{file} unpacks to more than 512 MB"),
        ),
        holding("no program", archive(b""), "the program in"),
        holding(
            "cut off inside",
            packed[..packed.len() - 9].to_vec(),
            "is cut off or damaged",
        ),
        holding("empty", Vec::new(), "it is empty"),
        holding(
            "other machine",
            archive(b"\x7fELF\x02\x01\x01"),
            "it is cut off in its header",
        ),
    ];
    for (name, kind, path, target) in [
        (
            "traversal",
            EntryType::Regular,
            "../../.ssh/authorized_keys",
            "",
        ),
        ("absolute", EntryType::Regular, "/etc/cron.d/x", ""),
    ] {
        let sentence = format!("holds {path}, a path that leads out of it");
        rows.push(holding(name, with_entry(kind, path, target), sentence));
    }
    for (name, kind) in [
        ("symlink", EntryType::Symlink),
        ("hard link", EntryType::Link),
    ] {
        let packed = with_entry(kind, "cli-proxy-api-plus", "/etc/passwd");
        rows.push(holding(name, packed, "holds cli-proxy-api-plus, a link"));
    }
    rows
}

#[test]
fn each_wrong_release_is_one_sentence_and_nothing_is_changed() {
    let rows = rows();
    assert_eq!(rows.len(), 24);
    for (number, row) in rows.into_iter().enumerate() {
        let name = row.name;
        let server = Server::new(row.answers);
        let gateway = Gateway::new(&server.base());
        // Every second one has an older version in place, which has to stay.
        if number % 2 == 0 {
            let old = archive(&program("older"));
            crate::gateway::write(&gateway.path("old.tar.gz"), &old);
            assert_eq!(gateway.download(&["--archive", "old.tar.gz"]).code, 0);
        }
        let before = gateway.everything();
        let said = gateway.download(&["--cliproxy-version", TAG, "--stall-timeout", "0.5"]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (1, ""),
            "{name}: {}",
            said.err
        );
        let sentences: Vec<&str> = said
            .err
            .lines()
            .filter(|line| line.starts_with("bootstrap failed: "))
            .collect();
        assert_eq!(sentences.len(), 1, "{name}: {}", said.err);
        assert!(
            sentences[0].contains(&row.sentence),
            "{name}: {}",
            sentences[0]
        );
        assert!(!said.err.contains("panicked"), "{name}");
        assert_eq!(gateway.everything(), before, "{name}");
        // Whoever cannot reach it is told what to fetch.
        assert!(
            said.err
                .contains("  asset   CLIProxyAPIPlus_7.2.1-0_linux_"),
            "{name}: {}",
            said.err
        );
        assert!(
            said.err
                .contains("bootstrap download --archive CLIProxyAPIPlus_"),
            "{name}"
        );
    }
}

#[test]
fn the_original_repository_is_named_as_gone_with_the_one_that_goes_on() {
    let server = Server::new(BTreeMap::new());
    let gateway = Gateway::new(&server.base());
    let said = gateway.download(&[
        "--cliproxy-repo",
        "router-for-me/CLIProxyAPIPlus",
        "--cliproxy-version",
        "v6.8.16-0",
    ]);
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("the repository router-for-me/CLIProxyAPIPlus is gone")
            && said
                .err
                .contains("--cliproxy-repo kaitranntt/CLIProxyAPIPlus"),
        "{}",
        said.err
    );
}

#[test]
fn a_pinned_digest_outweighs_what_a_release_says_of_itself() {
    let packed = good();
    let server = Server::new(release(TAG, &packed));
    let gateway = Gateway::new(&server.base());
    gateway.add(&format!("    sha256: {}\n", sha256(b"what was seen first")));
    let said = gateway.download(&[]);
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("it was replaced since, so nothing was downloaded"),
        "{}",
        said.err
    );
    assert!(
        server
            .asked()
            .iter()
            .all(|request| !request.contains(".tar.gz"))
    );
}

#[test]
fn a_wish_that_is_none_is_a_usage_error() {
    let gateway = Gateway::new("http://127.0.0.1:9");
    for (args, sentence) in [
        (["--sha256", "abc"], "abc is no SHA-256"),
        (["--cliproxy-repo", "../x"], "../x is no repository"),
        (["--cliproxy-version", "v1/../../x"], "v1/../../x is no tag"),
    ] {
        let said = gateway.download(&args);
        assert_eq!(said.code, 2, "{args:?}: {}", said.err);
        assert!(said.err.contains(sentence), "{args:?}: {}", said.err);
    }
}

#[test]
fn a_mirror_that_is_not_there_is_told_with_what_to_fetch() {
    let gateway = Gateway::new("http://127.0.0.1:9");
    let said = gateway.download(&["--cliproxy-version", TAG]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("cannot be reached: "), "{}", said.err);
    assert!(
        said.err.contains(&format!(
            "url     http://127.0.0.1:9/{REPOSITORY}/releases/download/{TAG}/"
        )),
        "{}",
        said.err
    );
}
