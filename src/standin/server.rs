//! The server of the stand-ins: one thread per connection, loopback only.

use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::http::{Request, Response};

/// How long an idle connection is kept, as uvicorn does.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What a stand-in is to its server.
pub trait App: Send + Sync + 'static {
    /// The answer to a request.
    fn answer(&self, request: &Request) -> Response;

    /// Told after each answer, for the access log and the journal.
    fn note(&self, request: &Request, response: &Response, peer: SocketAddr, took: Duration);

    /// The answer to what is no request.
    fn malformed(&self) -> Response;
}

/// What starting a stand-in came to.
pub enum Start {
    /// It serves.
    Serving(Server),
    /// It ended with this exit code.
    Ended(u8),
}

/// A serving stand-in; it stops when this is dropped.
pub struct Server {
    addresses: Vec<SocketAddr>,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

struct State {
    stopped: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

/// Binds a loopback address and nothing else.
///
/// # Errors
/// What binding fails with.
pub fn bind(ip: IpAddr, port: u16) -> io::Result<TcpListener> {
    if !ip.is_loopback() {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    TcpListener::bind((ip, port))
}

impl Server {
    /// Serves the listeners until it is dropped.
    ///
    /// # Errors
    /// When a listener has no address.
    pub fn start(listeners: Vec<TcpListener>, app: Arc<dyn App>) -> io::Result<Self> {
        let state = Arc::new(State {
            stopped: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let mut server = Self {
            addresses: Vec::new(),
            state,
            threads: Vec::new(),
        };
        for listener in listeners {
            server.addresses.push(listener.local_addr()?);
            let (state, app) = (Arc::clone(&server.state), Arc::clone(&app));
            server
                .threads
                .push(thread::spawn(move || accept(&listener, &state, &app)));
        }
        Ok(server)
    }

    /// The address that it serves; the first one of several.
    pub fn address(&self) -> Option<SocketAddr> {
        self.addresses.first().copied()
    }

    /// Serves until the process is ended.
    pub fn wait(mut self) {
        for thread in std::mem::take(&mut self.threads) {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        for address in &self.addresses {
            // Wakes the accepting thread.
            let _ = TcpStream::connect_timeout(address, Duration::from_secs(1));
        }
        if let Ok(open) = self.state.open.lock() {
            for stream in open.iter() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        for thread in std::mem::take(&mut self.threads) {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>, app: &Arc<dyn App>) {
    while let Ok((stream, peer)) = listener.accept() {
        if state.stopped.load(Ordering::SeqCst) {
            return;
        }
        if let (Ok(copy), Ok(mut open)) = (stream.try_clone(), state.open.lock()) {
            open.retain(|stream| stream.peer_addr().is_ok());
            open.push(copy);
        }
        let app = Arc::clone(app);
        thread::spawn(move || {
            let mut stream = stream;
            serve(&mut stream, peer, app.as_ref());
            // The copy kept for stopping would hold the connection open.
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
}

fn serve(stream: &mut TcpStream, peer: SocketAddr, app: &dyn App) {
    let _ = stream.set_read_timeout(Some(KEEP_ALIVE));
    let _ = stream.set_nodelay(true);
    loop {
        match Request::read(stream) {
            Ok(Some(request)) => {
                let began = Instant::now();
                let response = app.answer(&request);
                app.note(&request, &response, peer, began.elapsed());
                let bytes = response.bytes(request.method != "HEAD");
                let goes_on = request.header("connection") != Some("close");
                if stream.write_all(&bytes).is_err() || !goes_on {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let _ = stream.write_all(&app.malformed().bytes(true));
                return;
            }
            Ok(None) | Err(_) => return,
        }
    }
}
