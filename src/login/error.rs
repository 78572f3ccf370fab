//! Why a login did not come to a credential.

use flowgate_checks::model::ServiceKind;
use thiserror::Error;

use crate::gateway::management::answers::Refused;
use crate::gather::door::Closed;

/// Why a login failed. Its text is what the event log keeps and what follows `OAuth login failed: `;
/// it holds no secret.
#[derive(Debug, Error)]
pub enum LoginError {
    /// flowgate.yaml names no service of the kind.
    #[error("flowgate.yaml names no service of the kind {0:?}")]
    NoService(ServiceKind),
    /// There is no way to the management API.
    #[error("{}", closed(.0))]
    Closed(Closed),
    /// The kept key was refused before by the same process; once more could end in a ban.
    #[error(
        "the management key was refused {refusals} times by this process; it is not sent again"
    )]
    RefusedBefore {
        /// How often.
        refusals: u32,
    },
    /// The ban that was told of is not over.
    #[error("the management API has banned this machine for {minutes} min more")]
    BannedBefore {
        /// How long still, rounded up.
        minutes: u32,
    },
    /// Another login of the provider is under way.
    #[error("another login of {provider} is under way (pid {pid})")]
    UnderWay {
        /// The provider.
        provider: String,
        /// Of the other flowgate.
        pid: u32,
    },
    /// The port to which the browser comes back is held.
    #[error("callback port {port} is held at {address}")]
    CallbackPort {
        /// The port.
        port: u16,
        /// Where.
        address: String,
    },
    /// The build cannot do the provider.
    #[error("{build} has no login for {provider}")]
    Unsupported {
        /// Which build, as it says.
        build: String,
        /// The provider.
        provider: String,
    },
    /// The program refused a request.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The time was up.
    #[error("OAuth login timed out; last status={last}{}", last_error(.error))]
    TimedOut {
        /// The last status, in the program's word.
        last: String,
        /// The last request that came to nothing.
        error: Option<String>,
    },
    /// The program says that it failed.
    #[error("OAuth login failed with status: {status}{}", more(.text))]
    Failed {
        /// `error`, `denied`.
        status: String,
        /// What it says of it.
        text: Option<String>,
    },
    /// The process that waited for the browser has ended.
    #[error("{service} ended while the login waited, and forgot it")]
    ServerLost {
        /// The service.
        service: String,
    },
    /// It was answered well, and no credential of it is there.
    #[error("OAuth login was answered {status}, but {why}")]
    NotSaved {
        /// `ok`.
        status: String,
        /// What is there instead.
        why: String,
    },
    /// The credential is there, and others can read it.
    #[error("{path} was saved with mode {mode:03o}, and its mode cannot be set: {why}")]
    Exposed {
        /// The file, as shown.
        path: String,
        /// Its mode.
        mode: u32,
        /// Why not.
        why: String,
    },
    /// A signal asked for an end.
    #[error("interrupted")]
    Interrupted {
        /// Its number.
        signal: u8,
    },
    /// The program's own login came to nothing.
    #[error("{0}")]
    Program(String),
    /// The machine is in the way.
    #[error("{0}")]
    Machine(String),
}

fn closed(closed: &Closed) -> String {
    match closed {
        Closed::NotServing(why) => format!("nobody to log in with: {why}"),
        Closed::Stranger(why) => format!("no key is sent to the management API: {why}"),
        Closed::Off => "the management API is off".into(),
        Closed::NoKey => "flowgate keeps no management key".into(),
        Closed::WrongKey => {
            "the kept management key is not the one of the running service; it was not sent".into()
        }
        Closed::Untold(why) => {
            format!("whether the kept management key is right is unknown: {why}")
        }
    }
}

fn last_error(error: &Option<String>) -> String {
    error
        .as_ref()
        .map_or_else(String::new, |error| format!("; last error={error}"))
}

fn more(text: &Option<String>) -> String {
    text.as_ref()
        .map_or_else(String::new, |text| format!(": {text}"))
}
