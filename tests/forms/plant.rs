//! One text in every field of a report.

use flowgate::report::repair::{Repair, Round, Run, RunState, Skipped, Step, StepState};
use flowgate::report::{CheckRow, Moment, Report, Timing, Unknown};
use flowgate_checks::chain::Hop;
use flowgate_checks::changes::Change;
use flowgate_checks::model::{Evidence, Finding, Fix, Subject, UnknownDatum};

/// Puts the text into every field that holds text. No field can be left out: a new one does not
/// compile until it is named here.
pub fn plant(report: &mut Report, text: &str) {
    let Report {
        run_id,
        generated_at: _,
        duration_ms: _,
        config_path,
        config_shown,
        command,
        ok: _,
        fail_on: _,
        exit_code: _,
        summary: _,
        chain,
        checks,
        findings,
        unknowns,
        since,
        changes,
        timings,
        machine,
        timeline,
        // They mute nothing here.
        mutes: _,
        repair,
    } = report;
    *repair = Some(repaired(text));
    for said in since.values_mut() {
        text.clone_into(said);
    }
    changes.push(Change {
        service: String::new(),
        what: String::new(),
        before: None,
        after: None,
        explains: Vec::new(),
    });
    for change in changes {
        let Change {
            service,
            what,
            before,
            after,
            explains,
        } = change;
        *explains = vec![text.to_owned()];
        text.clone_into(service);
        text.clone_into(what);
        *before = Some(text.to_owned());
        *after = Some(text.to_owned());
    }
    for field in [run_id, config_path, config_shown, command] {
        text.clone_into(field);
    }
    *machine = vec![text.to_owned()];
    for hop in chain {
        let Hop {
            hop,
            address,
            state: _,
            detail,
        } = hop;
        text.clone_into(hop);
        *address = Some(text.to_owned());
        *detail = Some(text.to_owned());
    }
    for row in checks {
        let CheckRow {
            id: _,
            section: _,
            status: _,
            reason,
        } = row;
        *reason = Some(text.to_owned());
    }
    findings
        .iter_mut()
        .for_each(|finding| in_finding(finding, text));
    for unknown in unknowns {
        let Unknown { check: _, datum } = unknown;
        let UnknownDatum {
            what,
            why,
            command,
            optional: _,
        } = datum;
        text.clone_into(what);
        text.clone_into(why);
        *command = Some(text.to_owned());
    }
    *timings = vec![Timing {
        probe: text.to_owned(),
        ms: 7,
    }];
    for moment in timeline {
        let Moment {
            at: _,
            service,
            kind: _,
            text: words,
        } = moment;
        text.clone_into(service);
        text.clone_into(words);
    }
}

/// A repair with a run of every state.
fn repaired(text: &str) -> Repair {
    let run = |state| Run {
        run_id: Some(text.to_owned()),
        root: text.to_owned(),
        roots: vec![text.to_owned()],
        fix: text.to_owned(),
        title: text.to_owned(),
        state,
        reason: Some(text.to_owned()),
        diff: Some(text.to_owned()),
        restored: Some(text.to_owned()),
        steps: vec![Step {
            kind: text.to_owned(),
            target: text.to_owned(),
            diff: Some(text.to_owned()),
            state: StepState::Failed,
            error: Some(text.to_owned()),
        }],
    };
    Repair {
        group_id: Some(text.to_owned()),
        mode: text.to_owned(),
        dry_run: true,
        rounds: vec![Round {
            n: 1,
            runs: [
                RunState::Planned,
                RunState::Kept,
                RunState::RolledBack,
                RunState::Recovered,
                RunState::Refused,
            ]
            .map(run)
            .to_vec(),
        }],
        skipped: vec![Skipped {
            fix: text.to_owned(),
            reason: text.to_owned(),
        }],
        uncovered: vec![text.to_owned()],
    }
}

fn in_finding(finding: &mut Finding, text: &str) {
    let Finding {
        spec: _,
        subject,
        severity: _,
        impact: _,
        confidence: _,
        symptom,
        cause,
        brief,
        evidence,
        fixes,
        caused_by,
        explains,
    } = finding;
    *subject = Subject::File(text.to_owned());
    for field in [symptom, cause, brief] {
        text.clone_into(field);
    }
    for key in caused_by.iter_mut().chain(explains) {
        let id = key.split(':').next().unwrap().to_owned();
        *key = format!("{id}:{text}");
    }
    for row in evidence {
        let Evidence {
            what,
            observed,
            expected,
            source,
            command,
        } = row;
        for field in [what, observed, source] {
            text.clone_into(field);
        }
        *expected = Some(text.to_owned());
        *command = Some(text.to_owned());
    }
    for fix in fixes {
        // The steps of a fix are data for a repair; no form shows them.
        let Fix {
            id,
            title,
            safety: _,
            reversible: _,
            commands,
            steps: _,
        } = fix;
        text.clone_into(id);
        text.clone_into(title);
        *commands = vec![text.to_owned()];
    }
}
