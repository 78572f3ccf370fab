//! The recorded cases that become scenarios, and what each of them needs beside its recording.

use crate::recording::Which;

/// One scenario to make.
pub struct Case {
    /// The folder of the recording.
    pub recording: &'static str,
    /// Which moment of it.
    pub moment: Which,
    /// What tells the scenario of a second moment from that of the first.
    pub suffix: &'static str,
    /// The login that flowgate.yaml configures.
    pub login: Login,
    /// The key that flowgate keeps for clients, when it keeps one.
    pub client_key: Option<&'static str>,
    /// The bytes of the recording's program that it does not hold, when they are not a program's.
    pub program_is_html: bool,
    /// Whether the packages of LiteLLM's environment are known to be whole.
    pub packages_are_whole: bool,
    /// The recording of the same programs that tells what a service says which this recorder did
    /// not ask although it was well.
    pub answers_from: Option<&'static str>,
    /// Effects that the notes beside the truth allow.
    pub may_be_effects: &'static [&'static str],
    /// Sessions that the recording does not tell, by pid; from the notes beside the truth.
    pub sessions: &'static [(u32, u32)],
    /// Checks that can have no verdict; from the notes beside the truth.
    pub unknown: &'static [&'static str],
}

/// A login of flowgate.yaml; its paths hang on the address of CLIProxyAPIPlus.
pub struct Login {
    /// The provider.
    pub provider: &'static str,
    /// Path of `auth_url_endpoint`.
    pub auth_url: &'static str,
    /// Path of `status_endpoint`.
    pub status: &'static str,
}

const CODEX: Login = Login {
    provider: "codex",
    auth_url: "/v0/management/codex-auth-url?is_webui=true",
    status: "/v0/management/get-auth-status",
};

const fn case(recording: &'static str) -> Case {
    Case {
        recording,
        moment: Which::Last,
        suffix: "",
        login: CODEX,
        client_key: None,
        program_is_html: false,
        packages_are_whole: true,
        answers_from: None,
        may_be_effects: &[],
        sessions: &[],
        unknown: &[],
    }
}

/// Every scenario.
pub const CASES: &[Case] = &[
    case("1-cliproxy-8317-held-by-other-user"),
    case("1-cliproxy-8317-held-foreign"),
    case("1-cliproxy-port-key-missing-random"),
    case("1-litellm-4000-held-silent-move"),
    Case {
        // The workers of the first LiteLLM, whose main process was pid 28.
        sessions: &[(69, 28), (70, 28), (71, 28)],
        ..case("1-litellm-port-held-during-restart-orphan")
    },
    case("2-auth-file-broken-json"),
    case("2-codex-callback-1455-busy"),
    Case {
        // The endpoints stand in the description of the case alone.
        login: Login {
            provider: "codex",
            auth_url: "/v0/management/oauth/codex/auth-url",
            status: "/v0/management/oauth/codex/status",
        },
        ..case("2-codex-wrong-endpoint-path")
    },
    Case {
        login: Login {
            provider: "copilot",
            auth_url: "/v0/management/github-auth-url",
            status: "/v0/management/get-auth-status",
        },
        ..case("2-copilot-route-absent")
    },
    case("2-codex-token-revoked-upstream-401"),
    case("2-mainline-ip-ban-after-wrong-keys"),
    case("2-management-disabled-404"),
    Case {
        may_be_effects: &["oauth-login/no-credential:codex"],
        // What lies in the dir is unknown, not absent.
        unknown: &["oauth-login"],
        ..case("3-auth-dir-no-access")
    },
    Case {
        may_be_effects: &["readiness/config-rejected:cliproxyapi_plus"],
        ..case("3-cliproxy-config-unreadable")
    },
    case("3-fresh-login-token-0644"),
    case("3-secrets-world-readable-all"),
    Case {
        program_is_html: true,
        ..case("4-cliproxy-binary-is-html")
    },
    case("4-cliproxy-binary-missing"),
    case("4-cliproxy-binary-not-executable"),
    case("4-litellm-venv-python-dangling"),
    Case {
        packages_are_whole: false,
        ..case("4-litellm-without-proxy-extra")
    },
    Case {
        // The key that the client of the case sends is in no file of it.
        client_key: Some("sk-lab-old-master"),
        ..case("5-client-master-key-wrong")
    },
    case("5-litellm-api-base-wrong-port"),
    Case {
        moment: Which::First,
        answers_from: Some("h-baseline-codex"),
        unknown: &["readiness"],
        ..case("5-litellm-still-starting")
    },
    Case {
        suffix: "-later",
        answers_from: Some("h-baseline-codex"),
        ..case("5-litellm-still-starting")
    },
    case("5-cliproxy-config-bad-yaml"),
    case("5-cliproxy-frozen"),
    case("5-cliproxy-killed-after-start"),
    case("5-litellm-http-proxy-env"),
    case("5-litellm-master-key-missing"),
    case("5-litellm-model-not-offered"),
    case("5-litellm-upstream-key-wrong"),
    case("5-mainline-template-api-keys"),
    case("5-profile-not-generated-litellm"),
    Case {
        may_be_effects: &["readiness/model-unserved:litellm"],
        ..case("5-zero-credentials")
    },
    case("h-baseline-codex"),
    case("h-codex-login-ok-by-api"),
    case("h-ipv6-loopback"),
    case("h-json-configs"),
    case("h-logging-to-file"),
    case("h-mainline-binary-codex-only"),
    case("h-management-password-env"),
    case("h-other-ports"),
];

impl Case {
    /// The name of the scenario, without its beginning.
    pub fn name(&self) -> String {
        format!("{}{}", self.recording, self.suffix)
    }
}
