//! Every form of every scenario says the same.

use flowgate::report::json_v1::Document;
use flowgate::report::{FailOn, html, junit};

use crate::scenario;

#[test]
fn every_form_agrees_on_the_roots_and_the_exit_code() {
    let folders = scenario::folders();
    assert!(folders.len() > 300);
    let gates = [FailOn::Error, FailOn::Warning, FailOn::Info, FailOn::Never];
    // Each scenario under one gate, each gate with a quarter of them.
    for (folder, fail_on) in folders.iter().zip(gates.into_iter().cycle()) {
        agree(&scenario::name(folder), &crate::report(folder, fail_on));
    }
}

fn agree(name: &str, report: &flowgate::report::Report) {
    let json = serde_json::to_value(Document::from(report)).unwrap();
    let page = crate::html::read(&html::render(report));
    let suite = crate::junit::read(&junit::render(report));
    let head = &suite.elements[0];
    let count = |name| head.get(name).parse::<usize>().unwrap();
    let (failures, errors) = (count("failures"), count("errors"));
    let exit = json["exitCode"].as_u64().unwrap();
    assert!(page.text.contains(&format!("exit {exit}")), "{name}");
    let expected = match (failures, errors) {
        (1.., _) => 1,
        (0, 1..) => 2,
        (0, 0) => 0,
    };
    assert_eq!(
        exit, expected,
        "{name}: {failures} failures, {errors} errors"
    );
    assert_eq!(suite.named("failure").count(), failures, "{name}");
    assert_eq!(suite.named("error").count(), errors, "{name}");
    assert_eq!(suite.named("testcase").count(), count("tests"), "{name}");
    for finding in json["findings"].as_array().unwrap() {
        let symptom = finding["symptom"].as_str().unwrap();
        assert!(page.text.contains(symptom), "{name}: {symptom}");
        if finding["causedBy"].as_array().unwrap().is_empty() {
            assert!(suite.text.contains(symptom), "{name}: {symptom}");
        }
    }
}
