//! `move-port`: a stranger on our port keeps it, with its clients, and the gateway moves aside.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use crate::gateway::{Gateway, MASTER_KEY, roots};
use crate::state::{differences, state};
use crate::supervised::Supervised;

/// A stranger's server with a client that is connected to it.
struct Stranger {
    server: TcpStream,
    client: TcpStream,
    _listener: TcpListener,
}

impl Stranger {
    fn on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        Self {
            server,
            client,
            _listener: listener,
        }
    }

    /// Whether server and client still hear each other.
    fn is_well(&mut self) -> bool {
        let mut heard = [0; 2];
        self.client.write_all(b"hi").unwrap();
        self.server.read_exact(&mut heard).unwrap();
        heard == *b"hi"
    }
}

/// The status of a request for the models with the right key: the oracle that is not the doctor.
pub fn status_with_key(port: u16, key: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
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
    println!("{}", said.out);
    let said = gateway.flowgate(&["doctor", "--fix=move-port:litellm", "--yes"]);
    println!("{}{}", said.out, said.err);
    let document = gateway.doctor(&[]);
    assert_eq!(roots(&document), Vec::<String>::new());
    let moved = port_of(&gateway, "litellm");
    assert_ne!(moved, gateway.litellm);
    assert_eq!(status_with_key(moved, MASTER_KEY), 200);
    assert!(stranger.is_well());
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        ["config/flowgate.yaml"]
    );

    let said = gateway.flowgate(&["doctor", "undo"]);
    println!("{}{}", said.out, said.err);
    assert_eq!(
        differences(&before, &state(&gateway.path("."))),
        Vec::<String>::new()
    );
    assert!(stranger.is_well());
}
