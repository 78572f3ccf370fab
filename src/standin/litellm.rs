//! A stand-in of LiteLLM 1.106.2 (`facts/litellm.md` 3 to 8, recorded runs).

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::scene::Scene;
use super::server::{Server, Start, bind};

mod answers;
mod args;
mod config;

use answers::Proxy;
use args::Args;
use config::{Config, Deployment, Refusal};

/// The port range of a silent move (`facts/litellm.md` 4).
const RANDOM_PORTS: std::ops::Range<u16> = 1024..49152;

const BANNER: &str = "\n   LiteLLM (stand-in)\n\n\x1b[1;37m#------------------------------------------------------------#\x1b[0m\n\n Thank you for using LiteLLM! - Krrish & Ishaan\n\n\x1b[1;31mGive Feedback / Get Help: https://github.com/BerriAI/litellm/issues/new\x1b[0m\n\n";

/// Starts with the arguments of the real program; returns when it listens or has ended.
pub fn start(args: &[String], scene: &Scene) -> Start {
    let started = begin(args, scene);
    if let Start::Ended(_) = started {
        scene.console.flush();
    }
    started
}

fn begin(args: &[String], scene: &Scene) -> Start {
    let console = &scene.console;
    let args = match Args::parse(args, scene) {
        Ok(args) => args,
        Err((code, text)) => {
            console.err(&text);
            return Start::Ended(code);
        }
    };
    thread::sleep(scene.delay());
    let config = match Config::load(args.config.as_deref(), scene) {
        Ok(config) => config,
        Err(refusal) => return refuse(&refusal, &Config::default(), scene),
    };
    let port = settle_port(args.port, scene.special_port());
    console.err(&format!(
        "INFO:     Started server process [{}]\nINFO:     Waiting for application startup.\n",
        process::id()
    ));
    let key = match config.settle_master_key(scene) {
        Ok(key) => key,
        Err(refusal) => return refuse(&refusal, &config, scene),
    };
    announce(&config, scene);
    for deployment in &config.deployments {
        greet_upstream(deployment.clone());
    }
    console.err("INFO:     Application startup complete.\n");
    let listener = match listen(&args.host, port) {
        Ok(listener) => listener,
        Err(error) => {
            console.err(&bind_error(&args.host, port, &error));
            return Start::Ended(3);
        }
    };
    let shown = listener.local_addr().map_or(port, |at| at.port());
    console.err(&format!(
        "INFO:     Uvicorn running on http://{}:{shown} (Press CTRL+C to quit)\n",
        args.host
    ));
    let proxy = Proxy::new(key, config, scene);
    match Server::start(vec![listener], Arc::new(proxy)) {
        Ok(server) => Start::Serving(server),
        Err(_) => Start::Ended(1),
    }
}

/// A taken special port is left for a random one, without a word (`facts/litellm.md` 0.1).
fn settle_port(port: u16, special: u16) -> u16 {
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, special));
    let is_taken = || TcpStream::connect_timeout(&at, Duration::from_secs(1)).is_ok();
    if port != special || !is_taken() {
        return port;
    }
    // The real program does not look whether the random one is free; a test must not fail of it.
    (0..100)
        .map(|_| random_port())
        .find(|port| bind(IpAddr::V4(Ipv4Addr::LOCALHOST), *port).is_ok())
        .unwrap_or(0)
}

fn random_port() -> u16 {
    let mut bytes = [0; 2];
    let _ = getrandom::fill(&mut bytes);
    let range = RANDOM_PORTS.end - RANDOM_PORTS.start;
    RANDOM_PORTS.start + u16::from_le_bytes(bytes) % range
}

/// Loopback only: a wildcard is bound at the loopback of its family.
fn listen(host: &str, port: u16) -> io::Result<TcpListener> {
    let ip = match host {
        "0.0.0.0" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        "::" => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other
            .parse()
            .map_err(|_| io::Error::from(io::ErrorKind::AddrNotAvailable))?,
    };
    bind(ip, port)
}

fn bind_error(host: &str, port: u16, error: &io::Error) -> String {
    let address = if host.contains(':') {
        format!("('{host}', {port}, 0, 0)")
    } else {
        format!("('{host}', {port})")
    };
    let (errno, words) = match error.kind() {
        io::ErrorKind::AddrInUse => (98, "address already in use"),
        io::ErrorKind::PermissionDenied => (13, "permission denied"),
        _ => (99, "cannot assign requested address"),
    };
    format!(
        "ERROR:    [Errno {errno}] error while attempting to bind on address {address}: {words}\n\
         INFO:     Waiting for application shutdown.\n\
         INFO:     Application shutdown complete.\n"
    )
}

/// The list on standard output, which failed starts print too. Of one that serves into a file it is
/// seen at the first request (the real one, run so).
fn announce(config: &Config, scene: &Scene) {
    let mut text = BANNER.to_owned();
    text.push_str("\x1b[32mLiteLLM: Proxy initialized with Config, Set models:\x1b[0m\n");
    for name in config.names() {
        text.push_str(&format!("\x1b[32m    {name}\x1b[0m\n"));
    }
    scene.console.hold(&text);
}

fn refuse(refusal: &Refusal, config: &Config, scene: &Scene) -> Start {
    match refusal {
        Refusal::Load(error) => {
            scene.console.err(&format!(
                "Traceback (most recent call last):\n  File \"litellm\", line 10, in <module>\n    sys.exit(run_server())\n{error}\n"
            ));
            Start::Ended(1)
        }
        Refusal::Startup { error, explanation } => {
            announce(config, scene);
            scene.console.err(&format!(
                "ERROR:    Traceback (most recent call last):\n  File \"litellm/proxy/proxy_server.py\", in proxy_startup_event\n{error}\n\nERROR:    Application startup failed. Exiting.\n{explanation}"
            ));
            Start::Ended(3)
        }
    }
}

/// One `GET {api_base}/models` per deployment just before listening; it blocks nothing and its
/// answer changes nothing (`facts/litellm.md` 5). Loopback only.
fn greet_upstream(deployment: Deployment) {
    thread::spawn(move || {
        let _ = try_greeting(&deployment);
    });
}

fn try_greeting(deployment: &Deployment) -> Option<()> {
    let rest = deployment.api_base.as_deref()?.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let at: SocketAddr = authority
        .replace("localhost", "127.0.0.1")
        .parse()
        .ok()
        .filter(|at: &SocketAddr| at.ip().is_loopback())?;
    let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let path = path.trim_end_matches('/');
    let separator = if path.is_empty() { "" } else { "/" };
    let mut head = format!("GET {separator}{path}/models HTTP/1.1\r\nhost: {authority}\r\n");
    if let Some(key) = &deployment.api_key {
        head.push_str(&format!("authorization: Bearer {key}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream
        .take(64 * 1024)
        .read_to_end(&mut Vec::new())
        .ok()
        .map(drop)
}
