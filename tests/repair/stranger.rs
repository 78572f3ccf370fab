//! A web server of somebody else, with a client that stays connected to it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// A web server of somebody else, with a client that stays connected to it.
pub struct Stranger {
    client: TcpStream,
}

impl Stranger {
    /// Serves on a port until the test ends.
    pub fn on(port: u16) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, port).into())
    }

    /// Serves at an address until the test ends.
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                std::thread::spawn(move || serve(stream));
            }
        });
        Self {
            client: TcpStream::connect(address).unwrap(),
        }
    }

    /// Whether server and client still hear each other on the connection of the beginning.
    pub fn is_well(&mut self) -> bool {
        let mut heard = [0; 12];
        self.client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        self.client.read_exact(&mut heard).unwrap();
        let mut rest = [0; REST.len()];
        self.client.read_exact(&mut rest).unwrap();
        heard == *b"HTTP/1.1 200"
    }
}

const CLOSE: &[u8] = b"connection: close";
const REST: &[u8] = b" OK\r\nContent-Length: 2\r\n\r\nhi";

fn serve(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut bytes) {
        let is_last = bytes[..read]
            .windows(CLOSE.len())
            .any(|words| words.eq_ignore_ascii_case(CLOSE));
        let is_said = stream
            .write_all(b"HTTP/1.1 200")
            .and_then(|()| stream.write_all(REST));
        if is_said.is_err() || is_last {
            break;
        }
    }
}

/// Serves as a stranger, in a process of its own, until it is ended.
pub fn serve_everybody(address: SocketAddr) {
    for stream in TcpListener::bind(address).unwrap().incoming().flatten() {
        std::thread::spawn(move || serve(stream));
    }
}

/// Answers one request a connection, with a body or 404, until it is ended.
pub fn answer_everybody(address: SocketAddr, answer: fn(&str) -> Option<&'static str>) {
    for mut stream in TcpListener::bind(address).unwrap().incoming().flatten() {
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let (status, body) = match answer(&request) {
                Some(body) => ("200 OK", body),
                None => ("404 Not Found", "404 page not found"),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        });
    }
}
