//! Which addresses are asked over HTTP, and with which keys.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flowgate_checks::model::{Scheme, ServiceKind, TargetRole};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::configs::Wave0;
use super::context::Context;
use super::http::{ProbeKey, ProbePlan, Target};
use crate::config::command;
use crate::config::litellm::{KeyRef, KeyValue};
use crate::config::service::ServiceConfig;
use crate::gateway::target::LoopbackTarget;
use crate::sys::place::normalise;
use crate::sys::read;

/// A certificate or a key file is never larger.
const SMALL_FILE: u64 = 64 * 1024;

/// Values of variables that the configs name, as the running LiteLLM has them.
pub type Variables = BTreeMap<String, SecretString>;

/// The configured addresses and those that an `api_base` names, without keys.
pub fn addresses(wave: &Wave0, context: &Context) -> ProbePlan {
    let mut plan = ProbePlan::default();
    for service in wave.services() {
        if let Some(target) = configured(service, wave, context) {
            plan.add(target);
        }
    }
    for (at, _) in upstreams(wave, &Variables::new()) {
        if let Some(service) = wave.service(ServiceKind::Litellm)
            && !is_configured(at, wave, context)
        {
            plan.add(api_base(service, at));
        }
    }
    plan
}

/// The same addresses with the key that each hop really uses there.
pub fn with_keys(wave: &Wave0, variables: &Variables, context: &Context) -> ProbePlan {
    let mut plan = ProbePlan::default();
    for service in wave.services() {
        let Some(mut target) = configured(service, wave, context) else {
            continue;
        };
        target.keys = match service.kind {
            ServiceKind::Litellm => client_key(wave, variables, context).into_iter().collect(),
            ServiceKind::Cliproxyapi => proxy_keys(target.at, wave, variables),
            ServiceKind::Other => Vec::new(),
        };
        plan.add(target);
    }
    if let Some(service) = wave.service(ServiceKind::Litellm) {
        for (at, key) in upstreams(wave, variables) {
            if !is_configured(at, wave, context) {
                let mut target = api_base(service, at);
                target.keys = key.into_iter().collect();
                plan.add(target);
            }
        }
    }
    plan
}

/// A port to which a service of ours drifted: asked as its configured one.
pub fn drifted(
    service: &ServiceConfig,
    host: &str,
    port: u16,
    wave: &Wave0,
    variables: &Variables,
    context: &Context,
) -> Option<Target> {
    let scheme = scheme_of(service, wave);
    let at = LoopbackTarget::new(host, port, scheme)?;
    Some(Target {
        service: service.name.clone(),
        kind: service.kind,
        at,
        role: TargetRole::Drifted,
        readiness_path: Some(service.readiness_path.clone()),
        keys: match service.kind {
            ServiceKind::Litellm => client_key(wave, variables, context).into_iter().collect(),
            ServiceKind::Cliproxyapi => own_key(wave).into_iter().collect(),
            ServiceKind::Other => Vec::new(),
        },
        certificate: certificate(service, wave, context),
    })
}

/// The configured address of CLIProxyAPI.
pub fn proxy(wave: &Wave0, context: &Context) -> Option<Target> {
    configured(wave.service(ServiceKind::Cliproxyapi)?, wave, context)
}

fn configured(service: &ServiceConfig, wave: &Wave0, context: &Context) -> Option<Target> {
    if service.kind == ServiceKind::Other {
        return None;
    }
    let at = LoopbackTarget::new(&service.host, service.port?, scheme_of(service, wave))?;
    Some(Target {
        service: service.name.clone(),
        kind: service.kind,
        at,
        role: TargetRole::Configured,
        readiness_path: Some(service.readiness_path.clone()),
        keys: Vec::new(),
        certificate: certificate(service, wave, context),
    })
}

fn api_base(service: &ServiceConfig, at: LoopbackTarget) -> Target {
    Target {
        service: service.name.clone(),
        kind: ServiceKind::Cliproxyapi,
        at,
        role: TargetRole::ApiBase,
        readiness_path: None,
        keys: Vec::new(),
        certificate: None,
    }
}

fn is_configured(at: LoopbackTarget, wave: &Wave0, context: &Context) -> bool {
    wave.service(ServiceKind::Cliproxyapi)
        .and_then(|service| configured(service, wave, context))
        .is_some_and(|target| target.at.address() == at.address())
}

/// The scheme in which a service is asked, from its own config.
pub fn scheme_of(service: &ServiceConfig, wave: &Wave0) -> Scheme {
    let is_tls = match service.kind {
        ServiceKind::Litellm => command::asks_for_tls(&service.args),
        ServiceKind::Cliproxyapi => wave
            .cliproxyapi
            .as_ref()
            .is_some_and(|config| config.tls.enable),
        ServiceKind::Other => false,
    };
    if is_tls { Scheme::Https } else { Scheme::Http }
}

fn certificate(service: &ServiceConfig, wave: &Wave0, context: &Context) -> Option<Arc<[u8]>> {
    let named = match service.kind {
        ServiceKind::Litellm => command::option(&service.args, &["ssl_certfile_path"]),
        ServiceKind::Cliproxyapi => wave.cliproxyapi.as_ref()?.tls.cert.as_deref(),
        ServiceKind::Other => None,
    }?;
    let cwd = service.cwd.as_deref().unwrap_or(&context.cwd);
    read::whole(&normalise(&cwd.join(named)), SMALL_FILE)
        .ok()
        .map(Arc::from)
}

/// The key that clients of flowgate send: the one that flowgate keeps, else the master key.
fn client_key(wave: &Wave0, variables: &Variables, context: &Context) -> Option<ProbeKey> {
    let kept = context.secrets_dir.join("litellm-master.key");
    if let Some(secret) = read_key(&kept, context) {
        return Some(ProbeKey {
            from: context.show(&kept),
            secret: Some(secret),
        });
    }
    let key = wave.litellm.as_ref()?.master_key.as_ref()?;
    Some(ProbeKey {
        from: place(&wave.configs.litellm.path, key),
        secret: Some(value(key, wave, variables)?),
    })
}

/// The keys that LiteLLM's deployments send to the proxy, then one of the proxy's own: it tells
/// whether the proxy accepts what its own file says.
fn proxy_keys(at: LoopbackTarget, wave: &Wave0, variables: &Variables) -> Vec<ProbeKey> {
    upstreams(wave, variables)
        .into_iter()
        .filter(|(upstream, _)| upstream.address() == at.address())
        .filter_map(|(_, key)| key)
        .chain(own_key(wave))
        .collect()
}

/// A key of cliproxyapi.yaml; one without a secret when that file asks for none.
fn own_key(wave: &Wave0) -> Option<ProbeKey> {
    let config = wave.cliproxyapi.as_ref()?;
    let path = &wave.configs.cliproxyapi.path;
    let Some(key) = config.api_keys.first() else {
        return Some(ProbeKey {
            from: path.clone(),
            secret: None,
        });
    };
    match &key.value {
        KeyValue::Literal(secret) => Some(ProbeKey {
            from: place(path, key),
            secret: Some(secret.clone()),
        }),
        KeyValue::Environment(_) | KeyValue::Empty => None,
    }
}

/// Where each deployment of LiteLLM sends its requests on this machine, and with which key.
fn upstreams(wave: &Wave0, variables: &Variables) -> Vec<(LoopbackTarget, Option<ProbeKey>)> {
    let Some(config) = &wave.litellm else {
        return Vec::new();
    };
    config
        .deployments
        .iter()
        .filter_map(|deployment| {
            let at = loopback(deployment.api_base.as_deref()?)?;
            let key = deployment.api_key.as_ref().and_then(|key| {
                Some(ProbeKey {
                    from: place(&wave.configs.litellm.path, key),
                    secret: Some(value(key, wave, variables)?),
                })
            });
            Some((at, key))
        })
        .collect()
}

/// The address of a URL, when it is one of this machine.
pub fn loopback(url: &str) -> Option<LoopbackTarget> {
    let url = Url::parse(url).ok()?;
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    LoopbackTarget::new(url.host_str()?, url.port_or_known_default()?, scheme)
}

/// A key, when it can be told: the literal, or what the running LiteLLM has in that variable.
fn value(key: &KeyRef, wave: &Wave0, variables: &Variables) -> Option<SecretString> {
    match &key.value {
        KeyValue::Literal(secret) => Some(secret.clone()),
        KeyValue::Environment(name) => wave
            .litellm
            .as_ref()
            .and_then(|config| config.environment.get(name))
            .or_else(|| variables.get(name))
            .cloned(),
        KeyValue::Empty => None,
    }
}

fn place(path: &str, key: &KeyRef) -> String {
    format!("{path}:{}", key.position.line)
}

fn read_key(path: &Path, context: &Context) -> Option<SecretString> {
    let bytes = read::whole(path, SMALL_FILE).ok()?;
    let secret = SecretString::from(std::str::from_utf8(&bytes).ok()?.trim());
    context.redactor.learn(&secret);
    (!secret.expose_secret().is_empty()).then_some(secret)
}
