//! Programs that cannot be executed, and environments that lack something (`facts/litellm.md` 1, 2).

use std::path::Path;

use crate::case::{Case, Looks};
use crate::package::Package;
use crate::process::{set_mode, write};
use crate::stage::Stage;

pub const CASES: &[Case] = &[
    Case {
        name: "the package without its proxy part",
        run: |looks| {
            lacks(
                looks,
                "missing [proxy]",
                &[
                    "apscheduler",
                    "backoff",
                    "fastapi",
                    "gunicorn",
                    "orjson",
                    "uvicorn",
                    "websockets",
                ],
            );
        },
    },
    Case {
        name: "a package that is gone",
        run: |looks| lacks(looks, "a package is gone", &["click"]),
    },
    Case {
        name: "a script that cannot be executed",
        run: script,
    },
    Case {
        name: "an environment that was moved",
        run: moved,
    },
];

const BROKEN: &str = "missing-binaries/broken-interpreter:litellm";

/// A gateway on a copy of the environment, which lies beside it.
fn on_copy(looks: &Looks<'_>, without: &[&str]) -> (Stage, Package) {
    let mut stage = Stage::with(looks.package, "", "");
    let copy = looks.package.copy_to(&stage.path("env"), without);
    stage.uses(&copy);
    (stage, copy)
}

fn lacks(looks: &mut Looks<'_>, what: &str, packages: &[&str]) {
    let (stage, _) = on_copy(looks, packages);
    let document = stage.fails("exited", "missing-binaries/package-missing");
    looks.names(
        what,
        &document,
        "missing-binaries/package-missing:litellm",
        &[],
    );
}

/// None of these comes as far as Python.
fn script(looks: &mut Looks<'_>) {
    let (stage, copy) = on_copy(looks, &[]);
    copy.write_script(Path::new("/opt/python3.10-removed/bin/python3"));
    let document = stage.fails("spawn-failed", "missing-binaries/broken-interpreter");
    looks.names("broken shebang", &document, BROKEN, &[]);

    copy.write_script(&copy.python());
    set_mode(&copy.script(), 0o644);
    let document = stage.fails("spawn-failed", "missing-binaries/not-executable");
    looks.names(
        "script not executable",
        &document,
        "missing-binaries/not-executable:litellm",
        &[],
    );

    write(&copy.script(), "", 0o755);
    let document = stage.fails("spawn-failed", "missing-binaries/corrupt");
    looks.names(
        "script empty",
        &document,
        "missing-binaries/corrupt:litellm",
        &[],
    );

    std::fs::remove_file(copy.script()).unwrap();
    let document = stage.fails("spawn-failed", "missing-binaries/not-found");
    looks.names(
        "script missing",
        &document,
        "missing-binaries/not-found:litellm",
        &[],
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person moves the folder of an environment"
)]
fn moved(looks: &mut Looks<'_>) {
    let mut stage = Stage::with(looks.package, "", "");
    let _ = looks.package.copy_to(&stage.path("env"), &[]);
    std::fs::rename(stage.path("env"), stage.path("elsewhere")).unwrap();
    stage.uses(&Package::at(stage.path("elsewhere")));
    let document = stage.fails("spawn-failed", "missing-binaries/broken-interpreter");
    looks.names("moved environment", &document, BROKEN, &[]);
}
