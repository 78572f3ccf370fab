//! The active config is not what the profile renders, or LiteLLM reads another file.

use super::process::subject;
use super::{STALE_ACTIVE_CONFIG, source};
use crate::by_hand;
use crate::model::{
    ConfigState, Evidence, Finding, Fix, Safety, Severity, Snapshot, Step, Verdict,
};
use crate::shell;
use crate::state::View;
use crate::steps::{self, Edits};
use crate::words;

/// Finds an active config that is stale, and a `--config` that names another file. Whoever has no
/// models in `litellm_base` writes the config by hand, and nothing is rendered.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    let snapshot = litellm.snapshot;
    if !source::is_rendered(snapshot) || snapshot.profiles.names.is_empty() {
        return;
    }
    let read = &snapshot.configs.litellm;
    let is_other = !read.path.is_empty()
        && read.path != snapshot.paths.active_config
        && read.state != ConfigState::NotLooked;
    let found = if is_other {
        Some(other_file(litellm))
    } else {
        differing(snapshot).map(|(profile, entries)| stale(litellm, profile, entries))
    };
    let Some(finding) = found else {
        return;
    };
    verdict.push(if litellm.is_wanted() || !litellm.is_running() {
        finding
    } else {
        finding.at(Severity::Info)
    });
}

/// The profile that is judged and where the active config differs from it. With none recorded it is
/// stale only when it is what no profile renders: the nearest one is told.
fn differing(snapshot: &Snapshot) -> Option<(&str, &[String])> {
    let differences = snapshot.profiles.differences.known()?;
    let current = snapshot.profiles.current.known().and_then(Option::as_ref);
    if let Some((name, entries)) = current.and_then(|name| differences.get_key_value(name)) {
        return (!entries.is_empty()).then_some((name, entries));
    }
    let nearest = differences
        .iter()
        .min_by_key(|(_, entries)| entries.len())?;
    (!nearest.1.is_empty()).then_some((nearest.0, nearest.1))
}

fn stale(litellm: View<'_>, profile: &str, entries: &[String]) -> Finding {
    let snapshot = litellm.snapshot;
    let (config, flowgate) = (&snapshot.configs.litellm, &snapshot.configs.flowgate);
    let recorded = snapshot.profiles.current.known().and_then(Option::as_ref);
    let is_recorded = recorded.is_some_and(|name| name == profile);
    let symptom = if is_recorded {
        format!("{} is not what profile {profile} renders", config.path)
    } else {
        format!("{} is what no profile renders", config.path)
    };
    let shown: Vec<&str> = entries.iter().take(3).map(String::as_str).collect();
    let more = match entries.len() - shown.len() {
        0 => String::new(),
        more => format!(" ({more} more)"),
    };
    let what = if is_recorded {
        ""
    } else {
        " even from the nearest"
    };
    let mut finding = Finding::new(
        &STALE_ACTIVE_CONFIG,
        subject(litellm),
        symptom,
        format!(
            "it differs{what} in {}{more}: litellm_base or the profile was changed since, or this \
             file was edited by hand",
            words::list(&shown)
        ),
    )
    .brief("its config is not the profile's");
    for entry in entries.iter().take(5) {
        let source = [
            format!("profiles.{profile}.{entry}"),
            format!("litellm_base.{entry}"),
        ]
        .into_iter()
        .find(|path| flowgate.entry(path).is_some())
        .unwrap_or_else(|| "litellm_base".into());
        finding = finding.evidence(
            Evidence::new("config", format!("{entry} differs"), config.place(entry))
                .expected(format!("as {} says", flowgate.place(&source)))
                .command(crate::by_hand::show_entry(snapshot, config, entry)),
        );
    }
    finding.fix(activate(litellm, profile))
}

fn other_file(litellm: View<'_>) -> Finding {
    let snapshot = litellm.snapshot;
    let read = &snapshot.configs.litellm.path;
    let active = &snapshot.paths.active_config;
    let flowgate = &snapshot.configs.flowgate;
    let place = flowgate.place(&format!("services.{}.command.args", litellm.name));
    let file = shell::path(snapshot, &flowgate.path);
    Finding::new(
        &STALE_ACTIVE_CONFIG,
        subject(litellm),
        format!(
            "{} reads {read}, and profiles are rendered into {active}",
            litellm.name
        ),
        format!("its arguments ({place}) name that file, so no profile has any effect"),
    )
    .brief("reads another config")
    .evidence(
        Evidence::new("config", format!("--config {read}"), place)
            .expected(active)
            .command(format!("grep -nF -e --config {file}")),
    )
    .fix(name_active(litellm))
}

fn activate(litellm: View<'_>, profile: &str) -> Fix {
    let snapshot = litellm.snapshot;
    let mut commands = vec![by_hand::activate(snapshot, profile)];
    if litellm.is_running() {
        commands.extend(by_hand::restart(litellm));
    }
    let title = format!(
        "write what is meant into litellm_base ({}), then render profile {profile} anew",
        snapshot.configs.flowgate.place("litellm_base"),
    );
    let mut changes = vec![Step::ActivateProfile {
        profile: profile.to_owned(),
    }];
    if litellm.is_running() {
        match steps::restart(litellm) {
            Some(restart) => changes.push(restart),
            None => return Fix::manual("activate-profile", title, commands),
        }
    }
    Fix::new("activate-profile", Safety::Unsafe, title, commands).with_steps(changes)
}

fn name_active(litellm: View<'_>) -> Fix {
    let snapshot = litellm.snapshot;
    let active = &snapshot.paths.active_config;
    let title = format!(
        "let --config name {active}, activate a profile, then restart {}",
        litellm.name
    );
    let mut edits = Edits::new(snapshot);
    // The program reads the name from where it is started.
    let cwd = shell::absolute(snapshot, &litellm.settings().cwd);
    let name = match cwd == snapshot.paths.root {
        true => active.clone(),
        false => shell::absolute(snapshot, active),
    };
    steps::port::set_argument(&mut edits, &litellm, &["--config", "-c"], &name, |_| true);
    if edits.is_empty() {
        edits.give_up();
    }
    edits.then(steps::litellm::profile(snapshot).map(|profile| {
        vec![Step::ActivateProfile {
            profile: profile.to_owned(),
        }]
    }));
    edits.then(steps::come_up(litellm));
    edits.fix("activate-profile", litellm.name, title, Vec::new())
}
