//! What a person sees while a login waits, and the signals that end it.

use owo_colors::OwoColorize;
use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::browser;
use super::login::Options;
use crate::cli::progress::Progress;
use crate::cli::{Global, output};
use crate::login::error::LoginError;
use crate::login::flow::{Host, News};

/// Tells a person.
pub struct Teller {
    provider: String,
    opens_browser: bool,
    pastes: bool,
    /// Port of the service to which a browser is sent on.
    service_port: Option<u16>,
    is_for_scripts: bool,
    is_quiet: bool,
    progress: Option<Progress>,
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Teller {
    /// Listens for signals from now on.
    ///
    /// # Errors
    /// [`LoginError::Machine`].
    pub fn new(
        provider: &str,
        options: &Options,
        service_port: Option<u16>,
        global: &Global,
    ) -> Result<Self, LoginError> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                LoginError::Machine(format!("failed to listen for signals: {error}"))
            })
        };
        Ok(Self {
            provider: provider.to_owned(),
            opens_browser: !options.no_browser && browser::is_there(),
            pastes: options.paste_callback,
            service_port,
            is_for_scripts: output::is_for_scripts(global),
            is_quiet: global.quiet,
            progress: None,
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Says something between two states of the line that counts.
    fn say(&mut self, text: &str) {
        self.progress = None;
        output::errors(text);
    }

    fn show(&mut self, url: &str, user_code: Option<&str>, callback: Option<u16>) {
        self.progress = None;
        // Scripts read this line, whatever else is said. One that has gone away is no reason to stop.
        let code = user_code.map_or_else(String::new, |code| format!("user_code={code}\n"));
        let code_line = if self.is_for_scripts {
            code.as_str()
        } else {
            ""
        };
        let _ = output::text(&format!("login_url={url}\n{code_line}"));
        if let Some(code) = user_code {
            self.say(&boxed(code));
        }
        let is_opened = self.opens_browser && browser::open(url);
        let what = match (is_opened, user_code) {
            (true, Some(_)) => "type this code in the browser that opens\n".to_owned(),
            (true, None) => "log in in the browser that opens\n".to_owned(),
            (false, Some(_)) => format!("open {url} in any browser and type this code\n"),
            (false, None) => "open the address above in a browser and log in there\n".to_owned(),
        };
        self.say(&what);
        if let (false, Some(port)) = (browser::is_there(), callback) {
            self.say(&self.far(port));
        }
        if self.pastes {
            self.say("then paste the address at which the browser ended, and press Enter:\n");
        }
    }

    /// What to do with a browser on another machine.
    fn far(&self, port: u16) -> String {
        let paste = if self.pastes {
            ""
        } else {
            "\n      or log in there, and give the address at which the browser ends to --paste-callback"
        };
        format!(
            "hint: for a browser on another machine, run this there first:\n      {}{paste}\n",
            browser::tunnel(port, self.service_port)
        )
    }
}

impl Host for Teller {
    fn tell(&mut self, news: News<'_>) {
        match news {
            News::Word(word) => self.say(&format!("{word}\n")),
            News::Url {
                url,
                user_code,
                callback,
            } => self.show(url, user_code, callback),
            News::Delivered => self.say("delivered; the program takes it from here\n"),
            News::Waiting { left } => {
                let (provider, is_wanted) = (&self.provider, !self.is_quiet);
                let progress = self
                    .progress
                    .get_or_insert_with(|| Progress::of(provider, is_wanted));
                progress.note(format!("waits for you, {} s left", left.as_secs()));
            }
        }
    }

    async fn interrupted(&mut self) -> u8 {
        let number = tokio::select! {
            _ = self.interrupt.recv() => Number::INT,
            _ = self.terminate.recv() => Number::TERM,
            _ = self.hangup.recv() => Number::HUP,
        };
        self.progress = None;
        u8::try_from(number.as_raw()).unwrap_or(2)
    }
}

/// A code that is seen from a distance.
fn boxed(code: &str) -> String {
    let width = crate::report::text::layout::width(code) + 6;
    let (corners, line, side) = if output::is_utf8() {
        (["┌", "┐", "└", "┘"], "─", "│")
    } else {
        (["+", "+", "+", "+"], "-", "|")
    };
    let line = line.repeat(width);
    format!(
        "\n    {}{line}{}\n    {side}   {}   {side}\n    {}{line}{}\n\n",
        corners[0],
        corners[1],
        code.bold(),
        corners[2],
        corners[3],
    )
}
