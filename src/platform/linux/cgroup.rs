//! Who manages a process, from its control groups.

use std::path::Path;

use flowgate_checks::model::Manager;

use crate::sys::read;

/// The lines of `/proc/<pid>/cgroup`; empty when they cannot be seen.
pub fn control_groups(pid: u32) -> String {
    let path = format!("/proc/{pid}/cgroup");
    let bytes = read::head(Path::new(&path), 64 * 1024).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The managers that the lines of a cgroup file name, the innermost first.
///
/// Scopes are no managers: terminals and desktop programs live in them.
pub fn managers(text: &str) -> Vec<Manager> {
    let mut found = Vec::new();
    for line in text.lines() {
        // `hierarchy:controllers:path`; the path may hold colons.
        let Some(path) = line.splitn(3, ':').nth(2) else {
            continue;
        };
        let segments: Vec<&str> = path.split('/').collect();
        for (index, segment) in segments.iter().enumerate().rev() {
            let above = index.checked_sub(1).map_or("", |above| segments[above]);
            let manager = container_id(above, segment)
                .map(|id| Manager::Container { id })
                .or_else(|| {
                    is_unit(segment).then(|| Manager::Systemd {
                        unit: (*segment).to_owned(),
                        user: segments[..index].iter().any(|above| is_user_manager(above)),
                    })
                });
            if let Some(manager) = manager
                && !found.contains(&manager)
            {
                found.push(manager);
            }
        }
    }
    // A container is nearer than the unit of its engine.
    found.sort_by_key(|manager| matches!(manager, Manager::Systemd { .. }));
    found
}

fn is_unit(segment: &str) -> bool {
    segment.len() > ".service".len() && segment.ends_with(".service") && !is_user_manager(segment)
}

/// `user@1000.service` runs a user's units and is nobody's manager itself.
fn is_user_manager(segment: &str) -> bool {
    segment.starts_with("user@") && segment.ends_with(".service")
}

/// `docker-<64 hex>.scope`, `libpod-<64 hex>.scope`, `cri-containerd-<64 hex>.scope`,
/// `/docker/<64 hex>`, `/kubepods/…/<64 hex>`, `/lxc/<name>`, `lxc.payload.<name>`.
fn container_id(above: &str, segment: &str) -> Option<String> {
    if let Some(name) = segment.strip_prefix("lxc.payload.") {
        return (!name.is_empty()).then(|| name.to_owned());
    }
    if above == "lxc" && !segment.is_empty() {
        return Some(segment.to_owned());
    }
    let bare = segment.strip_suffix(".scope").unwrap_or(segment);
    let id = bare.rsplit(['-', ':']).next()?;
    let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id[..12].to_owned())
}

/// Whether this is a container: a marker of an engine, or a control group of one.
pub fn is_container() -> bool {
    let marked = [
        "/.dockerenv",
        "/run/.containerenv",
        "/run/systemd/container",
    ]
    .iter()
    .any(|marker| Path::new(marker).exists());
    marked
        || managers(&control_groups(std::process::id()))
            .iter()
            .any(|manager| matches!(manager, Manager::Container { .. }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn systemd(unit: &str, user: bool) -> Vec<Manager> {
        vec![Manager::Systemd {
            unit: unit.into(),
            user,
        }]
    }

    #[test]
    fn units_and_containers_are_told_apart_from_terminals() {
        let id = "0123456789ab".to_owned() + &"c".repeat(52);
        let container = || {
            vec![Manager::Container {
                id: "0123456789ab".into(),
            }]
        };
        for (text, expected) in [
            (
                "0::/system.slice/litellm.service\n".into(),
                systemd("litellm.service", false),
            ),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/litellm.service".into(),
                systemd("litellm.service", true),
            ),
            (
                "1:name=systemd:/system.slice/getty@tty1.service".into(),
                systemd("getty@tty1.service", false),
            ),
            (
                "0::/user.slice/user-1000.slice/session-3.scope".into(),
                vec![],
            ),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope"
                    .into(),
                vec![],
            ),
            ("0::/".into(), vec![]),
            (String::new(), vec![]),
            (
                format!("12:pids:/docker/{id}\n0::/docker/{id}\n"),
                container(),
            ),
            (format!("0::/system.slice/docker-{id}.scope"), container()),
            (
                format!("0::/machine.slice/libpod-{id}.scope/container"),
                container(),
            ),
            (
                format!("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"),
                container(),
            ),
            (
                "0::/lxc.payload.gateway".into(),
                vec![Manager::Container {
                    id: "gateway".into(),
                }],
            ),
        ] {
            assert_eq!(managers(&text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([0-9]?:|/|[a-zé.@-]{0,9}|\\.service|\\.scope|\n){0,30}") {
            managers(&text);
        }
    }
}
