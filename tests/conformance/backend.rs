//! What the tables run against: a stand-in inside this process, or a program of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flowgate::standin::console::{Captured, Console};
use flowgate::standin::scene::Scene;
use flowgate::standin::server::{Server, Start};
use flowgate::standin::{cliproxyapi, litellm};
use tempfile::TempDir;

/// Which program a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Litellm,
    Cliproxyapi,
}

/// How a program is started.
#[derive(Debug, Clone)]
pub enum Backend {
    /// The stand-in, inside this process.
    Inside,
    /// A program, with arguments before those of the row.
    Process(PathBuf, Vec<String>),
}

/// A folder with files, variables and a free port.
pub struct Stage {
    pub folder: TempDir,
    pub port: u16,
    pub variables: BTreeMap<String, String>,
    /// Whether the test holds the port, so that an answer there proves nothing.
    pub is_port_held: bool,
}

/// What a start came to.
pub struct Run {
    /// The exit code, when it ended.
    pub code: Option<i32>,
    output: Output,
    holder: Holder,
}

enum Output {
    Memory(Captured),
    Files(PathBuf, PathBuf),
}

enum Holder {
    Nothing,
    Server(Server),
    Child(Child),
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Self::Child(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Stage {
    pub fn new() -> Self {
        let mut stage = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            variables: BTreeMap::new(),
            is_port_held: false,
        };
        // Port 4000 may be held by whatever runs on this machine.
        stage.set("FLOWGATE_STANDIN_SPECIAL_PORT", "1");
        // The real LiteLLM would ask a server far away at its start.
        stage.set("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        stage.set("HOME", &stage.path("home").display().to_string());
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    /// Writes a file; `{port}` and `{folder}` stand for those of the stage.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path)
            .unwrap()
            .write_all(self.fill(text).as_bytes())
            .unwrap();
    }

    pub fn fill(&self, text: &str) -> String {
        text.replace("{port}", &self.port.to_string())
            .replace("{folder}", &self.folder.path().display().to_string())
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}

impl Run {
    /// Where a stand-in inside this process serves.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.holder {
            Holder::Server(server) => server.address(),
            _ => None,
        }
    }

    /// What was written to standard output and standard error so far.
    pub fn text(&self) -> String {
        match &self.output {
            Output::Memory(captured) => captured.out() + &captured.err(),
            Output::Files(out, err) => {
                let read = |path: &Path| {
                    let bytes = flowgate::sys::read::whole(path, 1024 * 1024).unwrap();
                    String::from_utf8_lossy(&bytes).into_owned()
                };
                read(out) + &read(err)
            }
        }
    }
}

/// Starts a program; returns when it serves at the port of the stage, or has ended.
pub fn start(backend: &Backend, program: Program, args: &[&str], stage: &Stage) -> Run {
    let args: Vec<String> = args.iter().map(|arg| stage.fill(arg)).collect();
    match backend {
        Backend::Inside => start_inside(program, &args, stage),
        Backend::Process(path, before) => {
            let args: Vec<String> = before.iter().cloned().chain(args).collect();
            start_process(path, &args, stage)
        }
    }
}

fn start_inside(program: Program, args: &[String], stage: &Stage) -> Run {
    let (console, captured) = Console::captured();
    let scene = Scene {
        variables: stage.variables.clone(),
        folder: stage.folder.path().to_path_buf(),
        console,
    };
    let started = match program {
        Program::Litellm => litellm::start(args, &scene),
        Program::Cliproxyapi => cliproxyapi::start(args, &scene),
    };
    let (code, holder) = match started {
        Start::Serving(server) => (None, Holder::Server(server)),
        Start::Ended(code) => (Some(i32::from(code)), Holder::Nothing),
    };
    Run {
        code,
        output: Output::Memory(captured),
        holder,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tables are about processes, and the one of a real program is one"
)]
fn start_process(path: &Path, args: &[String], stage: &Stage) -> Run {
    let (out, err) = (stage.path("stdout.log"), stage.path("stderr.log"));
    let child = Command::new(path)
        .args(args)
        .current_dir(stage.folder.path())
        .env_clear()
        .envs(&stage.variables)
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let mut holder = Holder::Child(child);
    let code = wait_until_serving_or_ended(&mut holder, stage);
    Run {
        code,
        output: Output::Files(out, err),
        holder,
    }
}

/// The exit code when it ended; none once the port answers and the process still lives.
fn wait_until_serving_or_ended(holder: &mut Holder, stage: &Stage) -> Option<i32> {
    let Holder::Child(child) = holder else {
        return None;
    };
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if !stage.is_port_held && TcpStream::connect(stage.address()).is_ok() {
            return None;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("neither serving nor ended within two minutes");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl Backend {
    /// Whether it is a stand-in, which has settings of its own.
    pub fn is_standin(&self) -> bool {
        match self {
            Self::Inside => true,
            Self::Process(_, before) => !before.is_empty(),
        }
    }
}

/// The backends of a program: the stand-in always, a real one when a variable names it.
pub fn backends(program: Program) -> Vec<Backend> {
    let mut backends = vec![Backend::Inside];
    let real = match program {
        Program::Litellm => std::env::var_os("FLOWGATE_REAL_LITELLM")
            .map(|environment| Path::new(&environment).join("bin/litellm")),
        Program::Cliproxyapi => std::env::var_os("FLOWGATE_REAL_CLIPROXYAPI").map(PathBuf::from),
    };
    backends.extend(real.map(|path| Backend::Process(path, Vec::new())));
    backends.extend(PROCESS_STANDINS.then(|| {
        let name = match program {
            Program::Litellm => "litellm",
            Program::Cliproxyapi => "cliproxyapi",
        };
        let before = ["standin", name].map(str::to_owned).to_vec();
        Backend::Process(env!("CARGO_BIN_EXE_flowgate").into(), before)
    }));
    backends
}

/// Whether `flowgate standin` is wired, so that the tables also run against its processes.
const PROCESS_STANDINS: bool = true;
