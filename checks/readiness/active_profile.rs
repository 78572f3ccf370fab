//! No profile was ever rendered, so LiteLLM has no config.

use super::NO_ACTIVE_PROFILE;
use super::process::may_run;
use crate::by_hand;
use crate::model::{
    ConfigState, Evidence, Finding, Fix, Impact, Safety, Severity, Snapshot, Step, Subject, Verdict,
};
use crate::shell;
use crate::state::View;
use crate::steps;

/// Finds a missing active config, when that is the one LiteLLM is started with.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    let config = &snapshot.configs.litellm;
    // Another file that `--config` names and that is missing is a config which LiteLLM rejects.
    let is_the_active_one = config.path == snapshot.paths.active_config;
    if config.state != ConfigState::Missing || !is_the_active_one {
        return;
    }
    let file = shell::path(snapshot, &config.path);
    let recorded = recorded(snapshot);
    let cause = match recorded {
        Some(profile) => format!("profile {profile} is recorded, and its rendered file is gone"),
        None => "no profile was ever activated".into(),
    };
    let mut finding = Finding::new(
        &NO_ACTIVE_PROFILE,
        Subject::Service(litellm.name.into()),
        format!(
            "{} does not exist, and litellm is started with it",
            config.path
        ),
        cause,
    )
    .brief("no active profile")
    .evidence(
        Evidence::new("config", "no such file", &config.path)
            .expected("litellm_base with the overlay of a profile")
            .command(format!("ls -l {file}")),
    );
    if litellm.is_running() {
        // The running process has read it; only the next start fails.
        finding.severity = Severity::Warning;
        finding.impact = Impact::Risk;
    }
    if let Some(current) = snapshot.profiles.current.known() {
        let seen = current.as_deref().unwrap_or("no profile");
        finding = finding.evidence(
            Evidence::new("profile", seen, &snapshot.paths.state_file).command(format!(
                "cat {}",
                shell::path(snapshot, &snapshot.paths.state_file)
            )),
        );
    }
    verdict.push(finding.fix(fix(litellm, recorded)));
}

fn recorded(snapshot: &Snapshot) -> Option<&str> {
    let current = snapshot.profiles.current.known()?.as_deref()?;
    snapshot
        .profiles
        .names
        .iter()
        .any(|name| name == current)
        .then_some(current)
}

fn fix(litellm: View<'_>, recorded: Option<&str>) -> Fix {
    let snapshot = litellm.snapshot;
    let names = &snapshot.profiles.names;
    let (profile, safety) = match (recorded, names.as_slice()) {
        (Some(name), _) => (name, Safety::Safe),
        (None, [only]) => (only.as_str(), Safety::Safe),
        (None, []) => ("balanced", Safety::Unsafe),
        (None, [first, ..]) => {
            let balanced = names.iter().find(|name| *name == "balanced");
            (balanced.unwrap_or(first).as_str(), Safety::Unsafe)
        }
    };
    let config = &snapshot.configs.flowgate;
    if names.is_empty() {
        // What flowgate would render has no name that could be called.
        return Fix::manual(
            "activate-profile",
            format!(
                "write {} as JSON or YAML: litellm_base ({}), with profiles.{profile} ({}) laid over it",
                snapshot.configs.litellm.path,
                config.place("litellm_base"),
                config.place(&format!("profiles.{profile}")),
            ),
            Vec::new(),
        );
    }
    let mut title = format!(
        "lay profiles.{profile} ({}) over litellm_base",
        config.place(&format!("profiles.{profile}"))
    );
    let mut commands = vec![by_hand::activate(snapshot, profile)];
    let mut changes = vec![Step::ActivateProfile {
        profile: profile.to_owned(),
    }];
    // What runs has read the file that is gone, and goes on.
    if !may_run(litellm) && litellm.is_wanted() {
        title.push_str(&format!(", then start {}", litellm.name));
        commands.extend(by_hand::start(litellm));
        changes.extend(steps::start(litellm));
    }
    Fix::new("activate-profile", safety, title, commands).with_steps(changes)
}
