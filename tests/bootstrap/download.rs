//! Releases that are as they should be, and archives of this machine.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use crate::gateway::{Gateway, bytes, write};
use crate::packed::{REPOSITORY, TAG, archive, asset, path_of, program, release, sha256, sum};
use crate::server::{Answer, Server};

#[test]
fn a_release_is_installed_once_and_verified() {
    let packed = archive(&program("one"));
    let server = Server::new(release(TAG, &packed));
    let gateway = Gateway::new(&server.base());
    let said = gateway.download(&[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        format!("cliproxyapi_plus={}\n", gateway.program().display())
    );
    assert_eq!(bytes(&gateway.program()), program("one"));
    assert_eq!(
        std::fs::metadata(gateway.program()).unwrap().mode() & 0o7777,
        0o755
    );
    let entry = &gateway.manifest()["cliproxyapiPlus"];
    assert_eq!(entry["version"], TAG);
    assert_eq!(entry["repository"], REPOSITORY);
    assert_eq!(entry["archiveSha256"], sha256(&packed).as_str());
    assert_eq!(entry["sha256"], sha256(&program("one")).as_str());
    assert_eq!(
        entry["source"],
        format!("{}{}", server.base(), path_of(TAG, &asset())).as_str()
    );

    let (asked, before) = (server.asked().len(), gateway.everything());
    let again = gateway.download(&[]);
    assert_eq!((again.code, again.out), (0, said.out));
    assert_eq!(gateway.everything(), before);
    assert_eq!(server.asked().len(), asked, "nobody is asked twice");
    let said = gateway.run(&["bootstrap", "verify"]);
    assert_eq!(
        said.out,
        format!("cliproxyapi_plus:verified version={TAG}\n"),
        "{}",
        said.err
    );
}

#[test]
fn a_named_release_is_taken_by_its_direct_address_and_the_token_stays_here() {
    let server = Server::new(release(TAG, &archive(&program("one"))));
    let gateway = Gateway::new(&server.base());
    let said = gateway.run_with(
        &[
            "bootstrap",
            "download",
            "--only",
            "cliproxyapi",
            "--cliproxy-version",
            &TAG[1..],
        ],
        &[
            ("GITHUB_TOKEN", "ghp_planted"),
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
            ("HTTP_PROXY", "http://127.0.0.1:9"),
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|request| !request.contains("ghp_planted")));
    assert!(!said.err.contains("ghp_planted"));
}

#[test]
fn a_slow_release_and_one_behind_a_redirect_arrive() {
    let packed = archive(&program("slow"));
    let mut answers = release(TAG, &packed);
    answers.insert(
        path_of(TAG, &asset()),
        Answer::Redirect("/elsewhere".into()),
    );
    answers.insert(
        "/elsewhere".into(),
        Answer::Slow(packed, Duration::from_millis(120)),
    );
    let server = Server::new(answers);
    let gateway = Gateway::new(&server.base());
    // It takes longer in all than it may be silent.
    let said = gateway.download(&["--stall-timeout", "0.8"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(bytes(&gateway.program()), program("slow"));
}

#[test]
fn an_archive_of_this_machine_needs_nobody() {
    let packed = archive(&program("mine"));
    let gateway = Gateway::new("http://127.0.0.1:9");
    let file = gateway.path(&asset());
    write(&file, &packed);
    let required = gateway.download(&["--archive", &asset(), "--require-sha256"]);
    assert_eq!((required.code, required.out.as_str()), (1, ""));
    assert!(required.err.contains("no sha256 of"), "{}", required.err);
    assert!(!gateway.program().exists());

    let said = gateway.download(&[
        "--archive",
        &asset(),
        "--require-sha256",
        "--sha256",
        &sha256(&packed),
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let entry = &gateway.manifest()["cliproxyapiPlus"];
    assert_eq!(
        (&entry["version"], &entry["verified"]),
        (&TAG.into(), &true.into())
    );

    write(&gateway.path("checksums.txt"), sum(b"another", &asset()));
    let before = gateway.everything();
    let wrong = gateway.download(&["--archive", &asset()]);
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains("was expected; it was thrown away"),
        "{}",
        wrong.err
    );
    assert_eq!(gateway.everything(), before);
    write(&gateway.path("checksums.txt"), sum(&packed, &asset()));
    assert_eq!(
        gateway
            .download(&["--archive", &asset(), "--require-sha256"])
            .code,
        0
    );
}

#[test]
fn a_program_of_the_users_own_is_kept_unless_somebody_agrees() {
    let server = Server::new(release(TAG, &archive(&program("one"))));
    let gateway = Gateway::new(&server.base());
    write(&gateway.program(), program("own build"));
    crate::packed::executable(&gateway.program());
    let before = gateway.everything();
    let said = gateway.download(&[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err
            .contains("was not installed by flowgate; --yes replaces it"),
        "{}",
        said.err
    );
    assert_eq!(gateway.everything(), before);
    assert_eq!(server.asked().len(), 0);

    assert_eq!(gateway.download(&["--yes"]).code, 0);
    assert_eq!(bytes(&gateway.program()), program("one"));
    let aside = gateway.path(".router/runtime/bootstrap/CLIProxyAPIPlus.previous");
    assert_eq!(bytes(&aside), program("own build"));
}

#[test]
fn a_program_that_cannot_run_is_replaced() {
    let server = Server::new(release(TAG, &archive(&program("one"))));
    let gateway = Gateway::new(&server.base());
    write(&gateway.program(), "<html>404</html>");
    assert_eq!(gateway.download(&[]).code, 0);
    assert_eq!(bytes(&gateway.program()), program("one"));
    // Damaged later, it is noticed and restored.
    let mut damaged = program("one");
    damaged.truncate(0);
    write(&gateway.program(), damaged);
    let said = gateway.run(&["bootstrap", "verify"]);
    assert_eq!(
        (said.code, said.out),
        (1, format!("cliproxyapi_plus:differs version={TAG}\n"))
    );
    assert_eq!(gateway.download(&[]).code, 0);
    assert_eq!(bytes(&gateway.program()), program("one"));
}
