//! A stand-in of CLIProxyAPIPlus 6.6.9-0 and, on demand, of CLIProxyAPI 7.2.140
//! (`facts/cliproxyapi.md`, `facts/real-stack.md`, recorded runs).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::Arc;
use std::thread;

use super::scene::Scene;
use super::server::{Server, Start, bind};

mod access;
mod answers;
mod config;
mod copilot;
mod edition;
mod live;
mod login;
mod tokens;

use answers::Proxy;
use config::Config;
use edition::Edition;
use live::LiveConfig;

const USAGE: &str = "Usage of CLIProxyAPI:\n  -codex-login\n    \tLogin to Codex using OAuth\n  -config string\n    \tConfigure File Path\n  -github-copilot-login\n    \tLogin to GitHub Copilot using device flow\n  -no-browser\n    \tDon't open browser automatically for OAuth\n";

/// The lines of a flag that Plus alone has.
const COPILOT_USAGE: &str =
    "  -github-copilot-login\n    \tLogin to GitHub Copilot using device flow\n";

/// Starts with the arguments of the real program; returns when it serves or has ended.
/// Every failed start ends with 0, usage errors with 2 (`facts/cliproxyapi.md` 1.6).
pub fn start(args: &[String], scene: &Scene) -> Start {
    let edition = Edition::of(scene);
    let console = &scene.console;
    console.out(&format!("{}\n", edition.banner()));
    let Arguments {
        config: path,
        logs_in_to_copilot,
    } = match arguments(args, edition) {
        Ok(arguments) => arguments,
        Err((code, text)) => {
            console.err(&text);
            return Start::Ended(code);
        }
    };
    let log = Log { scene, edition };
    let shown = path.unwrap_or_else(|| scene.path("config.yaml").display().to_string());
    let config = match Config::load(&scene.path(&shown), &shown, edition, scene) {
        Ok(config) => config,
        Err(error) => {
            log.line(
                "error",
                "main.go:405",
                &format!("failed to load config: {error}"),
            );
            return Start::Ended(0);
        }
    };
    log.line("info", "main.go:440", &edition.banner());
    if logs_in_to_copilot {
        copilot::log_in(&config, &log);
        return Start::Ended(0);
    }
    if let Err(error) = tokens::prepare(&config.auth_dir, &log) {
        log.exited_with(&error);
        return Start::Ended(0);
    }
    serve(config, &shown, &log)
}

fn serve(config: Config, shown: &str, log: &Log<'_>) -> Start {
    let scene = log.scene;
    if config.secret.is_some() || scene.variable("MANAGEMENT_PASSWORD").is_some() {
        let text = "management routes registered after secret key configuration";
        log.line("info", "server.go:484", text);
    }
    let listeners = listen(&config);
    let started = format!(
        "API server started successfully on: {}:{}\n",
        config.host, config.port
    );
    let listeners = match listeners {
        Ok(listeners) => listeners,
        Err(why) => {
            // Said although the bind failed (`facts/cliproxyapi.md` 0.4).
            scene.console.out(&started);
            log.say_clients(&config);
            thread::sleep(scene.delay());
            log.exited_with(&format!("failed to start HTTP server: {why}"));
            return Start::Ended(0);
        }
    };
    if let Err(error) = tokens::list(&config.auth_dir) {
        scene.console.out(&started);
        log.exited_with(&format!("cliproxy: failed to start watcher: {error}"));
        return Start::Ended(0);
    }
    let live = LiveConfig::new(
        scene.path(shown),
        shown.to_owned(),
        config,
        log.edition,
        scene,
    );
    let proxy = Arc::new(Proxy::new(live, log.edition, scene));
    match Server::start(listeners, proxy.clone()) {
        Ok(server) => {
            scene.console.out(&started);
            log.say_clients(&proxy.config());
            let text = "file watcher started for config and auth directory changes";
            log.line("info", "service.go:547", text);
            Start::Serving(server)
        }
        Err(error) => {
            log.exited_with(&error.to_string());
            Start::Ended(0)
        }
    }
}

/// What the arguments ask for.
#[derive(Default)]
struct Arguments {
    config: Option<String>,
    logs_in_to_copilot: bool,
}

/// One or two dashes, value inline or next (`facts/cliproxyapi.md` 1.1).
fn arguments(args: &[String], edition: Edition) -> Result<Arguments, (u8, String)> {
    let mut asked = Arguments::default();
    let usage = || match edition {
        Edition::Plus => USAGE.to_owned(),
        Edition::Mainline => USAGE.replace(COPILOT_USAGE, ""),
    };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let bare = arg.trim_start_matches('-');
        let (name, inline) = match bare.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (bare, None),
        };
        match name {
            "config" if arg.starts_with('-') => {
                let Some(value) = inline.or_else(|| rest.next().cloned()) else {
                    let error = "flag needs an argument: -config";
                    return Err((2, format!("{error}\n{}", usage())));
                };
                asked.config = Some(value).filter(|path| !path.is_empty());
            }
            "github-copilot-login" if arg.starts_with('-') && edition == Edition::Plus => {
                asked.logs_in_to_copilot = true;
            }
            "no-browser" | "local-model" if arg.starts_with('-') => {}
            "h" | "help" if arg.starts_with('-') => return Err((0, usage())),
            _ if arg.starts_with('-') => {
                let error = format!("flag provided but not defined: -{name}");
                return Err((2, format!("{error}\n{}", usage())));
            }
            // Go's flag package stops at the first word that is no flag.
            _ => break,
        }
    }
    Ok(asked)
}

/// Binds as the config says, at loopback addresses only; a wildcard needs both families, as the
/// real one does when anybody holds the port on either.
///
/// # Errors
/// The words of Go's net package.
fn listen(config: &Config) -> Result<Vec<TcpListener>, String> {
    let (host, port) = (config.host.as_str(), config.port);
    if host.contains(':') && !host.starts_with('[') {
        return Err(format!(
            "listen tcp: address {host}:{port}: too many colons in address"
        ));
    }
    let port =
        u16::try_from(port).map_err(|_| format!("listen tcp: address {port}: invalid port"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let at = |ip: IpAddr, port: u16| {
        bind(ip, port).map_err(|error| format!("listen tcp {host}:{port}: bind: {}", words(&error)))
    };
    let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
    match bare {
        "" | "0.0.0.0" | "::" => {
            let first = at(v4, port)?;
            let port = first.local_addr().map_or(port, |at| at.port());
            // A machine without IPv6 has no second family to bind.
            let second = match bind(IpAddr::V6(Ipv6Addr::LOCALHOST), port) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Err(format!("listen tcp {host}:{port}: bind: {}", words(&error)));
                }
                second => second.ok(),
            };
            Ok([Some(first), second].into_iter().flatten().collect())
        }
        "localhost" => Ok(vec![at(v4, port)?]),
        _ => match bare.parse() {
            Ok(ip) => Ok(vec![at(ip, port)?]),
            Err(_) => Err(format!("listen tcp: lookup {host}: no such host")),
        },
    }
}

fn words(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use",
        io::ErrorKind::PermissionDenied => "permission denied",
        _ => "cannot assign requested address",
    }
}

/// The log on standard output, in the form of the edition.
struct Log<'a> {
    scene: &'a Scene,
    edition: Edition,
}

impl Log<'_> {
    fn line(&self, level: &str, place: &str, text: &str) {
        self.scene
            .console
            .out(&self.edition.log_line(level, place, text));
    }

    fn exited_with(&self, error: &str) {
        let text = format!("proxy service exited with error: {error}");
        self.line("error", "run.go:54", &text);
    }

    /// Counts of `*.json` files, not of good credentials (`facts/cliproxyapi.md` 5.5).
    fn say_clients(&self, config: &Config) {
        let files = tokens::list(&config.auth_dir).map_or(0, |files| files.len());
        let compat = config.compatible.len();
        let total = files + compat;
        let rest = format!(
            "0 Gemini API keys + 0 Claude API keys + 0 Codex keys + 0 Vertex-compat + {compat} OpenAI-compat"
        );
        self.scene.console.out(&format!(
            "server clients and configuration updated: {total} clients ({files} auth files + {rest})\n"
        ));
        let text =
            format!("full client load complete - {total} clients ({files} auth files + {rest})");
        self.line("info", "watcher.go:1137", &text);
    }
}
