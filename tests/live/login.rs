//! `auth login` against the management API of the stand-in: what it says, writes and leaves.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::alone::alone;
use crate::gateway::{FLOWGATE, Gateway, MANAGEMENT_KEY, PLANTED, is_listening};
use crate::process::{read, wait_for};

/// The port to which a browser comes back.
const CALLBACK: u16 = 1455;

const PLUS: &str = "codex-bo@example.com.json";
const MAINLINE: &str = "codex-6d15beaa-bo@example.com-plus.json";

/// A login that goes on.
struct Login {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    url: String,
}

/// What a login came to.
struct Ended {
    code: i32,
    /// What followed the address on stdout.
    out: String,
    err: String,
}

impl Login {
    /// Begins one and waits for its address.
    fn begin(gateway: &Gateway, args: &[&str]) -> Self {
        let mut login = Self::start(gateway, args);
        let mut line = String::new();
        login.out.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("login_url=") else {
            let ended = login.end();
            panic!("no address first, but {line:?}: {}{}", ended.out, ended.err);
        };
        login.url = url.to_owned();
        login
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    fn start(gateway: &Gateway, args: &[&str]) -> Self {
        let mut child = Command::new(FLOWGATE)
            .args(["auth", "login"])
            .args(args)
            .current_dir(gateway.path("."))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", gateway.path("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            out,
            url: String::new(),
        }
    }

    fn state(&self) -> &str {
        self.url.rsplit("state=").next().unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end. Its state is in nothing but the address.
    fn end(mut self) -> Ended {
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let mut err = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        assert!(!err.contains("panicked"), "{err}");
        if !self.url.is_empty() {
            assert!(!out.contains(self.state()) && !err.contains(self.state()));
        }
        Ended { code, out, err }
    }
}

/// What a browser does at the end of a login: it follows where it is sent.
fn browse(query: &str) {
    let answer = get(CALLBACK, &format!("/auth/callback?{query}"), "");
    let to = answer
        .lines()
        .find_map(|line| line.strip_prefix("Location: "))
        .unwrap_or_else(|| panic!("{answer}"));
    let rest = to.strip_prefix("http://127.0.0.1:").unwrap();
    let (port, path) = rest.split_once('/').unwrap();
    let page = get(port.parse().unwrap(), &format!("/{path}"), "");
    assert!(page.contains("Authentication successful!"), "{page}");
}

fn get(port: u16, path: &str, header: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn events(gateway: &Gateway) -> Vec<Value> {
    read(&gateway.path(".router/runtime/events.log"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn last_event(gateway: &Gateway) -> (String, String) {
    let events = events(gateway);
    let last = events.last().unwrap();
    assert_eq!(last["event"], "oauth_login");
    (
        last["result"].as_str().unwrap().to_owned(),
        last["detail"].as_str().unwrap().to_owned(),
    )
}

fn mode(gateway: &Gateway, name: &str) -> u32 {
    let path = gateway.path(&format!(".router/auths/{name}"));
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(gateway: &Gateway) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(gateway.path(".router/auths"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// How often the stand-in was asked for a path with a key or without.
fn asked(gateway: &Gateway, path: &str) -> usize {
    let requests = gateway.requests("cliproxyapi_plus");
    requests
        .iter()
        .filter(|request| request["path"].as_str().unwrap().starts_with(path))
        .count()
}

/// A gateway of which the proxy runs as this edition.
fn gateway(edition: &str, env: &[(&str, &str)]) -> Gateway {
    let mut gateway = Gateway::new();
    let mut all = vec![("FLOWGATE_STANDIN_EDITION", edition.to_owned())];
    all.extend(env.iter().map(|(name, value)| (*name, (*value).to_owned())));
    gateway.spawn("cliproxyapi_plus", &all);
    wait_for("the proxy to listen", || is_listening(gateway.proxy));
    gateway
}

const QUICK: [&str; 3] = ["codex", "--poll-interval", "0.3"];

/// No secret of a login is in the event log, and nothing listens for it.
fn assert_nothing_is_left(gateway: &Gateway, state: &str) {
    assert!(
        !is_listening(CALLBACK),
        "nobody waits for a browser any more"
    );
    let log = read(&gateway.path(".router/runtime/events.log"));
    for secret in PLANTED.iter().chain(&[state]) {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_login_ends_in_a_credential_that_is_closed_to_others() {
    alone(
        "login::a_login_ends_in_a_credential_that_is_closed_to_others",
        || {
            for (edition, name) in [("plus", PLUS), ("mainline", MAINLINE)] {
                let gateway = gateway(edition, &[]);
                let login = Login::begin(&gateway, &QUICK);
                let state = login.state().to_owned();
                browse(&format!("code=good-planted-7731&state={state}"));
                let ended = login.end();
                assert_eq!(ended.code, 0, "{}", ended.err);
                let path = gateway.path(&format!(".router/auths/{name}"));
                assert_eq!(
                    ended.out,
                    format!("oauth_status=ok\nsaved_auth={}\n", path.display())
                );
                assert_eq!(mode(&gateway, name), 0o600, "the program saves it with 644");
                let (result, detail) = last_event(&gateway);
                assert_eq!(result, "success");
                assert_eq!(detail, format!("file=.router/auths/{name}"));
                assert!(!(ended.err + &ended.out + &detail).contains("planted-7731"));
                wait_for("the callback port to be given back", || {
                    !is_listening(CALLBACK)
                });
                assert_nothing_is_left(&gateway, &state);
            }
        },
    );
}

#[test]
fn a_login_that_nobody_finishes_times_out_and_is_ended() {
    alone(
        "login::a_login_that_nobody_finishes_times_out_and_is_ended",
        || {
            for edition in ["plus", "mainline"] {
                let gateway = gateway(edition, &[]);
                let before = names(&gateway);
                let login = Login::begin(&gateway, &[&QUICK[..], &["--timeout", "1"]].concat());
                let state = login.state().to_owned();
                let ended = login.end();
                assert_eq!(ended.code, 1);
                let said = "OAuth login failed: OAuth login timed out; last status=wait hint=";
                assert!(
                    ended.err.lines().any(|line| line.starts_with(said)),
                    "{}",
                    ended.err
                );
                assert_eq!(ended.out, "");
                let (result, detail) = last_event(&gateway);
                assert_eq!(result, "failed");
                assert_eq!(detail, "OAuth login timed out; last status=wait");
                assert_nothing_is_left(&gateway, &state);
                assert_eq!(names(&gateway), before);
            }
        },
    );
}

#[test]
fn a_login_that_is_denied_fails_in_the_words_of_the_program() {
    alone(
        "login::a_login_that_is_denied_fails_in_the_words_of_the_program",
        || {
            for (query, said) in [
                ("error=access_denied", "Bad Request"),
                (
                    "code=bad-planted-1",
                    "Token exchange failed with status 403",
                ),
                (
                    "code=offline-planted-1",
                    "Failed to exchange authorization code for tokens",
                ),
            ] {
                for edition in ["plus", "mainline"] {
                    let gateway = gateway(edition, &[]);
                    let login = Login::begin(&gateway, &QUICK);
                    let state = login.state().to_owned();
                    browse(&format!("{query}&state={state}"));
                    let ended = login.end();
                    assert_eq!(ended.code, 1);
                    let wanted = format!("OAuth login failed with status: error: {said}");
                    assert!(ended.err.contains(&wanted), "{}", ended.err);
                    assert!(!ended.err.contains("planted-1"), "{}", ended.err);
                    assert_eq!(last_event(&gateway), ("failed".into(), wanted));
                    wait_for("the callback port to be given back", || {
                        !is_listening(CALLBACK)
                    });
                    assert_nothing_is_left(&gateway, &state);
                }
            }
        },
    );
}

#[test]
fn an_ok_for_a_login_that_is_not_known_does_not_count() {
    alone(
        "login::an_ok_for_a_login_that_is_not_known_does_not_count",
        || {
            // Somebody else reads the error, which Plus tells once; then it says ok.
            let gateway = gateway("plus", &[]);
            let login = Login::begin(&gateway, &["codex", "--poll-interval", "3"]);
            browse(&format!("error=access_denied&state={}", login.state()));
            let key = format!("Authorization: Bearer {MANAGEMENT_KEY}\r\n");
            let path = format!("/v0/management/get-auth-status?state={}", login.state());
            wait_for("the error", || {
                get(gateway.proxy, &path, &key).contains("Bad Request")
            });
            assert!(get(gateway.proxy, &path, &key).contains(r#"{"status":"ok"}"#));
            let ended = login.end();
            assert_eq!(ended.code, 1);
            assert!(
                ended
                    .err
                    .contains("answered ok, but no new credential is in .router/auths"),
                "{}",
                ended.err
            );
            let (result, detail) = last_event(&gateway);
            assert_eq!(result, "failed");
            assert!(detail.ends_with("reason=not-saved"), "{detail}");
        },
    );
}

#[test]
fn a_service_that_is_restarted_meanwhile_has_forgotten_the_login() {
    alone(
        "login::a_service_that_is_restarted_meanwhile_has_forgotten_the_login",
        || {
            let mut gateway = gateway("plus", &[]);
            let login = Login::begin(&gateway, &["codex", "--poll-interval", "4"]);
            gateway.process("cliproxyapi_plus").kill();
            gateway.start("cliproxyapi_plus");
            // What it renews by itself at its start is no login.
            gateway.write_token(
                "codex-ana@example.com.json",
                r#"{"type":"codex","refresh_token":"rt-renewed-0001"}"#,
                0o600,
            );
            let ended = login.end();
            assert_eq!(ended.code, 1);
            assert!(
                ended.err.contains("was restarted meanwhile"),
                "{}",
                ended.err
            );
        },
    );
}

#[test]
fn a_service_that_ends_half_way_is_not_waited_for() {
    alone(
        "login::a_service_that_ends_half_way_is_not_waited_for",
        || {
            let mut gateway = gateway("plus", &[]);
            let login = Login::begin(&gateway, &QUICK);
            let state = login.state().to_owned();
            gateway.process("cliproxyapi_plus").kill();
            let ended = login.end();
            assert_eq!(ended.code, 1);
            assert!(
                ended
                    .err
                    .contains("cliproxyapi_plus ended while the login waited"),
                "{}",
                ended.err
            );
            assert!(ended.err.contains("readiness/"), "{}", ended.err);
            assert_eq!(last_event(&gateway).0, "failed");
            assert_nothing_is_left(&gateway, &state);
        },
    );
}

#[test]
fn a_callback_port_that_is_held_is_named_before_anything_is_asked() {
    alone(
        "login::a_callback_port_that_is_held_is_named_before_anything_is_asked",
        || {
            let gateway = gateway("plus", &[]);
            let holders: [fn() -> TcpListener; 2] = [
                || TcpListener::bind((Ipv4Addr::LOCALHOST, CALLBACK)).unwrap(),
                || TcpListener::bind((Ipv6Addr::LOCALHOST, CALLBACK)).unwrap(),
            ];
            for hold in holders {
                let _holder = hold();
                let ended = Login::start(&gateway, &QUICK).end();
                assert_eq!(ended.code, 1);
                assert_eq!(ended.out, "");
                assert!(
                    ended.err.contains("callback port 1455 is held"),
                    "{}",
                    ended.err
                );
                assert!(
                    ended.err.contains("oauth-login/callback-port-busy"),
                    "{}",
                    ended.err
                );
                let pid = format!("pid {}", std::process::id());
                assert!(ended.err.contains(&pid), "{}", ended.err);
            }
            assert_eq!(asked(&gateway, "/v0/management/codex-auth-url"), 0);
        },
    );
}

#[test]
fn of_two_logins_at_once_the_first_goes_on_and_the_second_says_who_is_there() {
    alone(
        "login::of_two_logins_at_once_the_first_goes_on_and_the_second_says_who_is_there",
        || {
            let gateway = gateway("plus", &[]);
            let first = Login::begin(&gateway, &QUICK);
            let ended = Login::start(&gateway, &QUICK).end();
            assert_eq!(ended.code, 1);
            let said = format!(
                "another login of codex is under way (pid {})",
                first.child.id()
            );
            assert!(ended.err.contains(&said), "{}", ended.err);
            browse(&format!("code=good-1&state={}", first.state()));
            assert_eq!(first.end().code, 0);
            assert_eq!(last_event(&gateway).0, "success");
        },
    );
}

#[test]
fn a_signal_ends_the_login_and_what_listens_for_it() {
    alone(
        "login::a_signal_ends_the_login_and_what_listens_for_it",
        || {
            for edition in ["plus", "mainline"] {
                for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
                    let gateway = gateway(edition, &[]);
                    let before = names(&gateway);
                    let login = Login::begin(&gateway, &["codex"]);
                    let state = login.state().to_owned();
                    assert!(is_listening(CALLBACK));
                    login.signal(signal);
                    let ended = login.end();
                    assert_eq!(ended.code, code, "{}", ended.err);
                    assert_eq!(
                        last_event(&gateway),
                        ("failed".into(), "interrupted".into())
                    );
                    assert_nothing_is_left(&gateway, &state);
                    assert_eq!(names(&gateway), before);
                }
            }
        },
    );
}

#[test]
fn an_address_is_pasted_where_the_browser_runs_elsewhere() {
    alone(
        "login::an_address_is_pasted_where_the_browser_runs_elsewhere",
        || {
            for (edition, name) in [("plus", PLUS), ("mainline", MAINLINE)] {
                let gateway = gateway(edition, &[]);
                let mut login =
                    Login::begin(&gateway, &[&QUICK[..], &["--paste-callback"]].concat());
                let state = login.state().to_owned();
                let mut stdin = login.child.stdin.take().unwrap();
                // Two that are not it, then the right one.
                writeln!(stdin, "{}", login.url).unwrap();
                writeln!(
                    stdin,
                    "http://localhost:1455/auth/callback?code=good-9&state=other"
                )
                .unwrap();
                writeln!(
                    stdin,
                    "http://localhost:1455/auth/callback?code=good-planted-9&state={state}"
                )
                .unwrap();
                let ended = login.end();
                assert_eq!(ended.code, 0, "{}", ended.err);
                assert!(
                    ended.err.contains("that is the address to open"),
                    "{}",
                    ended.err
                );
                assert!(
                    ended.err.contains("belongs to another login"),
                    "{}",
                    ended.err
                );
                assert!(!ended.err.contains("planted-9"), "{}", ended.err);
                assert!(
                    ended.err.contains("ssh -L 1455:127.0.0.1:1455"),
                    "{}",
                    ended.err
                );
                assert_eq!(mode(&gateway, name), 0o600);
            }
        },
    );
}

#[test]
fn copilot_is_logged_in_by_the_flag_of_plus_and_judged_by_its_lines() {
    alone(
        "login::copilot_is_logged_in_by_the_flag_of_plus_and_judged_by_its_lines",
        || {
            for (person, code, said) in [
                ("ok", 0, "saved_auth="),
                ("denied", 1, "Authentication was cancelled or denied."),
                (
                    "no-subscription",
                    1,
                    "may not have an active Copilot subscription",
                ),
            ] {
                let gateway = gateway("plus", &[]);
                set_person(&gateway, person);
                let login = Login::begin(&gateway, &["copilot"]);
                assert_eq!(login.url, "https://github.com/login/device");
                let mut login = login;
                login.url.clear();
                let ended = login.end();
                assert_eq!(ended.code, code, "{person}: {}", ended.err);
                assert!(
                    ended.out.starts_with("user_code=WDJB-MJHT\n"),
                    "{}",
                    ended.out
                );
                assert!((ended.out + &ended.err).contains(said), "{}", ended.err);
                if code == 0 {
                    assert_eq!(mode(&gateway, "github-copilot-ana.json"), 0o600);
                }
            }
        },
    );
}

/// What the person of the stand-in does, in the environment that the service is given.
fn set_person(gateway: &Gateway, person: &str) {
    let head = "  cliproxyapi_plus:\n";
    gateway.edit(
        "config/flowgate.yaml",
        head,
        &format!("{head}    env:\n      FLOWGATE_STANDIN_COPILOT: \"{person}\"\n"),
    );
}

#[test]
fn the_program_of_a_login_is_gone_after_a_signal() {
    alone(
        "login::the_program_of_a_login_is_gone_after_a_signal",
        || {
            let gateway = gateway("plus", &[]);
            let mut login = Login::begin(&gateway, &["copilot"]);
            login.url.clear();
            let children = format!("/proc/{0}/task/{0}/children", login.child.id());
            let child = read(std::path::Path::new(&children));
            let child: u32 = child.trim().parse().unwrap();
            login.signal(Signal::INT);
            assert_eq!(login.end().code, 130);
            assert!(!std::path::Path::new(&format!("/proc/{child}")).exists());
            assert_eq!(
                last_event(&gateway),
                ("failed".into(), "interrupted".into())
            );
        },
    );
}

#[test]
fn a_build_without_copilot_says_so() {
    alone("login::a_build_without_copilot_says_so", || {
        let gateway = gateway("mainline", &[]);
        let ended = Login::start(&gateway, &["copilot"]).end();
        assert_eq!(ended.code, 1);
        assert!(
            ended
                .err
                .contains("CLIProxyAPI 7.2.140 has no login for copilot"),
            "{}",
            ended.err
        );
    });
}

#[test]
fn a_key_that_is_not_right_is_never_sent() {
    alone("login::a_key_that_is_not_right_is_never_sent", || {
        let gateway = gateway("mainline", &[]);
        gateway.keep_management_key("another-planted-key-1");
        for _ in 0..6 {
            let ended = Login::start(&gateway, &QUICK).end();
            assert_eq!(ended.code, 1);
            assert!(ended.err.contains("it was not sent"), "{}", ended.err);
            assert!(
                ended.err.contains("oauth-login/management-key-mismatch"),
                "{}",
                ended.err
            );
        }
        assert_eq!(asked(&gateway, "/v0/"), 0);
        // And so nobody is banned.
        gateway.keep_management_key(MANAGEMENT_KEY);
        let login = Login::begin(&gateway, &QUICK);
        browse(&format!("code=good-1&state={}", login.state()));
        assert_eq!(login.end().code, 0);
    });
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test replaces its own file, as editors do"
)]
fn a_running_service_with_another_key_is_asked_twice_at_most() {
    alone(
        "login::a_running_service_with_another_key_is_asked_twice_at_most",
        || {
            let gateway = gateway("mainline", &[]);
            // The file was replaced, which the service does not see: its key is another one now.
            let path = gateway.path("config/cliproxyapi.yaml");
            let hash = bcrypt::hash("another-planted-key-2", 4).unwrap();
            let text: String = read(&path)
                .lines()
                .map(|line| match line.contains("secret-key") {
                    true => format!("  secret-key: \"{hash}\"\n"),
                    false => format!("{line}\n"),
                })
                .collect();
            // Renamed over: a file that is removed first may hand its inode on.
            crate::process::write(&path.with_extension("new"), &text, 0o600);
            std::fs::rename(path.with_extension("new"), &path).unwrap();
            gateway.keep_management_key("another-planted-key-2");
            for _ in 0..4 {
                let ended = Login::start(&gateway, &QUICK).end();
                assert_eq!(ended.code, 1);
                assert!(
                    ended.err.contains("management key was refused"),
                    "{}",
                    ended.err
                );
            }
            let of_logins = asked(&gateway, "/v0/management/auth-files");
            // Each look of the doctor afterwards asks once.
            assert_eq!(of_logins, 2 + 4);
        },
    );
}

#[test]
fn dead_paths_of_flowgate_yaml_are_translated_with_a_word() {
    alone(
        "login::dead_paths_of_flowgate_yaml_are_translated_with_a_word",
        || {
            let gateway = gateway("plus", &[]);
            let base = "/v0/management/";
            for (right, dead) in [
                ("codex-auth-url?is_webui=true", "oauth/codex/auth-url"),
                ("get-auth-status", "oauth/codex/status"),
            ] {
                gateway.edit(
                    "config/flowgate.yaml",
                    &format!("{base}{right}"),
                    &format!("{base}{dead}"),
                );
            }
            let login = Login::begin(&gateway, &QUICK);
            browse(&format!("code=good-1&state={}", login.state()));
            let ended = login.end();
            assert_eq!(ended.code, 0, "{}", ended.err);
            for path in ["codex-auth-url?is_webui=true", "get-auth-status"] {
                let word = format!("asked instead: {base}{path}");
                assert!(ended.err.contains(&word), "{}", ended.err);
            }
        },
    );
}

#[test]
fn a_service_that_does_not_run_is_named_with_what_to_type() {
    let gateway = Gateway::new();
    let ended = Login::start(&gateway, &QUICK).end();
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("nobody answers there"), "{}", ended.err);
    assert!(
        ended.err.contains("service start cliproxyapi_plus"),
        "{}",
        ended.err
    );
    assert_eq!(last_event(&gateway).0, "failed");
}

#[test]
fn a_provider_that_nobody_knows_is_a_usage_error() {
    let gateway = Gateway::new();
    for args in [&["acme"][..], &["claude"][..]] {
        let ended = Login::start(&gateway, args).end();
        assert_eq!(ended.code, 2);
        assert_eq!(
            ended.err,
            format!(
                "OAuth provider not configured: {}; available=codex\n",
                args[0]
            )
        );
        assert_eq!(
            last_event(&gateway),
            ("failed".into(), "provider-not-configured".into())
        );
    }
    gateway.edit("config/flowgate.yaml", "    codex:\n", "    acme:\n");
    gateway.edit(
        "config/flowgate.yaml",
        "      status_endpoint",
        "      other",
    );
    let ended = Login::start(&gateway, &["acme"]).end();
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .ends_with("OAuth endpoints not complete for provider=acme\n"),
        "{}",
        ended.err
    );
}
