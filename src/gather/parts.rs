//! Parts of a look, for commands that need one answer at once. They leave the rest of the snapshot
//! empty, so no check may be run on them but the one that the part is for.

use std::path::PathBuf;
use std::time::Duration;

use flowgate_checks::model::{Answer, BodyClass, Observed, ServiceKind, Snapshot, TargetProbes};
use jiff::Timestamp;

use super::configs::Wave0;
use super::context::Context;
use super::deadline::Deadline;
use super::http::{self, ProbePlan, Probes, Target};
use super::who::Who;
use super::{
    GatherError, assemble, configs_of, probes, redact, run, secret_files, services, targets,
};

/// What the check `secret-permissions` counts: modes, owners and reach of secrets and configs.
///
/// # Errors
/// [`GatherError`], when there is nothing to go on.
pub fn permissions(config: Option<PathBuf>, timeout: Duration) -> Result<Snapshot, GatherError> {
    run(async |cwd| {
        let deadline = Deadline::after(timeout);
        let (wave, context) = configs_of(config, cwd, &deadline).await?;
        let mut snapshot = Snapshot::new(Timestamp::now());
        let dirs = secret_files::auth_dirs(&wave, &context);
        snapshot.paths = assemble::paths(&wave, &context);
        let (files, tokens) = tokio::join!(
            probes::files(dirs.clone(), &wave, &context, &deadline),
            probes::tokens(dirs.clone(), &context, &deadline),
        );
        drop(tokens);
        snapshot.files = files;
        let logs = probes::exposed_logs(dirs, &wave, &context, &deadline).await;
        snapshot.files.extend(logs);
        snapshot.host.user = context.users.current();
        Ok(snapshot)
    })
}

/// Who runs and who listens, and what the services answer at their configured addresses. A key is
/// sent only where the readiness path needs one, and only to whom it may go.
///
/// # Errors
/// [`GatherError`], when there is nothing to go on.
pub fn health(config: Option<PathBuf>, timeout: Duration) -> Result<Snapshot, GatherError> {
    run(async |cwd| {
        let deadline = Deadline::after(timeout);
        let (wave, context) = configs_of(config, cwd, &deadline).await?;
        let mut snapshot = Snapshot::new(Timestamp::now());
        let ((programs, who), mut answers) = tokio::join!(
            probes::programs_and_who(&wave, &context, &deadline),
            probes::keyless(&wave, &context, &deadline),
        );
        with_needed_keys(&mut answers, who.known(), &wave, &context, &deadline).await;
        snapshot.paths = assemble::paths(&wave, &context);
        snapshot.configs = wave.configs.clone();
        snapshot.services = services::assemble(&wave, &programs, &who, &context);
        snapshot.probes = answers.answers;
        assemble::who(who, &mut snapshot);
        redact(snapshot, &context)
    })
}

/// Asks with a key those whose readiness path says nothing without one.
async fn with_needed_keys(
    answers: &mut Probes,
    who: Option<&Who>,
    wave: &Wave0,
    context: &Context,
    deadline: &Deadline,
) {
    let variables = probes::litellm_variables(who, wave);
    let mut plan = ProbePlan::default();
    plan.deadline = plan.deadline.min(deadline.left());
    for target in targets::with_keys(wave, &variables, context).targets() {
        let given = answers
            .answers
            .get(&target.service)
            .and_then(|answers| answers.get(&target.at.to_string()));
        if given.is_some_and(needs_key) {
            plan.add(with_own_key(target));
        }
    }
    let trust = |target: &Target| probes::trust(target, who);
    http::ask_keyed(
        &plan,
        trust,
        &context.fingerprinter,
        &context.redactor,
        answers,
    )
    .await;
}

/// Whether the configured readiness path could not be asked, or refused to answer, without a key.
fn needs_key(answers: &TargetProbes) -> bool {
    let is_missing = |answer: &Answer| {
        matches!(
            answer.body(),
            Some(BodyClass::CliproxyKeyMissing | BodyClass::LitellmKeyMissing)
        )
    };
    match &answers.readiness {
        Observed::NotAsked => true,
        Observed::Known(answer) => is_missing(answer),
        Observed::Unknown(_) => false,
    }
}

/// One request is enough: with the program's own key, which stands last for CLIProxyAPI.
fn with_own_key(target: &Target) -> Target {
    let mut target = target.clone();
    let key = match target.kind {
        ServiceKind::Cliproxyapi => target.keys.pop(),
        ServiceKind::Litellm | ServiceKind::Other => target.keys.first().cloned(),
    };
    target.keys = key.into_iter().collect();
    target
}
