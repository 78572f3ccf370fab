//! Where a service is to be found, and how it is asked there.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use flowgate_checks::model::{Scheme, ServiceKind};

use crate::config::cliproxyapi::{self, CliproxyConfig};
use crate::config::command;
use crate::config::file::Reading;
use crate::config::service::ServiceConfig;
use crate::gateway::hosts::{self, Host};
use crate::gateway::requests::ReadinessPath;
use crate::gateway::target::LoopbackTarget;
use crate::sys::place::normalise;
use crate::sys::read;

/// A certificate is never larger.
const CERTIFICATE: u64 = 64 * 1024;

/// Where a service is to be found. Clients look at the host and port of flowgate.yaml.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Which program it is.
    pub kind: ServiceKind,
    /// The port of flowgate.yaml; a service without one is never asked.
    pub port: Option<u16>,
    /// Where it is asked; none when that is not loopback.
    pub target: Option<LoopbackTarget>,
    /// The certificate that it shows, over TLS.
    pub certificate: Option<Arc<[u8]>>,
    /// The readiness path, when it may be asked without a key.
    pub readiness: Option<ReadinessPath>,
    /// The addresses that the program will bind.
    pub binds: Vec<SocketAddr>,
}

/// What the program's own config says; of CLIProxyAPIPlus alone.
pub fn own_config(
    service: &ServiceConfig,
    cwd: &Path,
    reading: &Reading<'_>,
) -> Option<CliproxyConfig> {
    if service.kind != ServiceKind::Cliproxyapi {
        return None;
    }
    cliproxyapi::load(&command::config_path(service, cwd)?, reading).config
}

impl Reach {
    /// From flowgate.yaml, the arguments, and the program's own config.
    pub fn of(service: &ServiceConfig, own: Option<&CliproxyConfig>, cwd: &Path) -> Self {
        let scheme = scheme_of(service, own);
        let kind = service.kind;
        Self {
            kind,
            port: service.port,
            target: service
                .port
                .filter(|_| kind != ServiceKind::Other)
                .and_then(|port| LoopbackTarget::new(&service.host, port, scheme)),
            certificate: certificate(service, own, cwd),
            readiness: ReadinessPath::new(kind, &service.readiness_path),
            binds: binds_of(service, own),
        }
    }

    /// The same service at another port, to which it may have moved.
    pub fn at_port(&self, port: u16) -> Option<LoopbackTarget> {
        let target = self.target?;
        let scheme = if target.is_tls() {
            Scheme::Https
        } else {
            Scheme::Http
        };
        LoopbackTarget::new(&target.address().ip().to_string(), port, scheme)
    }

    /// Whether every address that the program will bind is loopback.
    pub fn binds_loopback_only(&self) -> bool {
        !self.binds.is_empty() && self.binds.iter().all(|at| at.ip().is_loopback())
    }
}

fn scheme_of(service: &ServiceConfig, own: Option<&CliproxyConfig>) -> Scheme {
    let is_tls = match service.kind {
        ServiceKind::Litellm => command::asks_for_tls(&service.args),
        ServiceKind::Cliproxyapi => own.is_some_and(|config| config.tls.enable),
        ServiceKind::Other => false,
    };
    if is_tls { Scheme::Https } else { Scheme::Http }
}

fn certificate(
    service: &ServiceConfig,
    own: Option<&CliproxyConfig>,
    cwd: &Path,
) -> Option<Arc<[u8]>> {
    let named = match service.kind {
        ServiceKind::Litellm => command::option(&service.args, &["ssl_certfile_path"]),
        ServiceKind::Cliproxyapi => own?.tls.cert.as_deref(),
        ServiceKind::Other => None,
    }?;
    read::whole(&normalise(&cwd.join(named)), CERTIFICATE)
        .ok()
        .map(Arc::from)
}

/// The arguments of LiteLLM and the own config of CLIProxyAPIPlus decide what is bound.
fn binds_of(service: &ServiceConfig, own: Option<&CliproxyConfig>) -> Vec<SocketAddr> {
    let (host, port) = match (service.kind, own) {
        (ServiceKind::Litellm, _) => (
            command::host_argument(&service.args).unwrap_or(&service.host),
            command::port_argument(&service.args)
                .and_then(|port| port.parse().ok())
                .or(service.port),
        ),
        (_, Some(own)) => (own.host.as_str(), own.port),
        (_, None) => (service.host.as_str(), service.port),
    };
    let Some(port) = port else {
        return Vec::new();
    };
    match hosts::addresses(service.kind, host) {
        Host::Addresses { addresses, .. } => addresses
            .into_iter()
            .map(|address: IpAddr| SocketAddr::new(address, port))
            .collect(),
        Host::Invalid(_) | Host::Unresolved => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_litellm_decide_what_is_bound_and_flowgate_yaml_where_it_is_asked() {
        let mut service = ServiceConfig::named("litellm");
        service.port = Some(4000);
        service.readiness_path = "/health".into();
        let reach = Reach::of(&service, None, Path::new("/"));
        assert_eq!(reach.binds, ["127.0.0.1:4000".parse().unwrap()]);
        assert!(reach.binds_loopback_only());
        assert_eq!(reach.readiness.unwrap().as_str(), "/health/readiness");
        service.args = ["litellm", "--host", "0.0.0.0", "--port=4001"]
            .map(str::to_owned)
            .into();
        let reach = Reach::of(&service, None, Path::new("/"));
        assert_eq!(reach.binds, ["0.0.0.0:4001".parse().unwrap()]);
        assert!(!reach.binds_loopback_only());
        assert_eq!(reach.target.unwrap().to_string(), "127.0.0.1:4000");
    }
}
