//! How the subjects of two findings hang together.

use crate::model::{CredentialState, Finding, ServiceKind, Snapshot, Subject};
use crate::state::service_of;

/// How the subjects of a cause and of its effect hang together.
#[derive(Clone, Copy)]
pub(super) enum Related {
    /// They concern the same service; a config, token or provider concerns the service that uses it.
    Service,
    /// They concern the same provider, or one of them no provider at all.
    Provider,
    /// They are given the same port.
    Port,
    /// The effect is the very file of the cause, or lies in it.
    File,
    /// They stand on one chain, so the nearer one always explains the other.
    Chain,
}

/// Whether the subjects of a cause and of an effect hang together in a way.
pub(super) fn related(
    how: Related,
    cause: &Finding,
    effect: &Finding,
    snapshot: &Snapshot,
) -> bool {
    match how {
        // The machine is under every service.
        Related::Service if cause.subject == Subject::Host => {
            service_name(&effect.subject, snapshot).is_some()
        }
        Related::Service => {
            let service = service_name(&cause.subject, snapshot);
            service.is_some() && service == service_name(&effect.subject, snapshot)
        }
        Related::Provider => {
            match (
                provider(&cause.subject, snapshot),
                provider(&effect.subject, snapshot),
            ) {
                (Some(left), Some(right)) => left == right,
                _ => true,
            }
        }
        Related::Port => {
            let port = |subject: &Subject| match subject {
                Subject::Service(name) => snapshot.services.get(name)?.settings.port,
                _ => None,
            };
            port(&cause.subject).is_some() && port(&cause.subject) == port(&effect.subject)
        }
        Related::File => match (&cause.subject, &effect.subject) {
            (Subject::File(left), Subject::File(right)) => {
                left == right || right.starts_with(&format!("{left}/"))
            }
            _ => false,
        },
        Related::Chain => true,
    }
}

/// The provider that a subject speaks of: itself, or that of a token file.
fn provider(subject: &Subject, snapshot: &Snapshot) -> Option<String> {
    match subject {
        Subject::Provider(name) => Some(name.clone()),
        Subject::File(path) => match &snapshot.credentials.files.get(path)?.state {
            CredentialState::Parsed { provider, .. } => Some(provider.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The kind of the service that a subject is.
pub(super) fn service_kind(subject: &Subject, snapshot: &Snapshot) -> Option<ServiceKind> {
    match subject {
        Subject::Service(name) => Some(snapshot.services.get(name)?.kind),
        _ => None,
    }
}

/// The service that a subject concerns: itself, or the one that uses the file or the login.
fn service_name<'a>(subject: &'a Subject, snapshot: &'a Snapshot) -> Option<&'a str> {
    let named = |kind| service_of(snapshot, kind).map(|view| view.name);
    match subject {
        Subject::Service(name) => Some(name),
        Subject::Provider(_) => named(ServiceKind::Cliproxyapi),
        Subject::Client(_) => named(ServiceKind::Litellm),
        Subject::File(path) if *path == snapshot.configs.litellm.path => {
            named(ServiceKind::Litellm)
        }
        Subject::File(path) => {
            let logins = &snapshot.credentials;
            let of_proxy = *path == snapshot.configs.cliproxyapi.path
                || logins.files.contains_key(path)
                || logins
                    .auth_dirs
                    .iter()
                    .any(|dir| dir.path == *path || path.starts_with(&format!("{}/", dir.path)));
            of_proxy.then(|| named(ServiceKind::Cliproxyapi)).flatten()
        }
        _ => None,
    }
}
