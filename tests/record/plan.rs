//! What a look would have asked, and with which keys.

use flowgate::config::litellm::{KeyRef, KeyValue};
use flowgate::gateway::target::LoopbackTarget;
use flowgate::gather::http::{ProbeKey, ProbePlan, Target};
use flowgate_checks::model::{Owner, Scheme, ServiceKind, TargetRole};
use reqwest::Url;
use secrecy::SecretString;

use crate::stage::Stage;
use crate::who::Who;

/// The configured addresses, those to which services drifted, and those that an `api_base` names.
pub fn of(stage: &Stage<'_>, who: &Who) -> Vec<Target> {
    let mut plan = ProbePlan::default();
    for service in stage.services() {
        let at = LoopbackTarget::new(&service.host, service.port.unwrap(), Scheme::Http).unwrap();
        let keys = match service.kind {
            ServiceKind::Litellm => client_key(stage).into_iter().collect(),
            _ => upstream_keys(stage, at)
                .into_iter()
                .chain(own_key(stage))
                .collect(),
        };
        plan.add(target(service, at, TargetRole::Configured, keys));
        for socket in who
            .sockets
            .known()
            .into_iter()
            .flat_map(|sockets| sockets.values())
        {
            let Owner::Known { pids } = &socket.owner else {
                continue;
            };
            let serves = |pid: &u32| who.processes.get(pid).and_then(|process| process.serves());
            if service.port != Some(socket.port)
                && pids
                    .iter()
                    .any(|pid| serves(pid) == Some(service.name.as_str()))
            {
                let at = LoopbackTarget::new(&socket.address, socket.port, Scheme::Http).unwrap();
                let keys = match service.kind {
                    ServiceKind::Litellm => client_key(stage),
                    _ => own_key(stage),
                };
                let keys = keys.into_iter().collect();
                plan.add(target(service, at, TargetRole::Drifted, keys));
            }
        }
    }
    let configured: Vec<LoopbackTarget> = plan.targets().iter().map(|target| target.at).collect();
    if let Some(litellm) = stage.service(ServiceKind::Litellm) {
        for (at, _) in upstreams(stage) {
            if !configured.contains(&at) {
                plan.add(Target {
                    kind: ServiceKind::Cliproxyapi,
                    readiness_path: None,
                    ..target(litellm, at, TargetRole::ApiBase, upstream_keys(stage, at))
                });
            }
        }
    }
    plan.targets().to_vec()
}

fn target(
    service: &flowgate::config::service::ServiceConfig,
    at: LoopbackTarget,
    role: TargetRole,
    keys: Vec<ProbeKey>,
) -> Target {
    Target {
        service: service.name.clone(),
        kind: service.kind,
        at,
        role,
        readiness_path: Some(service.readiness_path.clone()),
        keys,
        certificate: None,
    }
}

/// The key that clients of flowgate send: the one that flowgate keeps, else the master key.
fn client_key(stage: &Stage<'_>) -> Option<ProbeKey> {
    if let Some(kept) = stage.case.client_key {
        let secret = SecretString::from(kept);
        stage.redactor.learn(&secret);
        return Some(ProbeKey {
            from: ".router/secrets/litellm-master.key".into(),
            secret: Some(secret),
        });
    }
    let key = stage.litellm.config.as_ref()?.master_key.as_ref()?;
    Some(probe_key(&stage.litellm.file.path, key))
}

/// A key of the proxy's own file.
fn own_key(stage: &Stage<'_>) -> Option<ProbeKey> {
    let key = stage.cliproxyapi.config.as_ref()?.api_keys.first()?;
    Some(probe_key(&stage.cliproxyapi.file.path, key))
}

fn upstream_keys(stage: &Stage<'_>, at: LoopbackTarget) -> Vec<ProbeKey> {
    let there = upstreams(stage)
        .into_iter()
        .filter(|(upstream, _)| *upstream == at);
    there.map(|(_, key)| key).collect()
}

/// Where each deployment of LiteLLM sends its requests, and with which key.
fn upstreams(stage: &Stage<'_>) -> Vec<(LoopbackTarget, ProbeKey)> {
    let path = &stage.litellm.file.path;
    let deployments = stage
        .litellm
        .config
        .iter()
        .flat_map(|config| &config.deployments);
    deployments
        .map(|deployment| {
            let url = Url::parse(deployment.api_base.as_deref().unwrap()).unwrap();
            let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
            let at = LoopbackTarget::new(host, port, Scheme::Http).unwrap();
            (at, probe_key(path, deployment.api_key.as_ref().unwrap()))
        })
        .collect()
}

/// The recordings hold every key in clear.
fn probe_key(path: &str, key: &KeyRef) -> ProbeKey {
    let KeyValue::Literal(secret) = &key.value else {
        panic!("{} is no literal", key.entry);
    };
    ProbeKey {
        from: format!("{path}:{}", key.position.line),
        secret: Some(secret.clone()),
    }
}
