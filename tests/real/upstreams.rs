//! Where LiteLLM sends its requests, and with which key: it says nothing of all this at its start
//! (`facts/litellm.md` 3.3).

use crate::case::{Case, Looks};
use crate::gateway::free_port;
use crate::network::Network;
use crate::stage::Stage;

pub const CASES: &[Case] = &[
    Case {
        name: "an address where nothing is",
        run: |looks| {
            let to = format!("127.0.0.1:{}", free_port());
            serves(
                looks,
                "upstream at a dead address",
                ("127.0.0.1:PROXY", &to),
                "readiness/upstream-unreachable:litellm",
            );
        },
    },
    Case {
        name: "an upstream key that is another",
        run: |looks| {
            serves(
                looks,
                "wrong upstream key",
                ("UPSTREAM", "sk-planted-other-3321"),
                "readiness/upstream-key-rejected:litellm",
            );
        },
    },
    Case {
        name: "no upstream key",
        run: |looks| {
            serves(
                looks,
                "no upstream key",
                ("      api_key: UPSTREAM\n", ""),
                "readiness/upstream-key-rejected:litellm",
            );
        },
    },
    Case {
        name: "an upstream key from a variable that nobody set",
        run: |looks| {
            serves(
                looks,
                "upstream key from an unset variable",
                ("UPSTREAM", "os.environ/LAB_UNSET"),
                "readiness/missing-environment:litellm",
            );
        },
    },
    Case {
        name: "an address without the path of the API",
        run: |looks| {
            serves(
                looks,
                "api_base without /v1",
                ("PROXY/v1", "PROXY"),
                "readiness/upstream-wrong-path:litellm",
            )
        },
    },
    Case {
        name: "an address that is no URL",
        run: |looks| {
            serves(
                looks,
                "api_base without http://",
                ("http://127.0.0.1:PROXY", "127.0.0.1:PROXY"),
                "readiness/upstream-unreachable:litellm",
            )
        },
    },
    Case {
        name: "no address",
        run: |looks| {
            vendor(
                looks,
                "api_base unset",
                "      api_base: http://127.0.0.1:PROXY/v1\n",
                "",
            )
        },
    },
    Case {
        name: "an address from a variable that nobody set",
        run: |looks| {
            vendor(
                looks,
                "api_base from an unset variable",
                "http://127.0.0.1:PROXY/v1",
                "os.environ/LAB_UNSET",
            )
        },
    },
    Case {
        name: "a model of no provider, beside one that is served",
        run: |looks| {
            let other = "  - model_name: lab\n    litellm_params:\n      model: lab-model\n      api_base: http://127.0.0.1:PROXY/v1\n      api_key: UPSTREAM\ngeneral_settings:\n";
            serves(
                looks,
                "a dropped model",
                ("general_settings:\n", other),
                "readiness/models-dropped:litellm",
            );
        },
    },
    Case {
        name: "a model of no provider, and no other",
        run: |looks| {
            serves(
                looks,
                "every model dropped",
                ("openai/gpt-5", "lab-model"),
                "readiness/models-dropped:litellm",
            )
        },
    },
    Case {
        name: "a model that nobody serves",
        run: |looks| {
            serves(
                looks,
                "a model that is not served",
                ("openai/gpt-5", "openai/gpt-5-lab"),
                "readiness/model-unserved:litellm",
            )
        },
    },
    Case {
        name: "an empty list of models",
        run: |looks| {
            let entries = "  - model_name: gpt-5\n    litellm_params:\n      model: openai/gpt-5\n      api_base: http://127.0.0.1:PROXY/v1\n      api_key: UPSTREAM\n";
            serves(
                looks,
                "model list empty",
                (&format!("model_list:\n{entries}"), "model_list: []\n"),
                "readiness/no-models:litellm",
            );
        },
    },
];

/// The requests would leave this machine, so it is shown only where none can.
fn vendor(looks: &mut Looks<'_>, what: &str, from: &str, to: &str) {
    if looks.network == Network::Shared {
        return looks.cannot(
            what,
            "it would send a request to a vendor from this network",
        );
    }
    serves(
        looks,
        what,
        (from, to),
        "readiness/upstream-is-vendor:litellm",
    );
}

/// LiteLLM comes up and says that it is well; the doctor names what is wrong all the same.
fn serves(looks: &mut Looks<'_>, what: &str, (from, to): (&str, &str), key: &'static str) {
    let stage = Stage::with(looks.package, from, to);
    stage.start_litellm();
    looks.names(what, &stage.doctor(&[]), key, &[]);
}
