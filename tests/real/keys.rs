//! Master keys that LiteLLM refuses (`facts/litellm.md` 3.4).

use crate::case::{Case, Looks};
use crate::stage::Stage;

pub const CASES: &[Case] = &[
    Case {
        name: "no master key",
        run: |looks| {
            refused(
                looks,
                "master key unset",
                "general_settings:\n  master_key: MASTER\n",
                "",
            )
        },
    },
    Case {
        name: "an empty master key",
        run: |looks| refused(looks, "master key empty", "MASTER", "\"\""),
    },
    Case {
        name: "a master key that everybody knows",
        run: |looks| refused(looks, "master key well known", "MASTER", "sk-1234"),
    },
    Case {
        name: "a master key from a variable that nobody set",
        run: |looks| {
            refused(
                looks,
                "master key from an unset variable",
                "MASTER",
                "os.environ/LAB_UNSET",
            )
        },
    },
];

fn refused(looks: &mut Looks<'_>, what: &str, from: &str, to: &str) {
    let stage = Stage::with(looks.package, from, to);
    let document = stage.fails("exited", "readiness/master-key-refused");
    looks.names(what, &document, "readiness/master-key-refused:litellm", &[]);
}
