//! One client at the socket: requests as lines, one after the other.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::asker::{Asker, Outcome, Word};
use super::end::End;
use super::protocol::{
    Command, Event, LINE_LIMIT, PROTOCOL_VERSION, Refusal, Reply, ReplyBody, Request,
};
use super::roster::Roster;

/// So long a client has for a line, and for taking one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves a client until it goes, says nothing, or says nonsense.
pub async fn serve(stream: UnixStream, roster: Rc<RefCell<Roster>>, end: End) {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reading).take(LINE_LIMIT as u64 + 1);
        let read = timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await;
        match read {
            Ok(Ok(_)) if line.is_empty() => return,
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
        let request = match parse(&line) {
            Ok(request) => request,
            Err((id, refusal)) => {
                let _ = answer(&mut writing, id, Err(refusal)).await;
                return;
            }
        };
        let is_last = matches!(
            request.command,
            Command::Shutdown | Command::Yield | Command::Reexec { .. }
        );
        let served = carry_out(request, &mut writing, &roster).await;
        if is_last && served != Served::Refused {
            end.come();
        }
        if is_last || served == Served::Unheard {
            return;
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    Done,
    Refused,
    /// The client does not listen any more.
    Unheard,
}

/// Carries out a request. What it asked for goes on when the client has gone.
async fn carry_out(
    request: Request,
    writing: &mut OwnedWriteHalf,
    roster: &Rc<RefCell<Roster>>,
) -> Served {
    let id = request.id;
    let (words, mut said) = mpsc::unbounded_channel();
    roster
        .borrow_mut()
        .carry_out(request.command, Asker::new(words));
    while let Some(word) = said.recv().await {
        let event = match word {
            Word::Event(event) => event,
            Word::End(outcome) => return end_with(writing, id, outcome).await,
        };
        if !tell(writing, id, event).await {
            return Served::Unheard;
        }
    }
    let gone = Refusal::new("busy", "the service is not looked after any more");
    end_with(writing, id, Err(gone)).await
}

async fn end_with(writing: &mut OwnedWriteHalf, id: u64, outcome: Outcome) -> Served {
    let served = match outcome {
        Ok(_) => Served::Done,
        Err(_) => Served::Refused,
    };
    match answer(writing, id, outcome).await {
        true => served,
        false if served == Served::Refused => Served::Refused,
        false => Served::Unheard,
    }
}

/// A request, or the number of what is none and why. No bytes make it panic.
pub fn parse(line: &[u8]) -> Result<Request, (u64, Refusal)> {
    #[derive(Deserialize)]
    struct Head {
        v: u32,
        #[serde(default)]
        id: u64,
    }
    let bad = |id: u64, message: String| (id, Refusal::new("bad-request", message));
    if line.len() > LINE_LIMIT {
        return Err(bad(0, format!("a line has {LINE_LIMIT} bytes at most")));
    }
    let head: Head = serde_json::from_slice(line).map_err(|error| {
        bad(
            0,
            format!("the line is no request: column {}", error.column()),
        )
    })?;
    if head.v != PROTOCOL_VERSION {
        let message = format!(
            "the supervisor (flowgate {}) speaks version {PROTOCOL_VERSION} of the protocol, not version {}",
            env!("CARGO_PKG_VERSION"),
            head.v
        );
        return Err((head.id, Refusal::new("version", message)));
    }
    // Where the text went wrong may be beside a secret, so only the place is told.
    serde_json::from_slice(line).map_err(|error| {
        bad(
            head.id,
            format!("the line is no known request: column {}", error.column()),
        )
    })
}

async fn tell(writing: &mut OwnedWriteHalf, id: u64, event: Event) -> bool {
    write(writing, id, ReplyBody::Event { event }).await
}

async fn answer(writing: &mut OwnedWriteHalf, id: u64, outcome: Outcome) -> bool {
    let (result, error) = match outcome {
        Ok(answer) => (Some(answer), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let body = ReplyBody::Answer {
        ok: error.is_none(),
        result,
        error,
    };
    write(writing, id, body).await
}

async fn write(writing: &mut OwnedWriteHalf, id: u64, body: ReplyBody) -> bool {
    let reply = Reply {
        v: PROTOCOL_VERSION,
        id,
        body,
    };
    let Ok(mut line) = serde_json::to_vec(&reply) else {
        return false;
    };
    line.push(b'\n');
    let written = timeout(PATIENCE, writing.write_all(&line)).await;
    matches!(written, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::protocol::Launch;
    use super::*;

    #[test]
    fn a_request_is_read_back_as_it_was_sent() {
        let launch = Launch {
            service: "litellm".into(),
            cwd: "/gw".into(),
            env: BTreeMap::from([("KEY".into(), "secret".into())]),
        };
        for command in [
            Command::Start(launch.clone()),
            Command::Restart(launch.clone()),
            Command::Adopt(launch),
            Command::Stop {
                service: "litellm".into(),
            },
            Command::Hasten {
                service: "litellm".into(),
            },
            Command::Status,
            Command::Shutdown,
            Command::Yield,
            Command::Reexec {
                program: "/usr/bin/flowgate".into(),
            },
        ] {
            let request = Request {
                v: PROTOCOL_VERSION,
                id: 7,
                command,
            };
            let line = serde_json::to_vec(&request).unwrap();
            assert_eq!(parse(&line).unwrap(), request);
            assert!(!format!("{request:?}").contains("secret"));
        }
    }

    #[test]
    fn another_version_and_nonsense_are_told_apart() {
        let (id, refusal) = parse(br#"{"v":2,"id":9,"cmd":"dance"}"#).unwrap_err();
        assert_eq!((id, refusal.code.as_str()), (9, "version"));
        assert!(refusal.message.contains("version 1") && refusal.message.contains("version 2"));
        for line in [
            "",
            "[]",
            "{}",
            r#"{"v":1}"#,
            r#"{"v":1,"id":3,"cmd":"dance"}"#,
        ] {
            assert_eq!(parse(line.as_bytes()).unwrap_err().1.code, "bad-request");
        }
        assert_eq!(
            parse(&vec![b' '; LINE_LIMIT + 1]).unwrap_err().1.code,
            "bad-request"
        );
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line);
        }

        #[test]
        fn no_object_makes_it_panic(
            v in "[0-9a-z\"-]{0,6}", cmd in "(start|stop|status|[a-z]{0,6})", rest in "\\PC{0,60}"
        ) {
            let _ = parse(format!("{{\"v\":{v},\"id\":1,\"cmd\":\"{cmd}\",{rest}}}").as_bytes());
        }
    }
}
