//! A release server on loopback that answers like GitHub, or in one wrong way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How a path is answered.
#[derive(Clone)]
pub enum Answer {
    /// 200 with these bytes.
    Bytes(Vec<u8>),
    /// 200, the length of the bytes, and only so many of them.
    Truncated(Vec<u8>, usize),
    /// 200, so many bytes, then nothing for ever.
    Stalled(Vec<u8>, usize),
    /// 200, in pieces with a pause between them.
    Slow(Vec<u8>, Duration),
    /// 302 to another path.
    Redirect(String),
    /// 200 with a length that no file has.
    Huge,
    /// Another status, with an HTML page.
    Status(u16),
}

/// The server; what is not among its answers is 404.
pub struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves these paths.
    pub fn new(answers: BTreeMap<String, Answer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(answers);
        let (noted, over) = (Arc::clone(&asked), Arc::clone(&is_over));
        let listening = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (answers, noted, over) = (answers.clone(), noted.clone(), over.clone());
                thread::spawn(move || serve(stream, &answers, &noted, &over));
            }
        });
        Self {
            port,
            asked,
            is_over,
            listening: Some(listening),
        }
    }

    /// Its base address.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every request so far: its first line, then its headers.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    answers: &BTreeMap<String, Answer>,
    noted: &Mutex<Vec<String>>,
    over: &AtomicBool,
) {
    let mut request = String::new();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        request.push_str(&line);
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    noted.lock().unwrap().push(request);
    let missing = Answer::Status(404);
    let answer = answers.get(&path).unwrap_or(&missing);
    // Whoever gave up meanwhile reads no more.
    let _ = answer.write(&mut stream, over);
}

impl Answer {
    fn write(&self, stream: &mut TcpStream, over: &AtomicBool) -> std::io::Result<()> {
        let head = |length: usize| {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
        };
        match self {
            Self::Bytes(bytes) => {
                stream.write_all(head(bytes.len()).as_bytes())?;
                stream.write_all(bytes)
            }
            Self::Truncated(bytes, count) => {
                stream.write_all(head(bytes.len()).as_bytes())?;
                stream.write_all(&bytes[..*count])
            }
            Self::Stalled(bytes, count) => {
                stream.write_all(head(bytes.len()).as_bytes())?;
                stream.write_all(&bytes[..*count])?;
                while !over.load(Ordering::SeqCst) {
                    thread::park_timeout(Duration::from_millis(20));
                }
                Ok(())
            }
            Self::Slow(bytes, pause) => {
                stream.write_all(head(bytes.len()).as_bytes())?;
                for piece in bytes.chunks(bytes.len() / 10 + 1) {
                    stream.write_all(piece)?;
                    stream.flush()?;
                    thread::park_timeout(*pause);
                }
                Ok(())
            }
            Self::Redirect(to) => stream.write_all(
                format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .as_bytes(),
            ),
            Self::Huge => stream.write_all(head(2 << 30).as_bytes()),
            Self::Status(status) => stream.write_all(
                format!("HTTP/1.1 {status} Oh\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
                    .as_bytes(),
            ),
        }
    }
}
