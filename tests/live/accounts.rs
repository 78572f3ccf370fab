//! `flowgate auth list`, `status`, `logout` and `import-headless`.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::gateway::{ACCESS_TOKEN, Gateway, REFRESH_TOKEN, run_in, token};
use crate::process::{read, set_mode, write};

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn codex_login() -> String {
    json!({"tokens": {"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN}}).to_string()
}

#[test]
fn the_lines_of_the_original_are_printed() {
    let gateway = Gateway::new();
    let said = gateway.flowgate(&["auth", "list"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (
            0,
            "provider=codex oauth_login=yes headless_import=yes\n\
             oauth_providers=codex\nheadless_import_providers=codex\n"
        )
    );
    let said = gateway.flowgate(&["auth", "status"]);
    let lines: Vec<&str> = said.out.lines().collect();
    let dir = gateway.path(".router/auths").canonicalize().unwrap();
    assert_eq!(said.code, 0);
    assert_eq!(
        lines,
        [
            format!("default_auth_dir={}", dir.display()),
            "secret_permission_issues=0".into(),
            "provider=codex method=oauth_poll oauth_login=yes headless_import=yes".into(),
            "account=an…@example.com account_provider=codex state=usable \
             expires=2099-01-01T00:00:00Z refreshable=yes mode=600 last_login=none \
             file=.router/auths/codex-ana@example.com.json"
                .into(),
        ]
    );
    gateway.edit(
        "config/flowgate.yaml",
        "auth:\n  providers:\n    codex:\n",
        "x_auth:\n  providers:\n    codex:\n",
    );
    let said = gateway.flowgate(&["auth", "list"]);
    assert_eq!(
        said.out,
        "oauth_providers=none\nheadless_import_providers=none\n"
    );
    let said = gateway.flowgate(&["auth", "status"]);
    assert!(said.out.contains("\nproviders=none\n"), "{}", said.out);
}

#[test]
fn a_token_file_that_is_there_is_not_called_a_login() {
    let gateway = Gateway::new();
    gateway.write_token(
        "codex-old.json",
        &token("2020-01-01T00:00:00Z").replace(REFRESH_TOKEN, ""),
        0o640,
    );
    gateway.write_token("codex-half.json", "{\"type\": \"cod", 0o600);
    gateway.write_token("codex-empty.json", "", 0o600);
    let event = r#"{"timestamp":"2026-11-20T10:00:00+00:00","event":"oauth_login","service":null,"profile":null,"provider":"copilot","result":"failed","detail":"denied"}"#;
    write(
        &gateway.path(".router/runtime/events.log"),
        &format!("{event}\n"),
        0o644,
    );
    let said = gateway.flowgate(&["auth", "status", "--json"]);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let states: Vec<_> = document["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| {
            (
                account["file"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap(),
                account["state"].as_str().unwrap(),
                account["refreshable"].as_bool().unwrap(),
                account["mode"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("codex-ana@example.com.json", "usable", true, "600"),
            ("codex-empty.json", "broken", false, "600"),
            ("codex-half.json", "broken", false, "600"),
            ("codex-old.json", "expired", false, "640"),
        ]
    );
    assert_eq!(document["lastLogins"]["copilot"]["result"], "failed");
    let said: Vec<&str> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding.as_str().unwrap())
        .collect();
    assert_eq!(
        said.len(),
        2,
        "what stands between the service and a login, and no more: {said:?}"
    );
    assert!(
        said[0].starts_with("the login to codex expired"),
        "{said:?}"
    );
    assert_eq!(said[1], "the last login to copilot failed");
}

#[test]
fn logout_takes_the_named_file_away_and_no_other() {
    let gateway = Gateway::new();
    gateway.write_token(
        "claude-ana.json",
        r#"{"type":"claude","refresh_token":"rt-planted-refresh-9902"}"#,
        0o600,
    );
    let said = gateway.flowgate(&["auth", "logout", "codex"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (1, ""),
        "nobody is there to be asked"
    );
    assert!(said.err.contains("--yes"), "{}", said.err);
    assert!(gateway.path(TOKEN).exists());
    let said = gateway.flowgate(&["auth", "logout", "codex", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.starts_with("removed_auth=/"), "{}", said.out);
    assert!(
        !gateway.path(TOKEN).exists() && gateway.path(".router/auths/claude-ana.json").exists()
    );
    let event: Value =
        serde_json::from_str(read(&gateway.path(".router/runtime/events.log")).trim()).unwrap();
    assert_eq!(
        (
            event["event"].as_str(),
            event["provider"].as_str(),
            event["detail"].as_str()
        ),
        (
            Some("oauth_logout"),
            Some("codex"),
            Some("file=.router/auths/codex-ana@example.com.json")
        )
    );
    let said = gateway.flowgate(&["auth", "logout", "codex", "--yes"]);
    assert_eq!(said.code, 2);
}

#[test]
fn logout_asks_which_of_several_and_touches_nothing_outside() {
    let gateway = Gateway::new();
    gateway.write_token("codex-bob.json", &token("2099-01-01T00:00:00Z"), 0o600);
    let said = gateway.flowgate(&["auth", "logout", "codex", "--yes"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("codex-bob.json") && said.err.contains("codex-ana"),
        "{}",
        said.err
    );
    let outside = gateway.path("mine.json");
    write(&outside, &token("2099-01-01T00:00:00Z"), 0o600);
    for name in ["mine.json", "../../mine.json", outside.to_str().unwrap()] {
        let said = gateway.flowgate(&["auth", "logout", name, "--yes"]);
        assert_eq!(said.code, 2, "{name}: {}", said.err);
    }
    symlink(&outside, gateway.path(".router/auths/codex-link.json")).unwrap();
    let said = gateway.flowgate(&["auth", "logout", "codex-link.json", "--yes"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("it is a link"), "{}", said.err);
    std::fs::hard_link(&outside, gateway.path(".router/auths/codex-twin.json")).unwrap();
    let said = gateway.flowgate(&["auth", "logout", "codex-twin.json", "--yes"]);
    assert_eq!(said.code, 1);
    if rustix::process::geteuid().is_root() {
        let foreign = gateway.path(".router/auths/codex-bob.json");
        std::os::unix::fs::chown(&foreign, Some(1), Some(1)).unwrap();
        let said = gateway.flowgate(&["auth", "logout", "codex-bob.json", "--yes"]);
        assert!(
            said.code == 1 && said.err.contains("belongs to uid 1"),
            "{}",
            said.err
        );
        assert!(foreign.exists());
    }
    assert!(outside.exists() && gateway.path(TOKEN).exists());
}

#[test]
fn an_imported_login_is_closed_from_its_first_moment_on() {
    for umask in ["0", "077"] {
        let gateway = Gateway::new();
        write(&gateway.path("codex.json"), &codex_login(), 0o600);
        std::fs::remove_dir_all(gateway.path(".router/auths")).unwrap();
        let script = format!(
            "umask {umask}; exec {} auth import-headless codex --source codex.json",
            crate::gateway::FLOWGATE
        );
        let said = shell(&gateway, &script);
        let target = gateway.path(".router/auths/codex-headless-import.json");
        assert!(said.starts_with("saved_auth=/"), "{said}");
        assert_eq!(
            (mode(&target), mode(target.parent().unwrap())),
            (0o600, 0o700)
        );
        let file: Value = serde_json::from_str(&read(&target)).unwrap();
        assert_eq!(
            (file["type"].as_str(), file["refresh_token"].as_str()),
            (Some("codex"), Some(REFRESH_TOKEN))
        );
    }
}

#[test]
fn an_import_over_an_open_file_closes_it_and_a_bad_source_changes_nothing() {
    let gateway = Gateway::new();
    write(&gateway.path("codex.json"), &codex_login(), 0o600);
    let target = gateway.path(".router/auths/codex-headless-import.json");
    write(&target, "old", 0o664);
    let said = gateway.flowgate(&["auth", "codex", "import-headless", "--source", "codex.json"]);
    assert_eq!((said.code, mode(&target)), (0, 0o600), "{}", said.err);
    assert!(said.err.contains("auth login codex"), "{}", said.err);
    let before = read(&target);
    for (source, why) in [
        ("gone.json", "Source auth file not found: "),
        ("config/flowgate.yaml", "Invalid JSON file: "),
    ] {
        let said = gateway.flowgate(&["auth", "import-headless", "codex", "--source", source]);
        assert_eq!(said.code, 1);
        assert!(
            said.err
                .starts_with(&format!("headless import failed: {why}")),
            "{}",
            said.err
        );
    }
    assert_eq!(read(&target), before);
    let said = gateway.flowgate(&["auth", "import-headless", "kiro"]);
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            2,
            "headless import not supported for provider=kiro; supported=codex\n"
        )
    );
    // The login of the other program is told, and that both have it.
    write(&gateway.path(".codex/auth.json"), &codex_login(), 0o600);
    set_mode(&gateway.path(".codex"), 0o700);
    let document = gateway.doctor(&[]);
    let shared = "oauth-login/credential-shared:.router/auths/codex-headless-import.json";
    crate::gateway::finding(&document, shared);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program under test"
)]
fn shell(gateway: &Gateway, script: &str) -> String {
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .current_dir(gateway.path("."))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", gateway.path("."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn two_thousand_logins_are_looked_at_in_time_while_files_come_and_go() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let gateway = Gateway::new();
    for n in 0..2000 {
        let text =
            token("2099-01-01T00:00:00Z").replace(REFRESH_TOKEN, &format!("rt-many-{n:05}-abcdef"));
        gateway.write_token(&format!("codex-{n:04}@example.com.json"), &text, 0o600);
    }
    let dir = gateway.path(".router/auths");
    let is_over = AtomicBool::new(false);
    let begun = std::time::Instant::now();
    let document = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !is_over.load(Ordering::Relaxed) {
                let path = dir.join(format!("codex-{:04}@example.com.json", n % 2000));
                let text = read(&path);
                std::fs::remove_file(&path).unwrap();
                write(&path, &text, 0o600);
                n += 1;
            }
        });
        let said = run_in(
            &gateway.path("."),
            &["doctor", "--json", "--timeout", "20s"],
            &[],
        );
        is_over.store(true, Ordering::Relaxed);
        serde_json::from_str::<Value>(&said.out).unwrap()
    });
    let took = begun.elapsed();
    println!("2000 logins: {took:?}");
    assert_ne!(document["exitCode"], 2, "{:#}", document["unknowns"]);
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
    let listed = crate::gateway::roots(&document);
    assert!(
        !listed
            .iter()
            .any(|key| key.starts_with("oauth-login/credential-broken")),
        "{listed:?}"
    );
}
