//! The remedy `install-runtime`, in the plain way: what to get, and where to put it.

use super::ServiceProgram;
use crate::model::{Fix, ProgramContent, ProgramState, Safety, ServiceKind, Snapshot};
use crate::shell::{self, quote};
use crate::state::View;

/// The version of LiteLLM that is known to work here (`facts/litellm.md`).
const LITELLM: &str = "litellm[proxy]==1.106.2";

/// A new installation of the program. It downloads, so it is asked for; offline it is only named.
pub fn fix(target: &ServiceProgram<'_>) -> Fix {
    let view = &target.view;
    match view.service.kind {
        ServiceKind::Litellm => litellm(target),
        ServiceKind::Cliproxyapi => cliproxyapi(target),
        ServiceKind::Other => Fix::manual(
            "by-hand",
            format!(
                "install {} again, or name it at {}",
                target.program.path,
                target.named_at()
            ),
            Vec::new(),
        ),
    }
}

fn litellm(target: &ServiceProgram<'_>) -> Fix {
    let (view, program) = (&target.view, target.program);
    let snapshot = view.snapshot;
    // An environment that is there and only lacks packages is completed where it is.
    if let Some(python) = environment(target) {
        return online(
            snapshot,
            format!("install {LITELLM} into {python}"),
            install_into(snapshot, &python),
        );
    }
    let folder = format!("{}/venv", snapshot.paths.runtime_dir);
    let shown = shell::path(snapshot, &folder);
    let python = format!("{folder}/bin/python");
    let mut commands = match (&snapshot.host.uv, &snapshot.host.python) {
        (Some(uv), _) => vec![format!("{} venv --clear {shown}", quote(uv))],
        (None, Some(system)) => vec![format!("{} -m venv --clear {shown}", quote(system))],
        (None, None) => {
            return Fix::manual(
                "by-hand",
                format!("install Python 3.10 or newer (or uv), then {LITELLM}"),
                vec!["python3 --version".into()],
            );
        }
    };
    commands.extend(install_into(snapshot, &python));
    let made = format!("{folder}/bin/litellm");
    if program.in_runtime_bin {
        commands.push(format!(
            "ln -sfn {} {}",
            quote(&shell::absolute(snapshot, &made)),
            shell::path(snapshot, &program.path)
        ));
        return online(
            snapshot,
            format!("install {LITELLM} and link it as {}", program.path),
            commands,
        );
    }
    let title = format!(
        "install {LITELLM} and write {made} instead of {} at {}",
        program.named,
        target.named_at()
    );
    online(snapshot, title, commands)
}

/// The Python of the environment that the program's own script names, when it can run.
fn environment(target: &ServiceProgram<'_>) -> Option<String> {
    match &target.program.state {
        ProgramState::File(file) => match &file.content {
            ProgramContent::Script(script)
                if script.usable && script.missing.is_empty() && !is_system(&script.path) =>
            {
                Some(script.path.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The system's own Python is no environment of LiteLLM, and refuses to be made one.
fn is_system(python: &str) -> bool {
    python.starts_with("/usr/bin/") || python.starts_with("/bin/")
}

fn install_into(snapshot: &Snapshot, python: &str) -> Vec<String> {
    let python = shell::path(snapshot, python);
    let requirement = quote(LITELLM);
    vec![match &snapshot.host.uv {
        Some(uv) => format!("{} pip install --python {python} {requirement}", quote(uv)),
        None => format!("{python} -m pip install {requirement}"),
    }]
}

fn cliproxyapi(target: &ServiceProgram<'_>) -> Fix {
    let (snapshot, program) = (target.view.snapshot, target.program);
    let host = &snapshot.host;
    let arch = match host.arch.as_str() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let title = format!(
        "unpack a CLIProxyAPIPlus release for {} {arch} (its program is named cli-proxy-api-plus) to {}, mode 755",
        host.os, program.path
    );
    online(snapshot, title, Vec::new())
}

/// Without a program that the snapshot knows, the packages are all that can be named.
pub fn packages_by_hand(view: &View<'_>) -> Fix {
    Fix::manual(
        "by-hand",
        format!(
            "install {LITELLM} into the Python environment of {}",
            view.name
        ),
        Vec::new(),
    )
}

/// Where downloads are ruled out nothing proposes one.
fn online(snapshot: &Snapshot, title: String, commands: Vec<String>) -> Fix {
    if snapshot.policy.offline {
        let title = format!("{title}; this needs files from elsewhere, and --offline was given");
        return Fix::manual("by-hand", title, Vec::new());
    }
    Fix::new("install-runtime", Safety::Unsafe, title, commands)
}
