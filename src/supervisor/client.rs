//! Asking the supervisor, and starting one where none runs.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::launch;
use super::lock;
use super::places::{PlaceError, Places};
use super::plan;
use super::protocol::{
    Answer, Command, Event, LINE_LIMIT, PROTOCOL_VERSION, Refusal, Reply, ReplyBody, Request,
};
use super::socket::Door;
use crate::sys::plain;
use crate::sys::read;

/// A supervisor that is started listens within this time, or something is wrong with it.
const STARTING: Duration = Duration::from_secs(10);

/// The pause between two tries to connect.
const PAUSE: Duration = Duration::from_millis(3);

/// So long an answer is waited for where nothing else is said; a cold start of LiteLLM on a busy
/// machine and the whole ladder of a stop fit into it.
const PATIENCE: Duration = Duration::from_secs(300);

/// Why a request has no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The runtime dir cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// No supervisor could be started.
    #[error("start the supervisor: {0}")]
    Start(String),
    /// No supervisor runs.
    #[error("reach the supervisor: none runs")]
    Absent,
    /// It ended, or closed the connection, before it answered.
    #[error("get an answer of the supervisor: it closed the connection")]
    Gone,
    /// It did not answer in time.
    #[error("get an answer of the supervisor: it said nothing for {} s", .0.as_secs())]
    Silent(Duration),
    /// What it said is no answer.
    #[error("understand the supervisor: {0}")]
    Garbled(String),
    /// It refused.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The connection broke.
    #[error("ask the supervisor: {0}")]
    Connection(#[from] io::Error),
}

/// A way to the supervisor of one runtime dir. Each request is a connection of its own, so that a
/// pause between two of them harms nothing.
pub struct Client {
    door: Door,
    ready: Option<UnixStream>,
    patience: Duration,
    next_id: u64,
}

impl Client {
    /// The way to the supervisor of this runtime dir; none, at once, when none runs there.
    pub fn connect(runtime_dir: &Path) -> Option<Self> {
        let door = Door::open(&Places::new(runtime_dir)).ok()?;
        let stream = UnixStream::connect(door.path()).ok()?;
        Some(Self {
            door,
            ready: Some(stream),
            patience: PATIENCE,
            next_id: 1,
        })
    }

    /// The same; a supervisor is started when none runs. `config` is the flowgate.yaml that it
    /// reads at each start; both paths are absolute.
    ///
    /// Of two that do this at once, both get the same supervisor.
    ///
    /// # Errors
    /// [`ClientError::Place`] for a runtime dir that cannot be used, [`ClientError::Start`].
    pub fn ensure(runtime_dir: &Path, config: &Path) -> Result<Self, ClientError> {
        let program =
            std::env::current_exe().map_err(|error| ClientError::Start(error.to_string()))?;
        Self::ensure_with(&program, runtime_dir, config)
    }

    /// The same with the flowgate at this path, where this program is another.
    ///
    /// # Errors
    /// As [`Client::ensure`].
    pub fn ensure_with(
        program: &Path,
        runtime_dir: &Path,
        config: &Path,
    ) -> Result<Self, ClientError> {
        if let Some(client) = Self::connect(runtime_dir) {
            return Ok(client);
        }
        let places = Places::new(runtime_dir);
        places.make()?;
        let mut child = start_supervisor(program, &places, config)?;
        let deadline = Instant::now() + STARTING;
        loop {
            if let Some(client) = Self::connect(runtime_dir) {
                if lock::holder(&places).is_some_and(|holder| holder.pid != child.id()) {
                    // Another was faster. This one would take its place when that has ended, and
                    // nobody would have asked for it.
                    let _ = child.kill();
                    let _ = child.wait();
                }
                return Ok(client);
            }
            // One that ends well found another that was faster.
            if let Some(status) = child.try_wait()?
                && !status.success()
            {
                return Err(ClientError::Start(last_words(&places)));
            }
            if Instant::now() >= deadline {
                return Err(ClientError::Start(unheard(&places)));
            }
            std::thread::park_timeout(PAUSE);
        }
    }

    /// Has the supervisor of this runtime dir become the flowgate at this path, when that is newer,
    /// and gives its version. The services go on.
    ///
    /// # Errors
    /// [`ClientError::Refused`] of code `not-newer`, `upgrade`, `busy` or `foreground`, and
    /// [`ClientError::Start`] when the old one serves on for want of a working new one.
    pub fn reexec(runtime_dir: &Path, program: &Path) -> Result<String, ClientError> {
        let mut client = Self::connect(runtime_dir).ok_or(ClientError::Absent)?;
        let (before, _) = client.instance()?;
        let program = program.to_owned();
        client.request(Command::Reexec { program }, drop)?;
        let deadline = Instant::now() + STARTING;
        loop {
            let now = Self::connect(runtime_dir).and_then(|mut client| client.instance().ok());
            match now {
                Some((instance, version)) if instance != before => return Ok(version),
                _ if Instant::now() >= deadline => {
                    return Err(ClientError::Start(unheard(&Places::new(runtime_dir))));
                }
                _ => std::thread::park_timeout(PAUSE),
            }
        }
    }

    /// What tells the supervisor from its former self, and its version.
    fn instance(&mut self) -> Result<(String, String), ClientError> {
        match self.request(Command::Status, drop)? {
            Answer::Status {
                instance, version, ..
            } => Ok((instance, version)),
            _ => Err(ClientError::Garbled("no status".into())),
        }
    }

    /// Waits so long for an answer at most; 300 s where this is not called.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Asks, tells of each event as it comes, and gives the answer.
    ///
    /// Going away in between cancels nothing: a start goes on.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the supervisor will not; others when it gave no answer.
    pub fn request(
        &mut self,
        command: Command,
        mut on_event: impl FnMut(Event),
    ) -> Result<Answer, ClientError> {
        let stream = match self.ready.take() {
            Some(stream) => stream,
            None => UnixStream::connect(self.door.path()).map_err(|_| ClientError::Absent)?,
        };
        let request = Request {
            v: PROTOCOL_VERSION,
            id: self.next_id,
            command,
        };
        self.next_id += 1;
        send(&stream, &request, self.patience)?;
        let deadline = Instant::now() + self.patience;
        let mut replies = BufReader::new(&stream);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ClientError::Silent(self.patience));
            }
            stream.set_read_timeout(Some(left))?;
            let reply = receive(&mut replies, self.patience)?;
            if reply.id != request.id && reply.id != 0 {
                continue;
            }
            match reply.body {
                ReplyBody::Event { event } => on_event(event),
                ReplyBody::Answer {
                    result: Some(answer),
                    ok: true,
                    ..
                } => return Ok(answer),
                ReplyBody::Answer {
                    error: Some(refusal),
                    ..
                } => return Err(ClientError::Refused(refusal)),
                ReplyBody::Answer { .. } => {
                    return Err(ClientError::Garbled("an answer without a result".into()));
                }
            }
        }
    }
}

fn send(mut stream: &UnixStream, request: &Request, patience: Duration) -> Result<(), ClientError> {
    let mut line =
        serde_json::to_vec(request).map_err(|error| ClientError::Garbled(error.to_string()))?;
    line.push(b'\n');
    if line.len() > LINE_LIMIT {
        return Err(ClientError::Garbled(format!(
            "a request of {} bytes; {LINE_LIMIT} are allowed",
            line.len()
        )));
    }
    stream.set_write_timeout(Some(patience))?;
    stream
        .write_all(&line)
        .map_err(|error| broken(error, patience))
}

fn receive(replies: &mut impl BufRead, patience: Duration) -> Result<Reply, ClientError> {
    let mut line = Vec::new();
    let limit = LINE_LIMIT as u64 + 1;
    let read = replies.by_ref().take(limit).read_until(b'\n', &mut line);
    read.map_err(|error| broken(error, patience))?;
    if line.last() != Some(&b'\n') {
        return Err(if line.len() > LINE_LIMIT {
            ClientError::Garbled("a line that is too long".into())
        } else {
            ClientError::Gone
        });
    }
    serde_json::from_slice(&line).map_err(|error| ClientError::Garbled(error.to_string()))
}

fn broken(error: io::Error, patience: Duration) -> ClientError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::Silent(patience),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => ClientError::Gone,
        _ => ClientError::Connection(error),
    }
}

/// Starts a supervisor in a session of its own, which outlives this process.
#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor is this program, started by the first command that needs it"
)]
fn start_supervisor(program: &Path, places: &Places, config: &Path) -> Result<Child, ClientError> {
    let log = super::own_log::open(places)?;
    let mut command = std::process::Command::new(program);
    command
        .arg("--config")
        .arg(config)
        .args(["supervise", "--detached", "--runtime-dir"])
        .arg(places.runtime())
        .current_dir("/")
        // What the services need of the shell comes with each request, and is needed here too when
        // one has to be started of which nobody asks; what else stands there is not kept for weeks.
        .env_clear()
        .envs(kept(config))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command
        .spawn()
        .map_err(|error| ClientError::Start(error.to_string()))
}

/// The variables of this shell that a service may need.
fn kept(config: &Path) -> Vec<(OsString, OsString)> {
    let referenced = plan::current(config).map_or_else(|_| BTreeSet::new(), |now| now.referenced());
    let is_kept = |name: &str| launch::is_common(name) || referenced.contains(name);
    std::env::vars_os()
        .filter(|(name, _)| name.to_str().is_some_and(is_kept))
        .collect()
}

/// Why nobody can be reached although a supervisor was started.
fn unheard(places: &Places) -> String {
    match lock::holder(places) {
        Some(holder) => format!(
            "pid {} holds {} and does not listen",
            holder.pid,
            places.lock().display()
        ),
        None => "it does not listen".into(),
    }
}

/// The last line that a supervisor left in its log.
fn last_words(places: &Places) -> String {
    let (bytes, _) = read::tail(&places.supervisor_log(), 0, 4096).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(
        || "it ended without a word".into(),
        |line| plain::one_line(line.trim_start_matches("flowgate: failed to ")),
    )
}
