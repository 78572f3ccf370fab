//! Where a stand-in writes its lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// The two output streams of a stand-in.
#[derive(Clone)]
pub struct Console {
    out: Stream,
    err: Stream,
    held: Arc<Mutex<String>>,
}

type Stream = Arc<Mutex<dyn Write + Send>>;

/// What a stand-in has written so far.
#[derive(Clone, Default)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

impl Console {
    /// The streams of this process.
    pub fn standard() -> Self {
        Self {
            out: Arc::new(Mutex::new(io::stdout())),
            err: Arc::new(Mutex::new(io::stderr())),
            held: Arc::default(),
        }
    }

    /// Streams that are kept in memory.
    pub fn captured() -> (Self, Captured) {
        let captured = Captured::default();
        let console = Self {
            out: captured.out.clone(),
            err: captured.err.clone(),
            held: Arc::default(),
        };
        (console, captured)
    }

    /// Writes text to standard output as it is, after what was held back.
    pub fn out(&self, text: &str) {
        self.flush();
        write(&self.out, text);
    }

    /// Holds text back until something else goes to standard output, as Python does with what it
    /// prints into a file.
    pub fn hold(&self, text: &str) {
        if let Ok(mut held) = self.held.lock() {
            held.push_str(text);
        }
    }

    /// Writes what was held back, as at the end of a process.
    pub fn flush(&self) {
        if let Ok(mut held) = self.held.lock() {
            write(&self.out, &std::mem::take(&mut *held));
        }
    }

    /// Writes text to standard error as it is.
    pub fn err(&self, text: &str) {
        write(&self.err, text);
    }
}

impl Captured {
    /// What went to standard output.
    pub fn out(&self) -> String {
        read(&self.out)
    }

    /// What went to standard error.
    pub fn err(&self) -> String {
        read(&self.err)
    }
}

/// A log that cannot be written is no reason to stop serving, as for the real programs.
fn write(stream: &Stream, text: &str) {
    if let Ok(mut stream) = stream.lock() {
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.flush();
    }
}

fn read(stream: &Mutex<Vec<u8>>) -> String {
    stream
        .lock()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
