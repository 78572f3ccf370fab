//! A token, a key file, or a config with keys in it can be read by others.

use super::{CONFIG_EXPOSED, FILE_EXPOSED, SecretFile, look, set_mode};
use crate::model::{
    ConfigFile, EntryValue, Evidence, FileKind, FileRole, Finding, SecretClass, Severity, Snapshot,
    Subject,
};
use crate::places;
use crate::reach::{self, Reach};

/// The finding for a secret file or config whose bits give it to others. A closed directory above
/// it makes it an info.
pub fn find(file: &SecretFile<'_>, snapshot: &Snapshot) -> Option<Finding> {
    let facts = file.facts;
    let spec = match facts.role {
        FileRole::Token | FileRole::Key => &FILE_EXPOSED,
        FileRole::Log if facts.holds_secret => &FILE_EXPOSED,
        FileRole::Config if facts.holds_secret => &CONFIG_EXPOSED,
        _ => return None,
    };
    let is_file = matches!(
        facts.kind,
        FileKind::File | FileKind::Symlink { found: true, .. }
    );
    let reach = reach::of_file(facts, snapshot);
    let (path, mode) = (file.path, facts.mode);
    let symptom = match &reach {
        Reach::Nobody => return None,
        _ if !is_file => return None,
        Reach::Closed { by, .. } => format!("{path} has mode {mode}; only {by} keeps others out"),
        Reach::Open { given } => {
            let is_read = mode.has(0o044) || facts.acl;
            let done = if is_read { "read" } else { "overwritten" };
            let others = look::others(*given, facts.gid);
            format!("{path} can be {done} by {others} (mode {mode})")
        }
    };
    let mut finding = Finding::new(spec, Subject::File(path.into()), symptom, cause(file))
        .brief("readable by others")
        .evidence(look::mode_row(file, "600", snapshot))
        .evidence(look::parents_row(file, &reach, snapshot));
    finding.evidence.extend(key_row(path, snapshot));
    finding = finding.fix(set_mode::for_file(file, snapshot));
    Some(match reach {
        Reach::Closed { .. } => finding.at(Severity::Info),
        _ => finding,
    })
}

fn cause(file: &SecretFile<'_>) -> String {
    let facts = file.facts;
    let mode = facts.mode;
    let given = match &facts.kind {
        FileKind::Symlink { target, .. } => {
            format!("it is a link to {target}, which has mode {mode}")
        }
        _ if facts.acl => format!("mode {mode} and an access control list give it to others"),
        _ => format!("mode {mode} gives it to others"),
    };
    let made = match facts.role {
        FileRole::Token => {
            "; CLIProxyAPIPlus writes a new login as the umask says, which is 644 as a rule"
        }
        FileRole::Config => ", and it holds keys",
        FileRole::Log => ", and a key stands in its last lines",
        _ => "",
    };
    format!("{given}{made}")
}

/// The user's line that puts a key into a config.
fn key_row(path: &str, snapshot: &Snapshot) -> Option<Evidence> {
    let configs = &snapshot.configs;
    let config = [&configs.flowgate, &configs.litellm, &configs.cliproxyapi]
        .into_iter()
        .find(|config: &&ConfigFile| config.path == path)?;
    let (name, entry) = config
        .entries
        .iter()
        .filter(|(_, entry)| {
            matches!(&entry.value, EntryValue::Secret { class, .. } if *class != SecretClass::Empty)
        })
        .min_by_key(|(name, entry)| (entry.position, name.as_str()))?;
    let mut row = places::line_row(snapshot, config, entry, name, "a key");
    // The line holds the key: a command that shows it would put it on the screen.
    row.command = None;
    Some(row)
}
