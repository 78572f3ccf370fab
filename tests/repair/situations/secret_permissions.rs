//! Faults of section 3: modes.

use std::path::Path;

use crate::oracle::is_mode;
use crate::process::{set_mode, write};
use crate::situation::{Place, Situation};
use crate::stage::{ACTIVE, PROXY_YAML, Stage, TOKEN};

const AUTHS: &str = ".router/auths";
const DUMPS: &str = "config/logs";

pub const ALL: &[Situation] = &[
    Situation::safe(
        "a token that others can read",
        "secret-permissions/file-exposed:.router/auths/codex-ana@example.com.json",
        "set-mode",
        || {
            let stage = with_mode(AUTHS, 0o711);
            set_mode(&stage.gateway.path(TOKEN), 0o644);
            stage
        },
        |stage| is_mode(stage, TOKEN, 0o600),
    ),
    Situation::asked(
        "a token that an access control list gives to somebody",
        "secret-permissions/file-exposed:.router/auths/codex-ana@example.com.json",
        "set-mode",
        || {
            let stage = with_mode(AUTHS, 0o711);
            give_to(&stage.gateway.path(TOKEN));
            stage
        },
        |stage| is_mode(stage, TOKEN, 0o600),
    ),
    Situation::safe(
        "an auth dir that everybody can write into",
        "secret-permissions/directory-exposed:.router/auths",
        "set-mode",
        || with_mode(AUTHS, 0o777),
        |stage| is_mode(stage, AUTHS, 0o700),
    ),
    Situation::asked(
        "a folder of a config that everybody can write into",
        "secret-permissions/directory-exposed:config",
        "set-mode",
        || with_mode("config", 0o777),
        |stage| is_mode(stage, "config", 0o755),
    ),
    Situation::safe(
        "a config with keys that others can read",
        "secret-permissions/config-exposed:config/cliproxyapi.yaml",
        "set-mode",
        || with_mode(PROXY_YAML, 0o664),
        |stage| is_mode(stage, PROXY_YAML, 0o600),
    ),
    Situation::asked(
        "a config with keys that an access control list gives to somebody",
        "secret-permissions/config-exposed:.router/runtime/litellm.active.yaml",
        "set-mode",
        || {
            let stage = Stage::started();
            give_to(&stage.gateway.path(ACTIVE));
            stage
        },
        |stage| is_mode(stage, ACTIVE, 0o600),
    ),
    Situation::safe(
        "an auth dir that its own service cannot read",
        "secret-permissions/unreadable:.router/auths",
        "set-mode",
        || locked(AUTHS, 0o300),
        |stage| std::fs::read_dir(stage.gateway.path(AUTHS)).is_ok(),
    )
    .at(Place::OrdinaryUser),
    Situation::safe(
        "a token that its own service cannot read",
        "secret-permissions/unreadable:.router/auths/codex-ana@example.com.json",
        "set-mode",
        || locked(TOKEN, 0o200),
        |stage| can_read(stage, TOKEN),
    )
    .at(Place::OrdinaryUser),
    Situation::safe(
        "a config that its own service cannot read",
        "secret-permissions/unreadable:.router/runtime/litellm.active.yaml",
        "set-mode",
        || locked(ACTIVE, 0o000),
        |stage| can_read(stage, ACTIVE),
    )
    .at(Place::OrdinaryUser),
    Situation::safe(
        "an auth dir that its own service cannot write into",
        "secret-permissions/unwritable:.router/auths",
        "set-mode",
        || locked(AUTHS, 0o500),
        |stage| {
            let probe = stage.gateway.path(".router/auths/.probe");
            let can_save = std::fs::File::create(&probe).is_ok();
            can_save && std::fs::remove_file(&probe).is_ok()
        },
    )
    .at(Place::OrdinaryUser),
    Situation::safe(
        "prompts in dumps that others can read",
        "secret-permissions/prompts-in-dumps:config/logs",
        "set-mode",
        || {
            let stage = Stage::started();
            let name = "error-v1-chat-completions-2026-11-24T100000-1.log";
            let dump = stage.gateway.path(&format!("{DUMPS}/{name}"));
            write(&dump, "a prompt\n", 0o644);
            set_mode(dump.parent().unwrap(), 0o755);
            stage
        },
        |stage| is_mode(stage, DUMPS, 0o700),
    ),
];

fn with_mode(path: &str, mode: u32) -> Stage {
    let stage = Stage::started();
    set_mode(&stage.gateway.path(path), mode);
    stage
}

/// A mode that keeps this user out, who would start the service. Nothing runs: a supervisor would see
/// the repair, and start by itself what could not be started.
fn locked(path: &str, mode: u32) -> Stage {
    let stage = Stage::stopped();
    set_mode(&stage.gateway.path(path), mode);
    stage
}

fn can_read(stage: &Stage, path: &str) -> bool {
    std::fs::File::open(stage.gateway.path(path)).is_ok()
}

/// Lets one other user read a file by an access control list, as `setfacl -m u:12345:r` does.
fn give_to(path: &Path) {
    const NOBODY_IN_PARTICULAR: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, NOBODY_IN_PARTICULAR),
        (0x02, 4, 12_345),
        (0x04, 0, NOBODY_IN_PARTICULAR),
        (0x10, 4, NOBODY_IN_PARTICULAR),
        (0x20, 0, NOBODY_IN_PARTICULAR),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, who) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(rights.to_le_bytes());
        list.extend(who.to_le_bytes());
    }
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, "system.posix_acl_access", &list, flags).unwrap();
}
