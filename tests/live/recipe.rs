//! `docs/json.md`: its CI recipe, word for word, and the documents that it shows.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::gateway::{FLOWGATE, Gateway};
use crate::supervised::Supervised;

fn docs() -> String {
    crate::process::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md"))
}

/// The names at the top of a document and of its first service.
fn names(document: &Value) -> [Vec<String>; 2] {
    [document, &document["services"][0]].map(|value| {
        let names = value.as_object().unwrap().keys().cloned();
        names.collect::<Vec<_>>()
    })
}

/// The script in the docs.
fn script() -> String {
    let docs = docs();
    let (_, rest) = docs.split_once("```bash\n#!/usr/bin/env bash\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Runs it in a gateway's folder, and gives its exit code.
#[expect(clippy::disallowed_methods, reason = "a test runs the recipe")]
fn run(gateway: &Gateway, wait: &str) -> i32 {
    let programs = Path::new(FLOWGATE).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["-c", &script(), "doctor.sh", wait])
        .current_dir(gateway.path("."))
        .env("PATH", format!("{}:{path}", programs.display()))
        .output()
        .unwrap();
    output.status.code().unwrap()
}

#[test]
fn the_recipe_passes_a_gateway_that_serves_and_leaves_its_artifacts() {
    let gateway = Gateway::running();
    assert_eq!(run(&gateway, "20s"), 0);
    let suite = crate::process::read(&gateway.path("doctor.xml"));
    assert!(suite.contains("failures=\"0\" errors=\"0\""), "{suite}");
    let page = crate::process::read(&gateway.path("doctor.html"));
    assert!(page.contains("nothing wrong found"), "{page}");
}

#[test]
fn the_recipe_fails_a_gateway_that_does_not_run_and_every_form_says_why() {
    let gateway = Gateway::new();
    assert_eq!(run(&gateway, "1s"), 1);
    let suite = crate::process::read(&gateway.path("doctor.xml"));
    assert!(suite.contains("readiness/not-running"), "{suite}");
    let page = crate::process::read(&gateway.path("doctor.html"));
    assert!(page.contains("readiness/not-running"), "{page}");
    for planted in crate::gateway::PLANTED {
        assert!(!suite.contains(planted) && !page.contains(planted));
    }
}

#[test]
fn the_documents_have_the_names_that_the_docs_show() {
    let gateway = Supervised::new(&[]);
    let docs = docs();
    for command in ["service start all", "status", "health"] {
        let (_, rest) = docs
            .split_once(&format!("## `flowgate {command} --json`"))
            .unwrap();
        let (_, rest) = rest.split_once("```json").unwrap();
        let shown: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--json");
        let said = gateway.flowgate(&words);
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(names(&document), names(&shown), "{command}: {}", said.out);
    }
}
