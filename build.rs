//! The version that `flowgate --version` tells: that of the package, and the commit of a release build.

#![expect(clippy::disallowed_methods, reason = "a build script asks git")]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=FLOWGATE_COMMIT");
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit() {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=FLOWGATE_VERSION={version}");
}

/// What a packager says, else what git says of a release build. A build for tests names none, so
/// that a commit alone makes nothing stale.
fn commit() -> Option<String> {
    if let Ok(given) = std::env::var("FLOWGATE_COMMIT") {
        let is_plain = given.chars().all(|c| c.is_ascii_alphanumeric());
        return (is_plain && !given.is_empty()).then_some(given);
    }
    if std::env::var("PROFILE").as_deref() != Ok("release") || !is_our_repository() {
        return None;
    }
    // HEAD changes with the branch, the branch with a commit; both may lie outside this folder.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// Sources that were unpacked inside another repository have nothing to do with its commits.
fn is_our_repository() -> bool {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize();
    let top = git(&["rev-parse", "--show-toplevel"]).map(|top| Path::new(&top).canonicalize());
    matches!((here, top), (Ok(here), Some(Ok(top))) if here == top)
}

/// The first line that git says; none without git or without a repository.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}
