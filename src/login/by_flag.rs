//! The login that a build does by a flag of its own alone: Copilot in CLIProxyAPIPlus 6.6.9-0
//! (`facts/cliproxyapi.md` 4.5). Its exit code is 0 whatever happens, so its lines are read.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, sleep_until};

use super::error::LoginError;
use super::flow::{Done, Ground, Host, News, Wish};
use super::saved::{Before, Reader, Since};
use crate::config::service::ServiceConfig;

use crate::sys::plain;

/// The flag.
const FLAG: &str = "-github-copilot-login";

/// Longest line that is read, in bytes.
const LONGEST_LINE: u64 = 4096;

/// The usage comes at once.
const USAGE: Duration = Duration::from_secs(5);

/// So long the program may take to end when it is told to.
const ENDING: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(50);

/// Whether the program of a service knows the flag, by its usage; for when it does not run.
pub async fn is_known(service: &ServiceConfig) -> Result<bool, LoginError> {
    let mut program = Program::start(service, &["-h"])?;
    let deadline = Instant::now() + USAGE;
    let mut has_flag = false;
    loop {
        tokio::select! {
            line = program.lines.recv() => match line {
                Some(line) => has_flag |= line.contains("github-copilot-login"),
                None => return Ok(has_flag),
            },
            () = sleep_until(deadline) => return Ok(has_flag),
        }
    }
}

/// Logs in to Copilot. The program is gone afterwards.
///
/// # Errors
/// [`LoginError`].
pub async fn run(
    ground: &Ground,
    service: &ServiceConfig,
    wish: &Wish<'_>,
    host: &mut impl Host,
) -> Result<Done, LoginError> {
    let before = Before::take(&ground.auth_dirs);
    let mut program = Program::start(service, &[FLAG, "-no-browser"])?;
    let deadline = Instant::now() + wish.timeout;
    let mut told = Told::default();
    loop {
        let now = Instant::now();
        if now >= deadline {
            return Err(LoginError::TimedOut {
                last: "wait".into(),
                error: None,
            });
        }
        host.tell(News::Waiting {
            left: deadline - now,
        });
        tokio::select! {
            signal = host.interrupted() => return Err(LoginError::Interrupted { signal }),
            line = program.lines.recv() => match line {
                Some(line) => {
                    if let Some((url, code)) = told.hear(&plain::one_line(&line)) {
                        host.tell(News::Url { url: &url, user_code: Some(&code), callback: None });
                    }
                }
                None => break,
            },
            () = sleep_until((now + Duration::from_secs(1)).min(deadline)) => {}
        }
    }
    let reader = Reader {
        root: &ground.root,
        fingerprinter: &ground.fingerprinter,
        redactor: &ground.redactor,
    };
    match before.since(wish.provider, &reader) {
        Since::Saved { path, .. } => Ok(Done {
            status: "ok".into(),
            path,
        }),
        Since::Unfit(why) => Err(LoginError::NotSaved {
            status: "ok".into(),
            why: format!("what it saved cannot be used: {why}"),
        }),
        Since::Nothing => Err(told.failure(ground)),
    }
}

/// What the program has said so far.
#[derive(Debug, Default)]
struct Told {
    url: Option<String>,
    is_success: bool,
    failure: Option<String>,
    last: String,
}

impl Told {
    /// Hears a line; gives where to go and what to type there, once both are told.
    fn hear(&mut self, line: &str) -> Option<(String, String)> {
        let line = line.trim();
        let after = |words: &str| Some(line.split_once(words)?.1.trim().to_owned());
        if let Some(url) = after("please visit: ") {
            let is_web = url.starts_with("https://") || url.starts_with("http://");
            self.url = (is_web && !url.contains(' ')).then_some(url);
            return None;
        }
        if let Some(code) = after("enter the code: ") {
            return Some((self.url.clone()?, plain::cut(&code, 40)));
        }
        self.is_success |=
            line.contains("Authentication saved to") || line.contains("authentication successful");
        if line.contains("[error]") || line.contains("[fatal]") {
            let said = line.rsplit("] ").next().unwrap_or(line);
            self.failure = Some(said.to_owned());
        }
        if !line.is_empty() {
            line.clone_into(&mut self.last);
        }
        None
    }

    fn failure(self, ground: &Ground) -> LoginError {
        let clean = |text: &str| plain::cut(&ground.redactor.clean(text), 200);
        if self.is_success {
            return LoginError::NotSaved {
                status: "ok".into(),
                why: "no new credential is there".into(),
            };
        }
        let said = self.failure.unwrap_or(self.last);
        let text = clean(&said);
        if said.contains("timed out") || said.contains("has expired") {
            return LoginError::TimedOut {
                last: "wait".into(),
                error: Some(text),
            };
        }
        LoginError::Program(match said.is_empty() {
            true => "the program ended without a word".into(),
            false => format!("the program says: {text}"),
        })
    }
}

/// The program in a session of its own; it ends with this.
struct Program {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Program {
    #[expect(
        clippy::disallowed_methods,
        reason = "the login is done by the program itself, in a session of its own"
    )]
    fn start(service: &ServiceConfig, flags: &[&str]) -> Result<Self, LoginError> {
        let failed = |error: std::io::Error| {
            let program = service.args.first().map_or("the program", String::as_str);
            LoginError::Machine(format!("failed to run {program}: {error}"))
        };
        if service.args.is_empty() {
            return Err(LoginError::Machine(format!(
                "flowgate.yaml gives no command of {}; log in with the program itself, by {FLAG}",
                service.name
            )));
        }
        let mut command = Command::new("/proc/self/exe");
        command
            .args(["exec-service", "--"])
            .args(&service.args)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(cwd) = &service.cwd {
            command.current_dir(cwd);
        }
        for (name, value) in &service.env {
            command.env(name, secrecy::ExposeSecret::expose_secret(value));
        }
        let mut child = command.spawn().map_err(failed)?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(out) = child.stdout.take() {
            listen(out, sender.clone());
        }
        if let Some(err) = child.stderr.take() {
            listen(err, sender);
        }
        // The gate: with this byte it becomes the program.
        let opened = child.stdin.take().map(|mut gate| gate.write_all(b"\n"));
        let program = Self { child, lines };
        opened.unwrap_or(Ok(())).map_err(failed)?;
        Ok(program)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It is a child whose end nobody has read: the number is its own.
        if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let signal = |signal| group.map(|group| kill_process_group(group, signal));
        let _ = signal(Signal::TERM);
        let deadline = std::time::Instant::now() + ENDING;
        while std::time::Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::park_timeout(PAUSE);
        }
        let _ = signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

fn listen(stream: impl Read + Send + 'static, lines: UnboundedSender<String>) {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            let read = reader
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line);
            if !read.is_ok_and(|read| read > 0) {
                return;
            }
            if lines
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_told_with_its_address_and_the_last_error_counts() {
        let mut told = Told::default();
        assert_eq!(told.hear("And enter the code: ABCD-1234"), None);
        told.hear("To authenticate, please visit: https://github.com/login/device");
        assert_eq!(
            told.hear("And enter the code: ABCD-1234"),
            Some(("https://github.com/login/device".into(), "ABCD-1234".into()))
        );
        told.hear("[2026-11-24 10:00:00] [error] [github_copilot_login.go:40] Authentication was cancelled or denied.");
        assert_eq!(
            told.failure.as_deref(),
            Some("Authentication was cancelled or denied.")
        );
    }

    #[test]
    fn an_address_that_is_none_is_told_to_nobody() {
        let mut told = Told::default();
        told.hear("To authenticate, please visit: javascript:alert(1)");
        assert_eq!(told.hear("And enter the code: ABCD-1234"), None);
    }
}
