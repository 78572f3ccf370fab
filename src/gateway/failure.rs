//! Why there was no answer, told apart by walking the chain of causes.

use std::error::Error;
use std::io;

use flowgate_checks::model::Outcome;
use rustls::InvalidMessage;

/// The outcome that an error of the client stands for.
///
/// Refused, silent and cut are three different things to a person (`crates.md` 5).
pub(super) fn outcome_of(error: &reqwest::Error) -> Outcome {
    let mut why = "request failed".to_owned();
    let mut is_cut = false;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(outcome) = current.downcast_ref::<rustls::Error>().map(of_tls) {
            return outcome;
        }
        if let Some(outcome) = current.downcast_ref::<io::Error>().and_then(of_io) {
            return outcome;
        }
        let text = current.to_string();
        if is_no_http(&text) {
            return Outcome::NotHttp;
        }
        // What lies deeper may say more.
        is_cut |= says_cut(&text);
        why = text;
        cause = current.source();
    }
    if error.is_timeout() {
        return Outcome::Timeout;
    }
    if is_cut {
        return Outcome::Reset;
    }
    Outcome::Unreachable { why }
}

fn of_tls(error: &rustls::Error) -> Outcome {
    match error {
        // Bytes that are no TLS: the port speaks plain HTTP.
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => Outcome::WrongScheme,
        _ => Outcome::TlsRefused,
    }
}

fn of_io(error: &io::Error) -> Option<Outcome> {
    // `source` of such an error skips what it holds.
    if let Some(inner) = error.get_ref() {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Some(of_tls(tls));
        }
        if let Some(outcome) = inner.downcast_ref::<io::Error>().and_then(of_io) {
            return Some(outcome);
        }
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Outcome::Refused),
        io::ErrorKind::TimedOut => Some(Outcome::Timeout),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::NotConnected => Some(Outcome::Reset),
        io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::PermissionDenied => Some(Outcome::Unreachable {
            why: error.kind().to_string(),
        }),
        _ => None,
    }
}

/// The HTTP library keeps the kind of its errors to itself; its words are checked by tests.
fn is_no_http(text: &str) -> bool {
    const WORDS: [&str; 4] = [
        "invalid HTTP",
        "message head is too large",
        "invalid content-length parsed",
        // It spoke before it was asked, as SSH and mail servers do.
        "received unexpected message from connection",
    ];
    WORDS.iter().any(|words| text.contains(words))
}

/// The same of a connection that ended too early.
fn says_cut(text: &str) -> bool {
    const WORDS: [&str; 5] = [
        "connection closed before",
        "end of file before message length reached",
        "unexpected EOF",
        // Closed before the request was on its way.
        "operation was canceled",
        "channel closed",
    ];
    WORDS.iter().any(|words| text.contains(words))
}
