//! Completions, man pages and the version.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory;
use flowgate::cli::Cli;

#[expect(clippy::disallowed_methods, reason = "a test runs the program")]
fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .args(args)
        .output()
        .unwrap()
}

fn said(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the commands: those that are shown, and those that are not.
fn names() -> (Vec<String>, Vec<String>) {
    let whole = Cli::command();
    let (hidden, shown): (Vec<_>, Vec<_>) = whole
        .get_subcommands()
        .partition(|command| command.is_hide_set());
    let names = |commands: Vec<&clap::Command>| {
        let names = commands.iter().map(|command| command.get_name().to_owned());
        names.collect()
    };
    (names(shown), names(hidden))
}

#[test]
fn completions_name_every_command_that_people_see_and_no_other() {
    let (shown, hidden) = names();
    assert!(!hidden.is_empty());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&["completions", shell]);
        for name in &shown {
            assert!(script.contains(name.as_str()), "{shell}: {name}");
        }
        for name in &hidden {
            assert!(!script.contains(name.as_str()), "{shell}: {name}");
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks the shell")]
fn bash_completes_a_command() {
    let mut script = said(&["completions", "bash"]);
    script.push_str(
        "COMP_WORDS=(flowgate doctor --form)\nCOMP_CWORD=2\n\
         _flowgate flowgate --form doctor\necho \"${COMPREPLY[@]}\"\n",
    );
    let mut bash = Command::new("bash")
        .args(["--norc", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    bash.stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "--format");
}

#[test]
fn every_command_has_its_man_page() {
    let page = said(&["man"]);
    for name in names().0 {
        let escaped = name.replace('-', "\\-");
        assert!(page.contains(&format!("flowgate\\-{escaped}(1)")), "{name}");
        let own = said(&["man", &name]);
        assert!(own.contains(&format!(".TH flowgate-{name} 1")), "{own}");
        assert!(own.contains(".SH SYNOPSIS"), "{own}");
    }
    assert_eq!(run(&["man", "nothing"]).status.code(), Some(2));
}

#[test]
fn the_version_is_that_of_the_package_and_maybe_a_commit() {
    let said = said(&["--version"]);
    let rest = said
        .trim()
        .strip_prefix(concat!("flowgate ", env!("CARGO_PKG_VERSION")))
        .unwrap();
    let is_commit = |text: &str| text.len() >= 7 && text.chars().all(|c| c.is_ascii_alphanumeric());
    let commit = rest
        .strip_prefix(" (")
        .and_then(|rest| rest.strip_suffix(')'));
    assert!(rest.is_empty() || commit.is_some_and(is_commit), "{said}");
}
