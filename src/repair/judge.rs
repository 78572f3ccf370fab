//! Whether the runs of a round are kept: looked at until nothing is on its way any more, each judged by
//! itself.

use std::time::{Duration, Instant};

use flowgate_checks::model::Step;

use super::apply::Stopped;
use super::error::RepairError;
use super::rounds::full;
use super::transaction::{Begun, Transaction};
use super::verify::{self, Look};
use crate::doctor::Seen;

/// The pause between two looks at services that are on their way.
const PAUSE: Duration = Duration::from_millis(300);

/// So long something may take to be seen that no service has to do with.
const MOMENT: Duration = Duration::from_secs(2);

impl Transaction<'_> {
    /// Looks until the findings are gone, or nothing is on its way any more; gives the last look.
    pub(super) fn settled(&self, begun: &[Begun<'_>]) -> Result<(Seen, Look), RepairError> {
        let applied = || begun.iter().filter(|run| run.stopped.is_none());
        let steps = || applied().flat_map(|run| &run.planned.steps);
        let mut services: Vec<&str> = steps().filter_map(started).collect();
        // A new supervisor takes over every service, and starts those that should run.
        if steps().any(is_of_the_supervisor) {
            services.extend(self.before.snapshot.services.keys().map(String::as_str));
        }
        let patience = services
            .iter()
            .map(|service| self.services.ready_timeout(service))
            .max();
        let deadline = Instant::now() + patience.unwrap_or(MOMENT).max(MOMENT);
        let quiet = Instant::now() + MOMENT;
        loop {
            let seen = (self.look)().map_err(|error| RepairError::Look(error.to_string()))?;
            let look = full(&seen);
            let is_well = applied().all(|run| self.why_not_kept(run, begun, &look).is_none());
            let is_passing = services.iter().any(|service| look.is_settling(service));
            let now = Instant::now();
            if is_well
                || applied().next().is_none()
                || now >= deadline
                || (!is_passing && now >= quiet)
            {
                return Ok((seen, look));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Why a run is not kept; nothing when it is.
    pub(super) fn why_not_kept(
        &self,
        run: &Begun<'_>,
        all: &[Begun<'_>],
        after: &Look,
    ) -> Option<String> {
        if let Some(stopped) = &run.stopped {
            return Some(self.explained(run, stopped, after));
        }
        let staying = run
            .planned
            .roots
            .iter()
            .find_map(|root| verify::why_not_gone(root, &self.before, after));
        if let Some(symptom) = staying {
            return Some(format!("it did not help: {symptom}"));
        }
        let harms = verify::new_errors(&self.before, after);
        let harm = harms
            .iter()
            .filter(|(_, was_fine)| *was_fine)
            .find(|(harm, _)| {
                let concerns = |run: &Begun<'_>| touches(run, &harm.subject.to_string());
                concerns(run) || !all.iter().any(concerns)
            });
        harm.map(|(harm, _)| format!("it did harm: {}", harm.symptom))
    }

    /// Why a step did not work, and who is to blame where the look shows it.
    fn explained(&self, run: &Begun<'_>, stopped: &Stopped, after: &Look) -> String {
        let why = stopped.why.to_string();
        let service = run.planned.steps.get(stopped.step).and_then(started);
        let culprit = service.and_then(|service| {
            after.report.roots().find(|root| {
                // The same finding with another culprit says something new.
                let is_known = run.planned.symptoms.contains(&root.symptom);
                let is_about = root.subject.to_string() == service
                    || root
                        .explains
                        .iter()
                        .any(|key| key.ends_with(&format!(":{service}")));
                is_about && !is_known && !root.spec.id.starts_with("readiness/not-running")
            })
        });
        match culprit {
            Some(culprit) => format!("{why}: {}", culprit.symptom),
            None => why,
        }
    }
}

/// The service that a step lets run.
fn started(step: &Step) -> Option<&str> {
    match step {
        Step::StartService { service }
        | Step::RestartService { service }
        | Step::ContinueService { service, .. } => Some(service),
        _ => None,
    }
}

/// Whether a step makes another supervisor.
fn is_of_the_supervisor(step: &Step) -> bool {
    matches!(
        step,
        Step::StartSupervisor | Step::RestartSupervisor { .. } | Step::ReexecSupervisor
    )
}

/// Whether a run has to do with a subject: a service, a file.
fn touches(run: &Begun<'_>, subject: &str) -> bool {
    let names = |step: &Step| {
        let target = super::steps::target(step);
        target == subject || target.starts_with(&format!("{subject}:"))
    };
    run.planned.steps.iter().any(names)
}
