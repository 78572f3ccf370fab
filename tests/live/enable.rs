//! `service enable` and `disable`: what they write, and that they take back exactly that.

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::gateway::{FLOWGATE, Gateway, Said};
use crate::process::{read, write};
use crate::supervised::said;

/// A gateway of a user whose systemd only notes what it is asked.
struct Home {
    gateway: Gateway,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            gateway: Gateway::new(),
        };
        let note = format!(
            "#!/bin/sh\necho \"${{0##*/}} $*\" >> '{}'\n",
            home.asked_file().display()
        );
        for program in ["systemctl", "loginctl"] {
            write(&home.path(&format!("fake/{program}")), &note, 0o755);
        }
        home
    }

    fn path(&self, below: &str) -> PathBuf {
        self.gateway.path(below)
    }

    fn asked_file(&self) -> PathBuf {
        self.path("asked")
    }

    fn unit(&self) -> PathBuf {
        self.path(".config/systemd/user/flowgate.service")
    }

    fn link(&self) -> PathBuf {
        self.path(".config/systemd/user/default.target.wants/flowgate.service")
    }

    fn service(&self, verb: &str) -> Said {
        self.flowgate(&["service", verb], "fake")
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test runs the program under test"
    )]
    fn flowgate(&self, args: &[&str], path: &str) -> Said {
        let output = Command::new(FLOWGATE)
            .args(args)
            .current_dir(self.path("."))
            .env_clear()
            .env("PATH", self.path(path))
            .env("HOME", self.path("."))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("LAB_KEY", "lab-secret-0001")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        said(output)
    }

    /// Every file and link below the home, with what is in it.
    fn tree(&self) -> BTreeMap<PathBuf, String> {
        let mut tree = BTreeMap::new();
        let mut folders = vec![self.path(".")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.symlink_metadata().unwrap().is_dir() {
                    true => folders.push(path),
                    false => {
                        tree.insert(path.clone(), read(&path));
                    }
                }
            }
        }
        tree.remove(&self.path("./asked"));
        tree
    }
}

/// Says what systemd itself finds wrong with a unit.
#[expect(clippy::disallowed_methods, reason = "a test asks who knows")]
fn verify(unit: &Path) {
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--user"])
        .arg(unit)
        .env("XDG_RUNTIME_DIR", unit.parent().unwrap())
        .stdin(Stdio::null())
        .output();
    let Ok(verified) = verified else {
        #[expect(clippy::print_stderr, reason = "a test that did not run says so")]
        let () = eprintln!("SKIPPED, there is no systemd-analyze: the unit was not verified");
        return;
    };
    let verified = said(verified);
    assert_eq!(
        (verified.code, verified.err.as_str()),
        (0, ""),
        "{}",
        verified.out
    );
}

#[test]
fn a_unit_is_written_once_is_valid_and_is_taken_back_whole() {
    let home = Home::new();
    let before = home.tree();
    let enabled = home.service("enable");
    assert_eq!(enabled.code, 0, "{}", enabled.err);
    assert_eq!(enabled.out, "flowgate.service:enabled\n");
    assert!(
        enabled.err.contains(
            "no systemd manager of this user runs here; the unit counts from the next login on\n"
        ),
        "{}",
        enabled.err
    );
    let unit = read(&home.unit());
    let config = home.path("config/flowgate.yaml");
    let command = format!(
        "ExecStart=\"{FLOWGATE}\" --config \"{}\" run\n",
        config.display()
    );
    assert!(unit.contains(&command), "{unit}");
    assert_eq!(std::fs::read_link(home.link()).unwrap(), home.unit());
    verify(&home.unit());

    let with_unit = home.tree();
    let again = home.service("enable");
    assert_eq!(
        (again.code, again.out.as_str()),
        (0, "flowgate.service:enabled\n")
    );
    assert!(home.tree() == with_unit);

    let disabled = home.service("disable");
    assert_eq!(disabled.code, 0, "{}", disabled.err);
    assert_eq!(disabled.out, "flowgate.service:disabled\n");
    assert!(home.tree() == before);
    assert!(!home.link().parent().unwrap().exists());
    assert_eq!(home.service("disable").out, "flowgate.service:disabled\n");
}

#[test]
fn a_manager_that_runs_is_told_and_no_secret_is_copied() {
    let home = Home::new();
    home.gateway.edit(
        "config/flowgate.yaml",
        "litellm_base:",
        "litellm_base:\n  litellm_settings: {a: os.environ/LAB_KEY}",
    );
    std::fs::create_dir_all(home.path("run/systemd")).unwrap();
    let _manager = UnixListener::bind(home.path("run/systemd/private")).unwrap();
    let enabled = home.service("enable");
    assert_eq!(enabled.code, 0, "{}", enabled.err);
    let asked = read(&home.asked_file());
    let flags = "systemctl --user --no-ask-password --quiet";
    assert!(
        asked.starts_with(&format!(
            "{flags} daemon-reload\n{flags} enable flowgate.service\n"
        )),
        "{asked}"
    );
    assert!(
        enabled.err.contains("only this shell sets LAB_KEY:"),
        "{}",
        enabled.err
    );
    assert!(!read(&home.unit()).contains("lab-secret-0001"));
    assert!(!enabled.err.contains("lab-secret-0001"));
}

#[test]
fn a_unit_of_another_config_or_hand_is_left_alone_and_named() {
    let home = Home::new();
    assert_eq!(home.service("enable").code, 0);
    let other = home.path("other/config/flowgate.yaml");
    write(&other, &read(&home.path("config/flowgate.yaml")), 0o600);
    let tree = home.tree();
    let refused = |args: &[&str], word: &str, hint: &str| {
        let said = home.flowgate(args, "fake");
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.err);
        assert!(said.err.contains(word), "{}", said.err);
        assert!(said.err.contains(hint), "{}", said.err);
    };
    let config = home.path("config/flowgate.yaml");
    let other = other.display().to_string();
    for verb in ["enable", "disable"] {
        refused(
            &["--config", &other, "service", verb],
            "starts another gateway",
            &format!(
                "hint: flowgate --config {} service disable",
                config.display()
            ),
        );
    }
    assert!(home.tree() == tree);

    let edited = read(&home.unit()).replace("RestartSec=2", "RestartSec=60");
    write(&home.unit(), &edited, 0o644);
    for verb in ["enable", "disable"] {
        refused(&["service", verb], "flowgate.service was edited", "drop-in");
    }
    write(&home.unit(), "[Service]\nExecStart=/bin/true\n", 0o644);
    for verb in ["enable", "disable"] {
        refused(&["service", verb], "flowgate did not write", "");
    }
    assert_eq!(read(&home.unit()), "[Service]\nExecStart=/bin/true\n");
}

#[test]
fn without_systemd_and_for_one_service_it_is_one_sentence() {
    let home = Home::new();
    let said = home.flowgate(&["service", "enable"], "nowhere");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(
        said.err
            .starts_with("flowgate: this machine has no systemd;"),
        "{}",
        said.err
    );
    let said = home.flowgate(&["service", "enable", "litellm"], "fake");
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("all services start at login or none"),
        "{}",
        said.err
    );
    let said = home.flowgate(&["service", "enable", "nobody"], "fake");
    assert_eq!(
        (said.code, said.err.as_str()),
        (2, "Unknown service: nobody\n")
    );
    assert!(!home.path(".config").exists());
}
