//! The client against servers that misbehave, each on a port of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use flowgate_checks::model::{BodyClass, Scheme};
use secrecy::SecretString;

use super::*;
use crate::gateway::requests::ClientKey;

const DEADLINE: Duration = Duration::from_millis(400);

/// Serves every connection with `serve` until the test ends; gives its port.
fn serve(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Serves every connection with fixed bytes after its request was read.
fn serve_bytes(bytes: &'static [u8]) -> u16 {
    serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(bytes);
    })
}

fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut piece = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(length) => request.extend_from_slice(&piece[..length]),
        }
    }
    request
}

fn target(port: u16, scheme: Scheme) -> LoopbackTarget {
    LoopbackTarget::new("127.0.0.1", port, scheme).unwrap()
}

fn ask_with(port: u16, scheme: Scheme, request: &Request) -> Exchange {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = ProbeClient::new(DEADLINE, None).unwrap();
    runtime.block_on(client.ask(target(port, scheme), request, &Redactor::default()))
}

fn ask(port: u16) -> Outcome {
    ask_with(port, Scheme::Http, &Request::root())
        .answer
        .outcome
}

#[test]
fn a_closed_port_is_refused() {
    // Bound but not listening: nobody else can take it meanwhile.
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let any = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    rustix::net::bind(&socket, &any).unwrap();
    let bound: std::net::SocketAddr = rustix::net::getsockname(&socket)
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(ask(bound.port()), Outcome::Refused);
}

#[test]
fn a_silent_port_times_out_in_time() {
    let port = serve(|mut stream| {
        read_request(&mut stream);
        thread::park();
    });
    let began = Instant::now();
    assert_eq!(ask(port), Outcome::Timeout);
    assert!(began.elapsed() < DEADLINE * 5);
}

#[test]
fn a_listener_that_never_accepts_times_out() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert_eq!(ask(listener.local_addr().unwrap().port()), Outcome::Timeout);
}

#[test]
fn trickled_headers_and_bodies_end_at_the_deadline() {
    for head in [
        "HTTP/1.1 200 OK\r\nX-Slow: ",
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    ] {
        let port = serve(move |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(b"a").is_ok() {
                thread::park_timeout(Duration::from_millis(10));
            }
        });
        let began = Instant::now();
        assert_eq!(ask(port), Outcome::Timeout, "{head}");
        assert!(began.elapsed() < DEADLINE * 5);
    }
}

#[test]
fn an_endless_body_is_read_to_the_limit_only() {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let (ended, end) = mpsc::channel();
    let ended = std::sync::Mutex::new(ended);
    let port = serve(move |mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n");
        let piece = [b'x'; 65536];
        while stream.write_all(&piece).is_ok() {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        let _ = ended.lock().unwrap().send(());
    });
    let exchange = ask_with(port, Scheme::Http, &Request::root());
    assert_eq!(exchange.body.len(), 64 * 1024);
    assert_eq!(exchange.answer.body(), Some(&BodyClass::Text));
    // The connection is dropped, so the sender ends long before its 4 GB.
    end.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(sent.load(Ordering::Relaxed) < 64 * 1024 * 1024);
}

#[test]
fn a_header_bomb_is_not_swallowed() {
    let port = serve(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        let line = format!("X-Bomb: {}\r\n", "y".repeat(4000));
        while stream.write_all(line.as_bytes()).is_ok() {}
    });
    assert_eq!(ask(port), Outcome::NotHttp);
}

#[test]
fn half_an_answer_and_a_cut_connection_are_resets() {
    assert_eq!(
        ask(serve_bytes(
            b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"
        )),
        Outcome::Reset
    );
    assert_eq!(
        ask(serve_bytes(b"HTTP/1.1 200 OK\r\nConte")),
        Outcome::Reset
    );
    assert_eq!(ask(serve_bytes(b"")), Outcome::Reset);
    // Closing with unread bytes makes the kernel send a reset.
    for _ in 0..50 {
        assert_eq!(ask(serve(drop)), Outcome::Reset);
    }
}

#[test]
fn other_protocols_are_not_http() {
    // The banner may come before the request is sent, or after.
    for _ in 0..50 {
        let port = serve(|mut stream| {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
            read_request(&mut stream);
        });
        assert_eq!(ask(port), Outcome::NotHttp);
    }
    assert_eq!(ask(serve_bytes(b"+PONG\r\n\r\n")), Outcome::NotHttp);
    assert_eq!(
        ask(serve_bytes(b"HTTP/1.1 abc OK\r\n\r\n")),
        Outcome::NotHttp
    );
}

#[test]
fn plain_http_to_a_tls_port_is_the_wrong_scheme() {
    let words =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    assert!(matches!(
        ask(serve_bytes(words)),
        Outcome::Http {
            status: 400,
            body: BodyClass::TlsExpected,
            ..
        }
    ));
}

#[test]
fn tls_to_a_plain_port_is_the_wrong_scheme() {
    let port = serve(|mut stream| {
        let mut piece = [0; 64];
        let _ = stream.read(&mut piece);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    });
    let answer = ask_with(port, Scheme::Https, &Request::root()).answer;
    assert_eq!(answer.outcome, Outcome::WrongScheme);
}

#[test]
fn a_tls_alert_is_a_refusal() {
    let port = serve(|mut stream| {
        let mut piece = [0; 2048];
        let _ = stream.read(&mut piece);
        let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
    });
    let answer = ask_with(port, Scheme::Https, &Request::root()).answer;
    assert_eq!(answer.outcome, Outcome::TlsRefused);
}

#[test]
fn statuses_servers_and_excerpts_are_told() {
    let exchange = ask_with(
        serve_bytes(b"HTTP/1.1 503 Service Unavailable\r\nServer: nginx/1.22\r\nContent-Length: 9\r\n\r\nsome\nwhat"),
        Scheme::Http,
        &Request::root(),
    );
    assert_eq!(
        exchange.answer.outcome,
        Outcome::Http {
            status: 503,
            body: BodyClass::Text,
            excerpt: Some("some what".into()),
            server: Some("nginx/1.22".into()),
        }
    );
    assert_eq!(exchange.answer.request, "GET /");
}

#[test]
fn redirects_are_not_followed() {
    let port = serve_bytes(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    );
    assert!(matches!(
        ask(port),
        Outcome::Http {
            status: 302,
            body: BodyClass::Empty,
            ..
        }
    ));
}

#[test]
fn the_key_is_sent_as_a_bearer_token_and_only_then() {
    let (requests, received) = mpsc::channel();
    let requests = std::sync::Mutex::new(requests);
    let port = serve(move |mut stream| {
        let request = read_request(&mut stream);
        let _ = requests.lock().unwrap().send(request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let key = ClientKey::new(&SecretString::from("sk-test-key-0001")).unwrap();
    ask_with(port, Scheme::Http, &Request::models(key));
    ask_with(port, Scheme::Http, &Request::root());
    let next = || {
        let bytes = received.recv_timeout(Duration::from_secs(5)).unwrap();
        String::from_utf8(bytes).unwrap().to_ascii_lowercase()
    };
    let keyed = next();
    assert!(keyed.starts_with("get /v1/models http/1.1\r\n"));
    assert!(keyed.contains("authorization: bearer sk-test-key-0001\r\n"));
    let keyless = next();
    assert!(keyless.starts_with("get / http/1.1\r\n") && !keyless.contains("authorization"));
}
