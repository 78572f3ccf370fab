use flowgate_checks::model::{Mode, Severity, Spec, Subject};

use super::*;

static SPEC: Spec = Spec {
    id: "readiness/not-running",
    severity: Severity::Error,
    impact: flowgate_checks::model::Impact::Outage,
    title: "a service does not run",
};

fn finding(subject: &str) -> Finding {
    Finding::new(&SPEC, Subject::Service(subject.into()), "symptom", "cause")
}

fn fix(steps: Vec<Step>) -> Fix {
    Fix::new("fix", Safety::Safe, format!("{steps:?}"), Vec::new()).with_steps(steps)
}

fn mode(path: &str) -> Step {
    Step::SetMode {
        path: path.into(),
        from: Mode(0o644),
        to: Mode(0o600),
    }
}

fn set(file: &str, path: &str) -> Step {
    Step::SetValue {
        file: file.into(),
        path: path.into(),
        from: None,
        to: flowgate_checks::model::Value::Literal(flowgate_checks::model::Literal::Int(1)),
    }
}

fn start(service: &str) -> Step {
    Step::StartService {
        service: service.into(),
    }
}

fn restart(service: &str) -> Step {
    Step::RestartService {
        service: service.into(),
    }
}

fn plan_of(fixes: &[Vec<Step>]) -> Vec<PlannedRun> {
    let findings: Vec<Finding> = (0..fixes.len())
        .map(|index| finding(&index.to_string()))
        .collect();
    let fixes: Vec<Fix> = fixes.iter().map(|steps| fix(steps.clone())).collect();
    let chosen: Vec<(&Finding, &Fix)> = findings.iter().zip(&fixes).collect();
    plan(
        &chosen,
        &Snapshot::new("2026-11-24T10:00:00Z".parse().unwrap()),
    )
}

#[test]
fn roots_that_share_a_step_or_a_file_are_one_run() {
    let runs = plan_of(&[
        vec![set("a", "x"), restart("litellm")],
        vec![start("other")],
        vec![set("b", "y"), restart("litellm")],
        vec![set("b", "z")],
        vec![mode("c")],
    ]);
    let roots: Vec<usize> = runs.iter().map(|run| run.roots.len()).collect();
    assert_eq!(
        roots,
        [1, 3, 1],
        "the mode first, then in the order of the report"
    );
    assert_eq!(
        runs[1].steps,
        [
            set("a", "x"),
            set("b", "y"),
            set("b", "z"),
            restart("litellm")
        ],
        "each once, and config before restart"
    );
}

#[test]
fn steps_are_done_in_the_order_that_harms_nobody() {
    let runs = plan_of(&[vec![
        start("litellm"),
        restart("litellm"),
        set("a", "x"),
        Step::StopService {
            service: "litellm".into(),
        },
        mode("a"),
        mode("a"),
    ]]);
    assert_eq!(
        runs[0].steps,
        [
            mode("a"),
            Step::StopService {
                service: "litellm".into()
            },
            set("a", "x"),
            restart("litellm"),
        ]
    );
}
