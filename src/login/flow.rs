//! A login through the management API: begin, wait for the person, and believe the end only when
//! the credential is there.

use std::path::PathBuf;
use std::time::Duration;

use flowgate_checks::model::{BindState, ServiceKind};
use flowgate_checks::routes::{Edition, LoginFlow, canonical_provider};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::by_flag;
use super::error::LoginError;
use super::pasted;
use super::paths::{self, NoPaths, Paths};
use super::refusals::Refusals;
use super::saved::{Before, Reader, Since};
use crate::config::schema::ProviderConfig;
use crate::gateway::management::answers::{Begun, LoginStatus, Refused};
use crate::gateway::management::client::{ManagementClient, is_passing};
use crate::gather::binds;
use crate::gather::door::{self, Door};
use crate::platform;

/// Time that one request may take, as in the original.
const REQUEST: Duration = Duration::from_secs(5);

/// A file that is saved is there this long after its login was answered well, at the latest.
const SAVING: Duration = Duration::from_secs(3);

/// So long the program may take to give its callback port back: it looks twice a second.
const ENDING: Duration = Duration::from_secs(4);

/// The pause between two looks at something that is about to happen.
const PAUSE: Duration = Duration::from_millis(100);

pub use crate::gather::door::{Closed, Ground};

/// Bound of the look before a login.
const LOOK: Duration = Duration::from_secs(5);

/// Looks what a login stands on: who answers, whether the kept key is right, where tokens go.
///
/// # Errors
/// [`LoginError::Machine`].
pub fn ground(config: Option<PathBuf>) -> Result<Ground, LoginError> {
    door::look(config, LOOK).map_err(|error| LoginError::Machine(error.to_string()))
}

/// What is wanted.
pub struct Wish<'a> {
    /// The provider, in any spelling.
    pub provider: &'a str,
    /// What flowgate.yaml says of it.
    pub configured: Option<&'a ProviderConfig>,
    /// How long the person is waited for.
    pub timeout: Duration,
    /// How often the program is asked.
    pub poll_interval: Duration,
}

/// What happens meanwhile.
pub enum News<'a> {
    /// Something worth a sentence.
    Word(&'a str),
    /// Where the person logs in.
    Url {
        /// Where.
        url: &'a str,
        /// The code to type there.
        user_code: Option<&'a str>,
        /// The port to which the browser comes back.
        callback: Option<u16>,
    },
    /// A pasted address was delivered.
    Delivered,
    /// The person is waited for.
    Waiting {
        /// How long still.
        left: Duration,
    },
}

/// What a login needs from the one who runs it.
pub trait Host {
    /// Tells what happens.
    fn tell(&mut self, news: News<'_>);
    /// Resolves with the number of a signal that asks for an end.
    fn interrupted(&mut self) -> impl Future<Output = u8>;
}

/// A login that came to a credential.
#[derive(Debug)]
pub struct Done {
    /// The word of the program: `ok`.
    pub status: String,
    /// The file.
    pub path: PathBuf,
}

/// The way to the management API, opened and counted.
struct Way<'a> {
    ground: &'a Ground,
    client: ManagementClient,
    process: Option<(u32, u64)>,
    edition: Edition,
    /// What the build calls itself.
    version: Option<String>,
}

/// Opens the way: one request, which says whether the key is right and what the build is.
///
/// # Errors
/// [`LoginError`].
async fn open<'a>(
    ground: &'a Ground,
    door: &Door,
    refusals: &mut Refusals,
) -> Result<Way<'a>, LoginError> {
    refusals.allow(Timestamp::now())?;
    let client = ManagementClient::new(
        door.at,
        door.certificate.as_deref(),
        door.key.clone(),
        REQUEST,
        ground.redactor.clone(),
    )
    .map_err(|error| LoginError::Machine(format!("failed to {error}")))?;
    let answer = client.auth_files().await;
    refusals.note(&answer, Timestamp::now());
    let (_, version) = answer?;
    Ok(Way {
        edition: version
            .as_deref()
            .map_or(Edition::Unknown, Edition::of_version),
        ground,
        client,
        process: door.process,
        version,
    })
}

/// Logs in, by the management API where the build has a route, else by the flag of the program.
///
/// # Errors
/// [`LoginError`].
pub async fn log_in(
    ground: &Ground,
    wish: &Wish<'_>,
    refusals: &mut Refusals,
    pasted: &mut UnboundedReceiver<String>,
    host: &mut impl Host,
) -> Result<Done, LoginError> {
    let way = match &ground.door {
        Ok(door) => open(ground, door, refusals).await,
        Err(closed) => Err(LoginError::Closed(closed.clone())),
    };
    let is_copilot = canonical_provider(wish.provider) == "copilot";
    let by_api = match way {
        Ok(way) if is_copilot && way.edition == Edition::Plus => None,
        Ok(way) => Some(match paths_of(&way, wish) {
            Ok(paths) => run(&way, &paths, wish, pasted, host).await,
            Err(error) => Err(error),
        }),
        Err(error) => Some(Err(error)),
    };
    let service = ground.service.as_ref();
    match (by_api, service) {
        (None, Some(service)) => by_flag::run(ground, service, wish, host).await,
        // A program that does not serve, or whose API is shut, may have the flag all the same.
        (Some(Err(error)), Some(service))
            if is_copilot && is_no_way(&error) && by_flag::is_known(service).await? =>
        {
            by_flag::run(ground, service, wish, host).await
        }
        (Some(ended), _) => ended,
        (None, None) => Err(LoginError::NoService(ServiceKind::Cliproxyapi)),
    }
}

/// Whether the management API is no way to this login, whatever the person does.
fn is_no_way(error: &LoginError) -> bool {
    matches!(
        error,
        LoginError::Closed(_) | LoginError::Refused(Refused::Off | Refused::NoRoute { .. })
    )
}

/// The paths of a login with this build.
///
/// # Errors
/// [`LoginError::Unsupported`].
fn paths_of(way: &Way<'_>, wish: &Wish<'_>) -> Result<Paths, LoginError> {
    paths::of(wish.provider, wish.configured, way.edition).map_err(|none| match none {
        NoPaths::Unsupported | NoPaths::Incomplete => LoginError::Unsupported {
            build: way.version.as_ref().map_or_else(
                || "this build".into(),
                |version| format!("CLIProxyAPI {version}"),
            ),
            provider: wish.provider.to_owned(),
        },
    })
}

/// Logs in. Whatever happens, nothing listens for the login afterwards.
///
/// # Errors
/// [`LoginError`].
async fn run(
    way: &Way<'_>,
    paths: &Paths,
    wish: &Wish<'_>,
    pasted: &mut UnboundedReceiver<String>,
    host: &mut impl Host,
) -> Result<Done, LoginError> {
    for word in &paths.words {
        host.tell(News::Word(word));
    }
    let callback = match paths.flow {
        LoginFlow::Callback(port) => Some(port),
        LoginFlow::Device => None,
    };
    if let Some(port) = callback {
        is_free(port)?;
    }
    let before = Before::take(&way.ground.auth_dirs);
    let begun = way
        .client
        .begin(&paths.begin)
        .await
        .map_err(|refused| of_begin(refused, callback))?;
    if let Some(url) = &begun.url {
        host.tell(News::Url {
            url,
            user_code: begun.user_code.as_deref(),
            callback,
        });
    }
    let login = Login {
        way,
        paths,
        wish,
        before,
        begun,
        callback,
    };
    let ended = login.wait(pasted, host).await;
    if ended.as_ref().is_err_and(leaves_it_waiting) {
        login.end(host).await;
    }
    ended
}

/// A port that somebody holds is no place to come back to; the program says so of 127.0.0.1 alone.
fn is_free(port: u16) -> Result<(), LoginError> {
    let held = binds::test_loopbacks(port)
        .into_iter()
        .find(|(_, state)| *state == BindState::InUse);
    held.map_or(Ok(()), |(address, _)| {
        Err(LoginError::CallbackPort { port, address })
    })
}

/// `failed to start callback server` says that the port is held (`facts/cliproxyapi.md` 4.2).
fn of_begin(refused: Refused, callback: Option<u16>) -> LoginError {
    match (&refused, callback) {
        (Refused::Said { text, .. }, Some(port)) if text.contains("callback server") => {
            LoginError::CallbackPort {
                port,
                address: format!("127.0.0.1, says the program: {text}"),
            }
        }
        _ => LoginError::Refused(refused),
    }
}

/// Whether the program still waits for the browser after such an end.
fn leaves_it_waiting(error: &LoginError) -> bool {
    matches!(
        error,
        LoginError::TimedOut { .. } | LoginError::Interrupted { .. } | LoginError::Refused(_)
    )
}

/// One login that has begun.
struct Login<'a> {
    way: &'a Way<'a>,
    paths: &'a Paths,
    wish: &'a Wish<'a>,
    before: Before,
    begun: Begun,
    callback: Option<u16>,
}

impl Login<'_> {
    async fn wait(
        &self,
        pasted: &mut UnboundedReceiver<String>,
        host: &mut impl Host,
    ) -> Result<Done, LoginError> {
        let deadline = Instant::now() + self.wish.timeout;
        let mut next = Instant::now() + self.wish.poll_interval;
        let mut last = "wait".to_owned();
        let mut last_error = None;
        let mut shown: Option<String> = None;
        let mut is_pasting = true;
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Err(LoginError::TimedOut {
                    last,
                    error: last_error,
                });
            }
            host.tell(News::Waiting {
                left: deadline - now,
            });
            let second = now + Duration::from_secs(1);
            tokio::select! {
                signal = host.interrupted() => return Err(LoginError::Interrupted { signal }),
                line = pasted.recv(), if is_pasting => {
                    match line {
                        Some(line) => self.deliver(&line, host).await?,
                        None => is_pasting = false,
                    }
                    continue;
                }
                () = sleep_until(next.min(second).min(deadline)) => {}
            }
            if Instant::now() < next {
                continue;
            }
            next = Instant::now() + self.wish.poll_interval;
            match self
                .way
                .client
                .status(&self.paths.status, self.state())
                .await
            {
                Ok(LoginStatus::Wait) => "wait".clone_into(&mut last),
                Ok(LoginStatus::WaitAt { url, user_code }) => {
                    if shown.as_ref() != Some(&url) {
                        host.tell(News::Url {
                            url: &url,
                            user_code: user_code.as_deref(),
                            callback: self.callback,
                        });
                        shown = Some(url);
                    }
                }
                Ok(LoginStatus::Ok(status)) => return self.confirm(status).await,
                Ok(LoginStatus::Failed { status, text }) => return Err(failed(status, text)),
                Err(refused) if is_passing(&refused) => {
                    if self.is_lost() {
                        return self.confirm_lost().await;
                    }
                    last_error = Some(refused.to_string());
                }
                Err(refused) => return Err(refused.into()),
            }
        }
    }

    fn state(&self) -> &SecretString {
        &self.begun.state
    }

    async fn deliver(&self, line: &str, host: &mut impl Host) -> Result<(), LoginError> {
        if line.trim().is_empty() {
            return Ok(());
        }
        let callback = match pasted::read(line, self.state()) {
            Ok(callback) => callback,
            Err(not_it) => {
                host.tell(News::Word(&not_it.to_string()));
                return Ok(());
            }
        };
        let provider = canonical_provider(self.wish.provider);
        self.way
            .client
            .call_back(&provider, &callback, self.way.edition)
            .await?;
        host.tell(News::Delivered);
        Ok(())
    }

    /// `ok` counts when the file is there: older builds say it of every login that they do not know.
    async fn confirm(&self, status: String) -> Result<Done, LoginError> {
        let is_restarted = self.is_lost();
        let why = match self.saved(is_restarted).await {
            Ok(path) => return Ok(Done { status, path }),
            Err(why) => why,
        };
        Err(LoginError::NotSaved { status, why })
    }

    /// The process went away; what it saved before is there all the same.
    async fn confirm_lost(&self) -> Result<Done, LoginError> {
        match self.saved(true).await {
            Ok(path) => Ok(Done {
                status: "ok".into(),
                path,
            }),
            Err(_) => Err(LoginError::ServerLost {
                service: self.service(),
            }),
        }
    }

    /// Waits for the file a little.
    ///
    /// # Errors
    /// What is there instead.
    async fn saved(&self, is_restarted: bool) -> Result<PathBuf, String> {
        let ground = self.way.ground;
        let reader = Reader {
            root: &ground.root,
            fingerprinter: &ground.fingerprinter,
            redactor: &ground.redactor,
        };
        let deadline = Instant::now() + SAVING;
        loop {
            let why = match self.before.since(self.wish.provider, &reader) {
                // A service that has just begun renews its tokens by itself: that is no login.
                Since::Saved { path, is_new } if is_new || !is_restarted => return Ok(path),
                Since::Saved { .. } | Since::Nothing => {
                    let dir = self.before.dir().map(|dir| ground.root.show(dir));
                    let dir = dir.unwrap_or_else(|| "the auth dir".into());
                    let because = if is_restarted {
                        format!("; {} was restarted meanwhile", self.service())
                    } else {
                        String::new()
                    };
                    format!("no new credential is in {dir}{because}")
                }
                Since::Unfit(why) => format!("what it saved cannot be used: {why}"),
            };
            if Instant::now() >= deadline {
                return Err(why);
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether the process with which the login began has ended.
    fn is_lost(&self) -> bool {
        self.way.process.is_some_and(|(pid, start_time)| {
            platform::process_stat(pid)
                .is_none_or(|stat| stat.start_time != start_time || stat.is_dead())
        })
    }

    fn service(&self) -> String {
        let service = self.way.ground.service.as_ref();
        service.map_or_else(|| "the service".into(), |service| service.name.clone())
    }

    /// Has the program stop waiting, and waits until nothing listens. A second signal ends that too.
    async fn end(&self, host: &mut impl Host) {
        let Some(port) = self.callback else {
            return;
        };
        let provider = canonical_provider(self.wish.provider);
        let give_back = async {
            let cancelled = self
                .way
                .client
                .cancel(&provider, self.state(), self.way.edition);
            if cancelled.await.is_err() {
                return;
            }
            while is_free(port).is_err() {
                sleep(PAUSE).await;
            }
            // An error is kept until somebody has read it.
            let _ = self
                .way
                .client
                .status(&self.paths.status, self.state())
                .await;
        };
        tokio::select! {
            _ = timeout(ENDING, give_back) => {}
            _ = host.interrupted() => {}
        }
    }
}

/// The program waits for five minutes, whatever was asked for.
fn failed(status: String, text: Option<String>) -> LoginError {
    let said = text.as_deref().unwrap_or_default().to_ascii_lowercase();
    if said.contains("timeout") || said.contains("timed out") {
        return LoginError::TimedOut {
            last: status,
            error: text,
        };
    }
    LoginError::Failed { status, text }
}
