//! `move-port`: a stranger on our port keeps it, with its clients, and the gateway moves aside.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::gateway::{Gateway, MASTER_KEY, roots};
use crate::state::{differences, state};
use crate::stranger::Stranger;
use crate::supervised::Supervised;

/// The status of a request for the models with the right key: the oracle that is not the doctor.
pub fn status_with_key(port: u16, key: &str) -> u16 {
    status(port, "/v1/models", key)
}

/// The status of a request with a key.
pub fn status(port: u16, path: &str, key: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn port_of(gateway: &Gateway, service: &str) -> u16 {
    let said = gateway.flowgate(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let services = status["services"].as_array().unwrap();
    let service = services.iter().find(|one| one["name"] == service).unwrap();
    u16::try_from(service["port"].as_u64().unwrap()).unwrap()
}

#[test]
fn the_gateway_moves_aside_and_the_stranger_is_left_alone() {
    let gateway = Supervised::new(&[]);
    assert_eq!(gateway.flowgate(&["service", "start", "all"]).code, 0);
    assert_eq!(gateway.flowgate(&["service", "stop", "litellm"]).code, 0);
    let mut stranger = Stranger::on(gateway.litellm);
    gateway.flowgate(&["service", "start", "litellm"]);
    let key = "port-conflict/foreign-listener:litellm";
    assert_eq!(roots(&gateway.doctor(&[])), [key]);
    let before = state(&gateway.path("."));

    let refused = gateway.doctor(&["--fix=move-port:litellm"]);
    assert_eq!(refused["repair"]["rounds"], json!([]), "nobody agreed");
    assert!(!refused["repair"]["skipped"].as_array().unwrap().is_empty());
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );

    let said = gateway.flowgate(&["doctor", "--fix=move-port:litellm", "--yes", "--dry-run"]);
    assert_eq!(
        said.out.matches("+++ b/config/flowgate.yaml").count(),
        1,
        "{}",
        said.out
    );
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    let said = gateway.flowgate(&["doctor", "--fix=move-port:litellm", "--yes"]);
    assert!(said.out.contains("run 1 kept"), "{}", said.out);
    assert_eq!(said.code, 0);
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), Vec::<String>::new());
    let moved = port_of(&gateway, "litellm");
    assert_ne!(moved, gateway.litellm);
    assert_eq!(status_with_key(moved, MASTER_KEY), 200);
    // Its setting and its argument.
    let written = crate::fix::text(&gateway, "config/flowgate.yaml");
    assert!(!written.contains(&gateway.litellm.to_string()), "{written}");
    assert_eq!(written.matches(&moved.to_string()).count(), 2, "{written}");
    assert!(stranger.is_well());
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        ["config/flowgate.yaml"]
    );

    let said = gateway.flowgate(&["doctor", "undo"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("1 file restored byte for byte"),
        "{}",
        said.out
    );
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert!(stranger.is_well());
}

/// Takes the port that flowgate.yaml gives to litellm as soon as it is another one, as a program
/// does that is started again and again.
fn take_every_new_port(gateway: &Gateway) -> (std::thread::JoinHandle<TcpListener>, u16) {
    let config = gateway.path("config/flowgate.yaml");
    let old = gateway.litellm;
    let thief = std::thread::spawn(move || {
        let mut taken = None;
        crate::process::wait_for("the port to be moved", || {
            let text = crate::process::read(&config);
            let port = text
                .split("port: ")
                .nth(1)
                .and_then(|rest| rest.lines().next()?.parse().ok())
                .filter(|port: &u16| *port != old);
            taken = port.and_then(|port| TcpListener::bind(("127.0.0.1", port)).ok());
            taken.is_some()
        });
        taken.unwrap()
    });
    (thief, old)
}

#[test]
fn a_port_that_is_taken_again_is_rolled_back_and_said() {
    let gateway = Supervised::new(&[]);
    assert_eq!(gateway.flowgate(&["service", "start", "all"]).code, 0);
    assert_eq!(gateway.flowgate(&["service", "stop", "litellm"]).code, 0);
    let mut stranger = Stranger::on(gateway.litellm);
    gateway.flowgate(&["service", "start", "litellm"]);
    let before = state(&gateway.path("."));
    let (thief, _) = take_every_new_port(&gateway);

    let document = gateway.doctor(&["--fix=move-port:litellm", "--yes"]);

    let thief = thief.join().unwrap();
    let taken = thief.local_addr().unwrap().port();
    let run = &document["repair"]["rounds"][0]["runs"][0];
    assert_eq!(run["state"], "rolled-back", "{run:#}");
    let reason = run["reason"].as_str().unwrap();
    assert!(reason.contains(&taken.to_string()), "{reason}");
    assert!(reason.contains(&std::process::id().to_string()), "{reason}");
    assert_eq!(document["exitCode"], 1);
    assert_eq!(
        roots(&document),
        ["port-conflict/foreign-listener:litellm"],
        "as before"
    );
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert!(stranger.is_well());
    let runs = gateway.flowgate(&["doctor", "runs"]);
    assert!(runs.out.contains("rolled back"), "{}", runs.out);
    let undo = gateway.flowgate(&["doctor", "undo"]);
    assert_eq!(undo.code, 1, "nothing stands: {}", undo.out);
}
