//! Configs that LiteLLM refuses (`facts/litellm.md` 3.1 and 3.2).

use serde_json::json;

use crate::case::{Case, Looks};
use crate::gateway::{MASTER_KEY, finding};
use crate::process::write;
use crate::stage::{ACTIVE, Stage};

pub const CASES: &[Case] = &[
    Case {
        name: "a config that is no YAML",
        run: bad_yaml,
    },
    Case {
        name: "a config in JSON with tabs",
        run: tab_json,
    },
    Case {
        name: "a config with nothing in it",
        run: |looks| {
            rejected(looks, "config empty", |stage| {
                stage.config(|_| "# nothing\n".into())
            })
        },
    },
    Case {
        name: "a config without the name of a model",
        run: |looks| {
            rejected(looks, "entry without model_name", |stage| {
                stage.config(|sound| {
                    sound.replace(
                        "  - model_name: gpt-5\n    litellm_params",
                        "  - litellm_params",
                    )
                });
            });
        },
    },
    Case {
        name: "a config that is a folder",
        run: |looks| {
            rejected(looks, "config is a directory", |stage| {
                std::fs::remove_file(stage.path(ACTIVE)).unwrap();
                std::fs::create_dir(stage.path(ACTIVE)).unwrap();
            });
        },
    },
    Case {
        name: "a callback whose module is not there",
        run: |looks| {
            rejected(looks, "callback module missing", |stage| {
                stage.config(|sound| {
                    format!("{sound}litellm_settings:\n  callbacks: lab_hooks.handler\n")
                });
            });
        },
    },
    Case {
        name: "fallbacks of the wrong shape",
        run: |looks| {
            rejected(looks, "fallbacks that are names", |stage| {
                stage.config(|sound| format!("{sound}router_settings:\n  fallbacks: [gpt-5]\n"));
            });
        },
    },
    Case {
        name: "an include that is not there",
        run: |looks| {
            rejected(looks, "include missing", |stage| {
                stage.config(|sound| format!("{sound}include: [nowhere.yaml]\n"));
            });
        },
    },
    Case {
        name: "a config that was never made",
        run: missing,
    },
];

const REJECTED: &str = "readiness/config-rejected:litellm";

fn rejected(looks: &mut Looks<'_>, what: &str, damage: impl FnOnce(&Stage)) {
    let stage = Stage::with(looks.package, "", "");
    damage(&stage);
    let document = stage.fails("exited", "readiness/config-rejected");
    looks.names(what, &document, REJECTED, &[]);
}

fn bad_yaml(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "model_name: gpt-5\n", "model_name: gpt: 5\n");
    let document = stage.fails("exited", "readiness/config-rejected");
    looks.names("bad YAML", &document, REJECTED, &[]);
    let found = finding(&document, REJECTED).to_string();
    assert!(found.contains(&format!("{ACTIVE}:2")), "{found}");
}

fn tab_json(looks: &mut Looks<'_>) {
    rejected(looks, "JSON indented with tabs", |stage| {
        let config = json!({
            "general_settings": {"master_key": MASTER_KEY},
            "model_list": [],
        });
        let text = format!("{config:#}").replace("  ", "\t");
        write(&stage.path(ACTIVE), &text, 0o600);
    });
}

fn missing(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    std::fs::remove_file(stage.path(ACTIVE)).unwrap();
    let document = stage.fails("exited", "readiness/no-active-profile");
    looks.names(
        "config missing",
        &document,
        "readiness/no-active-profile:litellm",
        &[],
    );
}
