//! A run that ends before there is a report says so in the form that was asked for.

use std::process::{Command, Output};

#[expect(clippy::disallowed_methods, reason = "a test runs the program")]
fn run(format: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowgate"))
        .args([
            "doctor",
            "--from",
            "/no/<b>such</b>.json",
            "--format",
            format,
        ])
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[test]
fn every_form_tells_an_early_failure_with_one_exit_code() {
    for format in ["text", "json", "html", "junit"] {
        let output = run(format);
        assert_eq!(output.status.code(), Some(2), "{format}");
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let said = if format == "text" { &err } else { &out };
        assert!(said.contains("such"), "{format}: {out}{err}");
        match format {
            "text" => assert!(out.is_empty(), "{out}"),
            _ => assert!(err.is_empty(), "{format}: {err}"),
        }
        match format {
            "html" => {
                let page = crate::html::read(&out);
                assert!(page.text.contains("<b>such</b>"), "{out}");
                assert!(page.text.contains("exit 2"), "{out}");
            }
            "junit" => {
                let suite = crate::junit::read(&out);
                assert_eq!(suite.elements[0].get("errors"), "1");
                let error = suite.named("error").next().unwrap();
                assert!(error.get("message").contains("<b>such</b>"), "{out}");
            }
            _ => {}
        }
    }
}
