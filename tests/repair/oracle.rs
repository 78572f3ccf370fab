//! Questions whose answers do not come from the doctor: requests with the right key, modes, processes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::fix::text;
use crate::gateway::{Gateway, UPSTREAM_KEY};
use crate::stage::{ACTIVE, FLOWGATE_YAML, OTHER_KEY, Stage};

/// The answer to a request; none when nobody gives one.
pub fn ask(at: SocketAddr, path: &str, key: Option<&str>) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(5)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let key = key.map_or_else(String::new, |key| {
        format!("Authorization: Bearer {key}\r\n")
    });
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{key}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // A stranger keeps the connection open; what came until then is the answer.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

/// The status of an answer.
pub fn status(at: SocketAddr, path: &str, key: Option<&str>) -> Option<u16> {
    Some(ask(at, path, key)?.0)
}

/// An address of this machine.
pub fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// The port that flowgate.yaml gives to a service.
pub fn port_of(gateway: &Gateway, service: &str) -> u16 {
    let config = text(gateway, FLOWGATE_YAML);
    let (_, settings) = config.split_once(&format!("\n  {service}:\n")).unwrap();
    value_of(settings, "port").parse().unwrap()
}

/// The first value of a key, in YAML or in JSON with a line for each.
pub fn value_of(text: &str, key: &str) -> String {
    let quoted = format!("\"{key}\"");
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches("- ").split_once(": "))
        .find(|(name, _)| *name == key || *name == quoted)
        .map(|(_, value)| value.split(" #").next().unwrap_or(value))
        .map(|value| {
            value
                .trim()
                .trim_end_matches(',')
                .trim_matches('"')
                .to_owned()
        })
        .unwrap_or_default()
}

/// Whether LiteLLM serves its model to who has its key, and to nobody else.
pub fn litellm_serves(stage: &Stage) -> bool {
    let at = local(port_of(&stage.gateway, "litellm"));
    let key = value_of(&text(&stage.gateway, ACTIVE), "master_key");
    serves(at, &key)
}

/// Whether CLIProxyAPIPlus serves its models to who has its key, and to nobody else.
pub fn proxy_serves(stage: &Stage) -> bool {
    let at = local(port_of(&stage.gateway, "cliproxyapi_plus"));
    serves(at, UPSTREAM_KEY)
}

/// Whether both do.
pub fn both_serve(stage: &Stage) -> bool {
    litellm_serves(stage) && proxy_serves(stage)
}

fn serves(at: SocketAddr, key: &str) -> bool {
    let is_served = ask(at, "/v1/models", Some(key))
        .is_some_and(|(status, body)| status == 200 && body.contains("\"gpt-5\""));
    is_served && status(at, "/v1/models", Some(OTHER_KEY)) != Some(200)
}

/// Whether a request that LiteLLM passes on arrives: at the address that the running process says to
/// ask, with the key of its config, the model is offered.
pub fn upstream_works(stage: &Stage) -> bool {
    let active = text(&stage.gateway, ACTIVE);
    let at = local(port_of(&stage.gateway, "litellm"));
    let Some((200, body)) = ask(at, "/health", Some(&value_of(&active, "master_key"))) else {
        return false;
    };
    let health: Value = serde_json::from_str(&body).unwrap();
    let deployments = health["healthy_endpoints"].as_array().unwrap();
    let key = value_of(&active, "api_key");
    !deployments.is_empty() && deployments.iter().all(|one| is_offered(one, &key))
}

fn is_offered(deployment: &Value, key: &str) -> bool {
    let Some(rest) = deployment["api_base"]
        .as_str()
        .and_then(|base| base.strip_prefix("http://"))
    else {
        return false;
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    // Who asks localhost tries IPv6 first.
    let at: SocketAddr = match host {
        "localhost" => (Ipv6Addr::LOCALHOST, port).into(),
        _ => format!("{host}:{port}").parse().unwrap(),
    };
    let model = deployment["model"].as_str().unwrap();
    let model = format!("\"{}\"", model.trim_start_matches("openai/"));
    ask(at, &format!("/{path}/models").replace("//", "/"), Some(key))
        .is_some_and(|(status, body)| status == 200 && body.contains(&model))
}

/// Whether a request of the management API is answered to the key that flowgate keeps.
pub fn management_works(stage: &Stage) -> bool {
    let kept = text(&stage.gateway, ".router/secrets/management.key");
    let at = local(port_of(&stage.gateway, "cliproxyapi_plus"));
    status(at, "/v0/management/auth-files", Some(kept.trim())) == Some(200)
}

/// Whether the readiness path of a service exists.
pub fn readiness_path_is_there(stage: &Stage, service: &str) -> bool {
    let config = text(&stage.gateway, FLOWGATE_YAML);
    let (_, settings) = config.split_once(&format!("\n  {service}:\n")).unwrap();
    let at = local(port_of(&stage.gateway, service));
    status(at, &value_of(settings, "readiness_path"), None) == Some(200)
}

/// Whether a file has these permission bits.
pub fn is_mode(stage: &Stage, path: &str, mode: u32) -> bool {
    crate::fix::mode(&stage.gateway, path) == mode
}
