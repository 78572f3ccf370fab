//! The paths whose text is known to be no secret, for each kind of file.
//!
//! A pattern is a path whose `*` stands for any key or index, and whose last `**` for everything
//! below. Everything that no pattern names is fingerprinted.

/// Which program's config a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// flowgate.yaml.
    Flowgate,
    /// The active config of LiteLLM.
    Litellm,
    /// The config of CLIProxyAPIPlus.
    Cliproxyapi,
}

impl FileKind {
    /// Its name in records: `flowgate`, `litellm`, `cliproxyapi`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flowgate => "flowgate",
            Self::Litellm => "litellm",
            Self::Cliproxyapi => "cliproxyapi",
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A key.
    Key(&'a str),
    /// An index.
    Index(usize),
}

/// facts/original.md section 2.1, DESIGN section 10. `command.args` is looked at word by word.
const FLOWGATE: &[&str] = &[
    "config_version",
    "paths.*",
    "services.*.enabled",
    "services.*.managed",
    "services.*.host",
    "services.*.port",
    "services.*.readiness_path",
    "services.*.health_path",
    "services.*.env_file",
    "services.*.ready_timeout",
    "services.*.stop_timeout",
    "services.*.management",
    "services.*.unit",
    "services.*.container",
    "services.*.config_file",
    "services.*.command.cwd",
    "auth.providers.*.method",
    "auth.providers.*.auth_url_endpoint",
    "auth.providers.*.status_endpoint",
    "oauth.*.method",
    "oauth.*.auth_url_endpoint",
    "oauth.*.status_endpoint",
    "secret_files.*",
    "secrets.*",
    "integration.default_model",
    "integration.fast_model",
    "credentials.upstream.*.file",
    "credentials.upstream.*.env",
    "bootstrap.cliproxyapi.repository",
    "bootstrap.cliproxyapi.version",
    "bootstrap.cliproxyapi.sha256",
    "bootstrap.cliproxyapi.mirror",
    "bootstrap.litellm.requirements",
    "cliproxyapi_plus.config_file",
];

/// Variables of `services.X.env` that change behaviour and are no secret.
const VARIABLES: &[&str] = &[
    "HOST",
    "PORT",
    "TZ",
    "LANG",
    "LITELLM_LOG",
    "LITELLM_MODE",
    "DEPLOY",
    "CONFIG_FILE_PATH",
    "LITELLM_LOCAL_MODEL_COST_MAP",
    "NO_PROXY",
    "no_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "WRITABLE_PATH",
];

const LITELLM: &[&str] = &[
    "include.*",
    "model_list.*.model_name",
    "model_list.*.litellm_params.model",
    "model_list.*.litellm_params.api_base",
    "model_list.*.litellm_params.base_url",
    "model_list.*.litellm_params.api_version",
    "model_list.*.litellm_params.api_type",
    "model_list.*.litellm_params.api_key_ref",
    "model_list.*.litellm_params.custom_llm_provider",
    "model_list.*.litellm_params.timeout",
    "model_list.*.litellm_params.stream_timeout",
    "model_list.*.litellm_params.rpm",
    "model_list.*.litellm_params.tpm",
    "model_list.*.litellm_params.max_retries",
    "model_list.*.litellm_params.num_retries",
    "model_list.*.litellm_params.region_name",
    "model_list.*.litellm_params.reasoning_effort",
    "model_list.*.litellm_params.mode",
    "model_list.*.model_info.mode",
    "model_list.*.model_info.base_model",
    "router_settings.routing_strategy",
    "router_settings.fallbacks.**",
    "router_settings.context_window_fallbacks.**",
    "router_settings.content_policy_fallbacks.**",
    "router_settings.default_fallbacks.*",
    "router_settings.model_group_alias.**",
    "router_settings.num_retries",
    "router_settings.timeout",
    "router_settings.redis_host",
    "router_settings.redis_port",
    "litellm_settings.fallbacks.**",
    "litellm_settings.context_window_fallbacks.**",
    "litellm_settings.content_policy_fallbacks.**",
    "litellm_settings.default_fallbacks.*",
    "litellm_settings.callbacks",
    "litellm_settings.callbacks.*",
    "litellm_settings.success_callback.*",
    "litellm_settings.failure_callback.*",
    "litellm_settings.num_retries",
    "litellm_settings.request_timeout",
    "litellm_settings.allowed_fails",
    "litellm_settings.cooldown_time",
    "litellm_settings.drop_params",
    "litellm_settings.set_verbose",
    "litellm_settings.cache",
    "litellm_settings.cache_params.type",
    "litellm_settings.cache_params.host",
    "litellm_settings.cache_params.port",
    "general_settings.completion_model",
    "general_settings.store_model_in_db",
    "general_settings.database_type",
    "general_settings.health_check_interval",
    "general_settings.background_health_checks",
];

/// facts/cliproxyapi.md section 2.1.
const CLIPROXYAPI: &[&str] = &[
    "host",
    "port",
    "tls.enable",
    "tls.cert",
    "tls.key",
    "auth-dir",
    "debug",
    "logging-to-file",
    "request-log",
    "usage-statistics-enabled",
    "proxy-url",
    "request-retry",
    "max-retry-interval",
    "ws-auth",
    "disable-cooling",
    "incognito-browser",
    "routing.strategy",
    "quota-exceeded.*",
    "remote-management.allow-remote",
    "remote-management.disable-control-panel",
    "remote-management.panel-github-repository",
    "remote-management.disable-auto-update-panel",
    "pprof.addr",
    "gemini-api-key.*.base-url",
    "gemini-api-key.*.proxy-url",
    "gemini-api-key.*.prefix",
    "gemini-api-key.*.models.*.*",
    "codex-api-key.*.base-url",
    "codex-api-key.*.proxy-url",
    "codex-api-key.*.prefix",
    "codex-api-key.*.models.*.*",
    "claude-api-key.*.base-url",
    "claude-api-key.*.proxy-url",
    "claude-api-key.*.prefix",
    "claude-api-key.*.models.*.*",
    "xai-api-key.*.base-url",
    "xai-api-key.*.proxy-url",
    "xai-api-key.*.prefix",
    "xai-api-key.*.models.*.*",
    "vertex-api-key.*.base-url",
    "vertex-api-key.*.proxy-url",
    "vertex-api-key.*.prefix",
    "vertex-api-key.*.models.*.*",
    "openai-compatibility.*.name",
    "openai-compatibility.*.base-url",
    "openai-compatibility.*.prefix",
    "openai-compatibility.*.models.*.name",
    "openai-compatibility.*.models.*.alias",
    "openai-compatibility.*.api-key-entries.*.proxy-url",
    "ampcode.upstream-url",
    "oauth-excluded-models.**",
    "oauth-model-mappings.**",
    "oauth-model-alias.**",
];

/// Whether the text at a path is known to be no secret.
pub fn is_shown(kind: FileKind, path: &[Step<'_>]) -> bool {
    match (kind, path) {
        (FileKind::Litellm, _) => listed(LITELLM, path),
        (FileKind::Cliproxyapi, _) => listed(CLIPROXYAPI, path),
        (FileKind::Flowgate, [Step::Key("litellm_base"), below @ ..])
        | (FileKind::Flowgate, [Step::Key("profiles"), Step::Key(_), below @ ..]) => {
            listed(LITELLM, below)
        }
        (FileKind::Flowgate, [Step::Key("services"), _, Step::Key("env"), Step::Key(name)]) => {
            VARIABLES.contains(name)
        }
        (FileKind::Flowgate, _) => listed(FLOWGATE, path),
    }
}

/// Whether the path is an argument of a command.
pub fn is_argument(kind: FileKind, path: &[Step<'_>]) -> bool {
    kind == FileKind::Flowgate
        && matches!(
            path,
            [
                Step::Key("services"),
                _,
                Step::Key("command"),
                Step::Key("args"),
                Step::Index(_)
            ]
        )
}

fn listed(patterns: &[&str], path: &[Step<'_>]) -> bool {
    patterns.iter().any(|pattern| matches(pattern, path))
}

fn matches(pattern: &str, mut path: &[Step<'_>]) -> bool {
    for part in pattern.split('.') {
        if part == "**" {
            return !path.is_empty();
        }
        let Some((step, rest)) = path.split_first() else {
            return false;
        };
        if part != "*" && *step != Step::Key(part) {
            return false;
        }
        path = rest;
    }
    path.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_paths_are_shown() {
        let key = Step::Key;
        let shown = |kind, path: &[Step<'_>]| is_shown(kind, path);
        assert!(shown(
            FileKind::Flowgate,
            &[key("services"), key("litellm"), key("host")]
        ));
        assert!(shown(
            FileKind::Flowgate,
            &[
                key("profiles"),
                key("cost"),
                key("litellm_settings"),
                key("fallbacks"),
                Step::Index(0),
                key("a"),
                Step::Index(0)
            ]
        ));
        assert!(!shown(
            FileKind::Litellm,
            &[key("general_settings"), key("master_key")]
        ));
        assert!(!shown(
            FileKind::Cliproxyapi,
            &[key("api-keys"), Step::Index(0)]
        ));
        assert!(!shown(
            FileKind::Flowgate,
            &[
                key("services"),
                key("litellm"),
                key("env"),
                key("OPENAI_API_KEY")
            ]
        ));
        assert!(!shown(FileKind::Flowgate, &[key("paths")]));
    }
}
