//! A web server of somebody else, with a client that stays connected to it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A web server of somebody else, with a client that stays connected to it.
pub struct Stranger {
    client: TcpStream,
}

impl Stranger {
    /// Serves on a port until the test ends.
    pub fn on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { break };
                std::thread::spawn(move || serve(stream));
            }
        });
        Self {
            client: TcpStream::connect(("127.0.0.1", port)).unwrap(),
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

const REST: &[u8] = b" OK\r\nContent-Length: 2\r\n\r\nhi";

fn serve(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).is_ok_and(|read| read > 0) {
        if stream.write_all(b"HTTP/1.1 200").is_err() || stream.write_all(REST).is_err() {
            break;
        }
    }
}
