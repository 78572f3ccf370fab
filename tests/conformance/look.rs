//! A look at both stand-ins: what it sees, what it sends, and to whom.

use std::sync::Arc;
use std::time::Duration;

use flowgate::gateway::requests::is_listed;
use flowgate::gateway::target::LoopbackTarget;
use flowgate::gather::http::{
    ProbeKey, ProbePlan, Probes, Target, Trust, ask_keyed, ask_keyless, withheld,
};
use flowgate::gather::management::{self, KeptKey, ManagementPlan};
use flowgate::standin::journal::Entry;
use flowgate::sys::fingerprint::Fingerprinter;
use flowgate::sys::redact::Redactor;
use flowgate_checks::model::{
    BodyClass, Identity, Management, Observed, Outcome, Scheme, ServiceKind, TargetRole,
};
use secrecy::SecretString;

use super::backend::{Backend, Program, Run, Stage};
use super::litellm::wait_for_entries;
use super::row::{StartRow, check_start};

const HASH: &str = "$2a$10$SrqNE1hZNHV0EAVAy2y9Ju7g0Rvt3wEGD19itflIdz13imt/TcQMa";

/// Both stand-ins, serving, with one journal.
struct Gateway {
    litellm: (Run, Stage),
    cliproxyapi: (Run, Stage),
}

fn start_gateway() -> Gateway {
    let mut upstream = Stage::new();
    let journal = upstream.path("journal.jsonl").display().to_string();
    upstream.set("FLOWGATE_STANDIN_JOURNAL", &journal);
    let cliproxyapi = check_start(
        &StartRow {
            source: "",
            args: &["-config", "cliproxyapi.yaml"],
            files: &[
                ("cliproxyapi.yaml", super::cliproxyapi::GOOD),
                ("auths/a.json", r#"{"type":"codex"}"#),
            ],
            variables: &[],
            code: None,
            says: &[],
        },
        Program::Cliproxyapi,
        &Backend::Inside,
        upstream,
    );
    let mut stage = Stage::new();
    stage.set("FLOWGATE_STANDIN_JOURNAL", &journal);
    let litellm = check_start(
        &StartRow {
            source: "",
            args: &[
                "--config",
                "litellm.yaml",
                "--host",
                "127.0.0.1",
                "--port",
                "{port}",
            ],
            files: &[(
                "litellm.yaml",
                "model_list: [{model_name: m, litellm_params: {model: openai/m}}]\ngeneral_settings: {master_key: sk-lab-master-0001}\n",
            )],
            variables: &[],
            code: None,
            says: &[],
        },
        Program::Litellm,
        &Backend::Inside,
        stage,
    );
    Gateway {
        litellm,
        cliproxyapi,
    }
}

fn key(from: &str, secret: Option<&str>) -> ProbeKey {
    ProbeKey {
        from: from.into(),
        secret: secret.map(SecretString::from),
    }
}

fn target(
    service: &str,
    kind: ServiceKind,
    port: u16,
    readiness: &str,
    keys: Vec<ProbeKey>,
) -> Target {
    Target {
        service: service.into(),
        kind,
        at: LoopbackTarget::new("127.0.0.1", port, Scheme::Http).unwrap(),
        role: TargetRole::Configured,
        readiness_path: Some(readiness.into()),
        keys,
        certificate: None,
    }
}

fn plan(gateway: &Gateway, litellm_readiness: &str) -> ProbePlan {
    let mut plan = ProbePlan::default();
    plan.add(target(
        "litellm",
        ServiceKind::Litellm,
        gateway.litellm.1.port,
        litellm_readiness,
        vec![
            key("config/litellm.yaml:6", Some("sk-lab-master-0001")),
            key("~/.codex/config.toml:3", Some("sk-lab-wrong-0001")),
            key("~/.claude/settings.json:4", Some("sk-lab-master-0001")),
            key("nowhere", None),
        ],
    ));
    plan.add(target(
        "cliproxyapi_plus",
        ServiceKind::Cliproxyapi,
        gateway.cliproxyapi.1.port,
        "/v1/models",
        vec![
            key("config/litellm.yaml:9", Some("sk-lab-upstream-0001")),
            key("config/litellm.yaml:14", None),
        ],
    ));
    plan
}

struct Looker {
    runtime: tokio::runtime::Runtime,
    redactor: Arc<Redactor>,
}

impl Looker {
    fn new() -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            redactor: Arc::new(Redactor::default()),
        }
    }

    fn look(&self, plan: &ProbePlan, trust: Trust) -> Probes {
        let fingerprinter = Fingerprinter::fixed([7; 32]);
        self.runtime.block_on(async {
            let mut probes = ask_keyless(plan, &self.redactor).await;
            let trust = |_: &Target| trust.clone();
            ask_keyed(plan, trust, &fingerprinter, &self.redactor, &mut probes).await;
            probes
        })
    }

    fn manage(&self, target: &Target, probes: &Probes, plan: ManagementPlan) -> Management {
        self.runtime.block_on(async {
            let confirmed = management::confirm(plan).await;
            let withheld = withheld(target, probes, Trust::Trusted);
            let deadline = Duration::from_secs(20);
            management::ask(
                confirmed,
                target.at,
                None,
                withheld,
                deadline,
                &self.redactor,
            )
            .await
        })
    }
}

fn journal(gateway: &Gateway, at_least: usize) -> Vec<Entry> {
    wait_for_entries(&gateway.cliproxyapi.1, "journal.jsonl", at_least)
}

#[test]
fn a_healthy_gateway_is_seen_with_listed_requests_only() {
    let gateway = start_gateway();
    let plan = plan(&gateway, "/health");
    let looker = Looker::new();
    let probes = looker.look(&plan, Trust::Trusted);
    let litellm = probes.answers["litellm"].values().next().unwrap();
    assert_eq!(litellm.identity(), Identity::Litellm);
    assert_eq!(litellm.withheld, None);
    let readiness = litellm.readiness.known().unwrap();
    assert_eq!(readiness.request, "GET /health/readiness");
    let right = &litellm.models["config/litellm.yaml:6"];
    assert_eq!(right.models, Observed::Known(vec!["m".into()]));
    let same = &litellm.models["~/.claude/settings.json:4"];
    assert_eq!((&same.key, &same.answer), (&right.key, &right.answer));
    let wrong = &litellm.models["~/.codex/config.toml:3"];
    assert_eq!(
        wrong.answer.known().unwrap().body(),
        Some(&BodyClass::LitellmKeyRejected)
    );
    assert_ne!(wrong.key, right.key);
    assert!(litellm.models["nowhere"].answer.why_unknown().is_some());

    let proxy = probes.answers["cliproxyapi_plus"].values().next().unwrap();
    assert_eq!(proxy.identity(), Identity::Cliproxyapi);
    let body = |answer: &Observed<_>| -> BodyClass {
        let answer: &flowgate_checks::model::Answer = answer.known().unwrap();
        answer.body().unwrap().clone()
    };
    assert_eq!(body(&proxy.readiness), BodyClass::CliproxyKeyMissing);
    let sent = &proxy.models["config/litellm.yaml:9"];
    assert_eq!(sent.models.known().map(Vec::len), Some(8));
    let keyless = &proxy.models["config/litellm.yaml:14"];
    assert_eq!(
        (&keyless.key, body(&keyless.answer)),
        (&None, BodyClass::CliproxyKeyMissing)
    );

    let management = looker.manage(
        &plan.targets()[1],
        &probes,
        ManagementPlan {
            kept: Some(KeptKey {
                from: ".router/secrets/management.key".into(),
                secret: SecretString::from("lab-mgmt-secret-0001"),
            }),
            stored: Some(SecretString::from(HASH)),
            password: Observed::Known(None),
        },
    );
    assert_eq!(management.key_confirmed, Observed::Known(true));
    assert_eq!(management.password_in_environment, Observed::Known(false));
    assert_eq!(management.version.as_deref(), Some("6.6.9-0-plus"));
    let files = management.auth_files.known().unwrap();
    assert_eq!(
        (files[0].name.as_str(), files[0].status.as_str()),
        ("a.json", "active")
    );

    let sent = journal(&gateway, 10);
    // Five keyless (root twice, liveness, readiness twice), two keys, one key and none, one management.
    assert_eq!(sent.len(), 10, "{sent:#?}");
    assert_eq!(probes.timings.len(), 9);
    for entry in &sent {
        let (kind, readiness) = match entry.program.as_str() {
            "litellm" => (ServiceKind::Litellm, "/health"),
            _ => (ServiceKind::Cliproxyapi, "/v1/models"),
        };
        assert!(
            is_listed(kind, &entry.method, &entry.path, entry.has_key, readiness),
            "{entry:?}"
        );
    }
}

#[test]
fn a_key_never_goes_to_whom_it_does_not_belong() {
    let gateway = start_gateway();
    let looker = Looker::new();
    // The two addresses are swapped, so each identity is wrong.
    let mut swapped = ProbePlan::default();
    for target in plan(&gateway, "/health/readiness").targets() {
        let other = match target.kind {
            ServiceKind::Litellm => gateway.cliproxyapi.1.port,
            _ => gateway.litellm.1.port,
        };
        let at = LoopbackTarget::new("127.0.0.1", other, Scheme::Http).unwrap();
        swapped.add(Target {
            at,
            ..target.clone()
        });
    }
    let probes = looker.look(&swapped, Trust::Trusted);
    let withheld = |service: &str| {
        let target = probes.answers[service].values().next().unwrap();
        assert!(target.models.is_empty());
        target.withheld.clone().unwrap()
    };
    assert_eq!(withheld("litellm"), "what answers there is not LiteLLM");
    assert_eq!(
        withheld("cliproxyapi_plus"),
        "what answers there is not CLIProxyAPI"
    );
    // Right identities, but somebody else's sockets.
    let foreign = Trust::Withheld("the socket belongs to uid 1001".into());
    let probes = looker.look(&plan(&gateway, "/"), foreign);
    for answers in probes.answers.values().flat_map(|answers| answers.values()) {
        assert_eq!(
            answers.withheld.as_deref(),
            Some("the socket belongs to uid 1001")
        );
        assert!(answers.models.is_empty());
    }
    let sent = journal(&gateway, 8);
    assert!(sent.iter().all(|entry| !entry.has_key), "{sent:#?}");
}

#[test]
fn an_unconfirmed_management_key_is_never_sent() {
    let gateway = start_gateway();
    let looker = Looker::new();
    let plan = plan(&gateway, "/");
    let probes = looker.look(&plan, Trust::Trusted);
    let before = journal(&gateway, 8).len();
    let kept = |secret: &str| {
        Some(KeptKey {
            from: "management.key".into(),
            secret: SecretString::from(secret),
        })
    };
    let stored = Some(SecretString::from(HASH));
    let costly = Some(SecretString::from(HASH.replace("$10$", "$14$")));
    for (kept, stored, password, confirmed) in [
        (None, stored.clone(), Observed::Known(None), None),
        (
            kept("lab-wrong"),
            stored.clone(),
            Observed::Known(None),
            Some(false),
        ),
        (kept("lab-wrong"), None, Observed::Known(None), Some(false)),
        (
            kept("lab-mgmt-secret-0001"),
            costly,
            Observed::Known(None),
            None,
        ),
        (
            kept("lab-wrong"),
            stored.clone(),
            Observed::unknown("permission denied"),
            None,
        ),
    ] {
        let plan_ = ManagementPlan {
            kept,
            stored,
            password,
        };
        let management = looker.manage(&plan.targets()[1], &probes, plan_);
        assert_eq!(management.key_confirmed.known().copied(), confirmed);
        assert!(management.answer.is_not_asked());
    }
    // Its own password opens it without a kept key, but not at another program's address.
    let own = || ManagementPlan {
        kept: None,
        stored: None,
        password: Observed::Known(Some(SecretString::from("lab-mgmt-secret-0001"))),
    };
    let elsewhere = looker.manage(
        &Target {
            kind: ServiceKind::Cliproxyapi,
            ..plan.targets()[0].clone()
        },
        &probes,
        own(),
    );
    assert_eq!(
        elsewhere
            .answer
            .why_unknown()
            .map(|unknown| unknown.why.as_str()),
        Some("what answers there is not CLIProxyAPI")
    );
    assert_eq!(journal(&gateway, before).len(), before);
    let management = looker.manage(&plan.targets()[1], &probes, own());
    assert_eq!(management.password_in_environment, Observed::Known(true));
    assert!(management.answer.known().unwrap().is_success());
    assert_eq!(journal(&gateway, before + 1).len(), before + 1);
}

#[test]
fn dead_and_silent_addresses_end_in_time_side_by_side() {
    let looker = Looker::new();
    let mut plan = ProbePlan::default();
    plan.deadline = Duration::from_millis(300);
    // Listening, never accepting: the connection stands and nothing comes.
    let silent: Vec<std::net::TcpListener> = (0..5)
        .map(|_| std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap())
        .collect();
    for listener in &silent {
        let port = listener.local_addr().unwrap().port();
        plan.add(target(
            "litellm",
            ServiceKind::Litellm,
            port,
            "/ready",
            Vec::new(),
        ));
    }
    let began = std::time::Instant::now();
    let probes = looker.look(&plan, Trust::Trusted);
    // 15 requests, one after another, would take 4.5 s.
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(probes.timings.len(), 15);
    for answers in probes.answers["litellm"].values() {
        assert_eq!(answers.identity(), Identity::Silent);
        assert_eq!(answers.root.known().unwrap().outcome, Outcome::Timeout);
    }
}
