//! The report as JUnit XML: one testsuite with one testcase for each check.
//!
//! Made for the strict schema of the Ant tasks (`testsuite` with all attributes, one outcome for a
//! testcase, a timestamp without zone), which the looser ones of CI systems take too.

use std::io::{self, Write};

use flowgate_checks::model::Finding;
use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::repair::Repair;
use super::verdict::verdict;
use super::{CheckRow, CheckStatus, Report};

/// One check as a CI system counts it.
struct Case<'a> {
    name: &'a str,
    outcome: Outcome,
}

/// What became of a check; a testcase holds one.
enum Outcome {
    Passed,
    Skipped,
    /// A root at or above `--fail-on`.
    Failure(Why),
    /// It has no verdict, and that counts; or there is no report at all.
    Error(Why),
}

struct Why {
    kind: String,
    message: String,
    text: String,
}

/// The head of a testsuite, and its only properties.
struct Suite {
    at: Timestamp,
    duration_ms: u64,
    exit_code: u8,
    said: String,
}

/// The report as XML.
pub fn render(report: &Report) -> String {
    let cases: Vec<Case<'_>> = report
        .checks
        .iter()
        .map(|check| Case {
            name: check.id,
            outcome: outcome(report, check),
        })
        .collect();
    let suite = Suite {
        at: report.generated_at,
        duration_ms: report.duration_ms,
        exit_code: report.exit_code,
        said: said(report),
    };
    document(&suite, &cases)
}

/// What stands there when there is no report: one testcase with an error.
pub fn failed(message: &str, hint: Option<&str>, exit_code: u8) -> String {
    let suite = Suite {
        at: Timestamp::now(),
        duration_ms: 0,
        exit_code,
        said: String::new(),
    };
    let why = Why {
        kind: "no-report".into(),
        message: message.to_owned(),
        text: hint.unwrap_or_default().to_owned(),
    };
    let case = Case {
        name: "report",
        outcome: Outcome::Error(why),
    };
    document(&suite, &[case])
}

fn outcome(report: &Report, check: &CheckRow) -> Outcome {
    let failures: Vec<&Finding> = report.failures(check).collect();
    if let Some(first) = failures.first() {
        return Outcome::Failure(Why {
            kind: first.spec.id.into(),
            message: first.symptom.clone(),
            text: failures.iter().map(|root| tell(report, root)).collect(),
        });
    }
    if check.status == CheckStatus::Skipped {
        return Outcome::Skipped;
    }
    if report.is_open(check) {
        return Outcome::Error(Why {
            kind: "unknown".into(),
            message: check.reason.clone().unwrap_or_default(),
            text: open_questions(report, check),
        });
    }
    Outcome::Passed
}

/// A root with what to do, as plain text.
fn tell(report: &Report, root: &Finding) -> String {
    let mut text = format!("{}\n{}\n", root.symptom, root.cause);
    for (index, fix) in root.fixes.iter().enumerate() {
        let label = if index == 0 { "do" } else { "or" };
        text.push_str(&format!("  {label}  {}\n", fix.title));
        for command in &fix.commands {
            text.push_str(&format!("      {command}\n"));
        }
    }
    for row in &root.evidence {
        let source = row.command.as_ref().unwrap_or(&row.source);
        text.push_str(&format!("  why {source}\n      {}\n", row.observed));
    }
    for effect in report.effects_of(root) {
        text.push_str(&format!("  hence {} {}\n", effect.subject, effect.brief));
    }
    text.push_str(&format!(
        "  more {} doctor explain {}\n",
        report.command, root.spec.id
    ));
    text
}

fn open_questions(report: &Report, check: &CheckRow) -> String {
    report
        .unknowns
        .iter()
        .filter(|unknown| unknown.check == check.id && !unknown.datum.optional)
        .map(|unknown| {
            let look = unknown.datum.command.as_ref();
            let look = look.map(|command| format!("  look {command}\n"));
            format!(
                "{}: {}\n{}",
                unknown.datum.what,
                unknown.datum.why,
                look.unwrap_or_default()
            )
        })
        .collect()
}

/// What no testcase holds: the verdict, what was repaired, what changed, and the roots below
/// `--fail-on`.
fn said(report: &Report) -> String {
    let mut text = format!("{}\n", verdict(report));
    if let Some(repair) = &report.repair {
        text.push_str(&repaired(repair));
    }
    for change in &report.changes {
        let value = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        text.push_str(&format!(
            "since {} was last ready: {} {} -> {}\n",
            change.service,
            change.what,
            value(&change.before),
            value(&change.after)
        ));
    }
    for root in report.heard_roots() {
        if !report.fail_on.includes(root.severity) {
            text.push_str(&tell(report, root));
        }
    }
    text
}

/// The runs, then what was uncovered and skipped, as plain text.
fn repaired(repair: &Repair) -> String {
    let mut text = String::new();
    for run in repair.runs() {
        let id = run.run_id.as_deref().unwrap_or("-");
        text.push_str(&format!(
            "run {id} {}: {} ({})\n",
            run.state.words(),
            run.said(),
            run.roots.join(", ")
        ));
        for line in run.reason.iter().chain(&run.restored) {
            text.push_str(&format!("  {line}\n"));
        }
        for step in &run.steps {
            let error = step.error.as_ref().map(|error| format!(": {error}"));
            text.push_str(&format!(
                "  step {} {}, {}{}\n",
                step.kind,
                step.target,
                step.state.words(),
                error.unwrap_or_default()
            ));
        }
        text.push_str(run.diff.as_deref().unwrap_or_default());
    }
    for key in &repair.uncovered {
        text.push_str(&format!("next {key}, not visible before\n"));
    }
    for skipped in &repair.skipped {
        text.push_str(&format!("skip {}: {}\n", skipped.fix, skipped.reason));
    }
    text
}

fn document(suite: &Suite, cases: &[Case<'_>]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // A vector takes every byte; if that were not so there would be no document.
    let _ = write(&mut writer, suite, cases);
    let mut text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

fn write<W: Write>(writer: &mut Writer<W>, suite: &Suite, cases: &[Case<'_>]) -> io::Result<()> {
    let count = |is: fn(&Outcome) -> bool| {
        let n = cases.iter().filter(|case| is(&case.outcome)).count();
        n.to_string()
    };
    let failures = count(|outcome| matches!(outcome, Outcome::Failure(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Error(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped));
    let tests = cases.len().to_string();
    let timestamp = suite.at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let time = seconds(suite.duration_ms);
    let exit = suite.exit_code.to_string();
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", "flowgate doctor"),
            ("timestamp", timestamp.as_str()),
            ("hostname", "localhost"),
            ("tests", tests.as_str()),
            ("failures", failures.as_str()),
            ("errors", errors.as_str()),
            ("skipped", skipped.as_str()),
            ("time", time.as_str()),
        ])
        .write_inner_content(|writer| {
            let properties = [
                ("version", env!("CARGO_PKG_VERSION")),
                ("exitCode", exit.as_str()),
            ];
            writer
                .create_element("properties")
                .write_inner_content(|writer| {
                    for (name, value) in properties {
                        writer
                            .create_element("property")
                            .with_attributes([("name", name), ("value", value)])
                            .write_empty()?;
                    }
                    Ok(())
                })?;
            for case in cases {
                write_case(writer, case)?;
            }
            let said = legal(&suite.said);
            writer
                .create_element("system-out")
                .write_text_content(BytesText::new(&said))?;
            writer
                .create_element("system-err")
                .write_text_content(BytesText::new(""))?;
            Ok(())
        })?;
    Ok(())
}

fn write_case<W: Write>(writer: &mut Writer<W>, case: &Case<'_>) -> io::Result<()> {
    // The checks run together on one look, so that none of them has a time of its own.
    let element = writer.create_element("testcase").with_attributes([
        ("name", case.name),
        ("classname", "flowgate.doctor"),
        ("time", "0"),
    ]);
    let (tag, why) = match &case.outcome {
        Outcome::Passed => return element.write_empty().map(drop),
        Outcome::Skipped => {
            return element
                .write_inner_content(|writer| {
                    writer.create_element("skipped").write_empty().map(drop)
                })
                .map(drop);
        }
        Outcome::Failure(why) => ("failure", why),
        Outcome::Error(why) => ("error", why),
    };
    element
        .write_inner_content(|writer| {
            let message = legal(&why.message);
            writer
                .create_element(tag)
                .with_attributes([("type", why.kind.as_str()), ("message", message.as_str())])
                .write_text_content(BytesText::new(&legal(&why.text)))
                .map(drop)
        })
        .map(drop)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// The text with what XML 1.0 cannot hold, not even escaped, replaced.
fn legal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}' => c,
            _ => '\u{FFFD}',
        })
        .collect()
}
