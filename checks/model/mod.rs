//! The types that everything speaks: what was seen ([`Snapshot`]) and what follows from it ([`Finding`]).

mod answer;
mod check;
mod client;
mod config;
mod credential;
mod file;
mod finding;
mod fix;
mod host;
mod observed;
mod process;
mod program;
mod service;
mod snapshot;
mod socket;
mod subject;
mod supervisor;

pub use answer::{Answer, BodyClass, Identity, KeyedAnswer, Outcome, TargetProbes, TargetRole};
pub use check::{Check, Spec, Verdict};
pub use client::{ClientConfig, ClientEntry, ClientKey};
pub use config::{
    ConfigFile, ConfigProblem, ConfigState, Configs, Entry, EntryValue, Position, ProblemKind,
    SecretClass,
};
pub use credential::{
    ApiKeyProvider, AuthDir, AuthDirRole, AuthFileStatus, CallbackPort, CredentialFile,
    CredentialState, Credentials, ForeignLogin, LoginEvent, Management, Provider,
};
pub use file::{FileFacts, FileKind, FileRole, Mode, Parent};
pub use finding::{Confidence, Evidence, Finding, Impact, Severity, UnknownDatum};
pub use fix::{ClientChange, Fix, Literal, Safety, SecretKind, Step, Value};
pub use host::{Clock, Expectation, Host, Paths, Policy, Space, Tool, User};
pub use observed::{Observed, Unknown};
pub use process::{Manager, Output, Process, Relation};
pub use program::{
    ElfFacts, Executable, Interpreter, PackageFacts, Program, ProgramContent, ProgramState,
};
pub use service::{
    ChangedEntry, EntryChange, EnvFile, EnvVariable, Exit, ExitClass, ExitSignature, ExitSource,
    ExitStage, LastReady, LogTail, Profiles, RecordFile, Run, RunLife, RunSource, Scheme, Service,
    ServiceKind, Settings, Tries, Wanted,
};
pub use snapshot::{SNAPSHOT_SCHEMA_VERSION, Snapshot};
pub use socket::{BindReport, BindState, Clients, Owner, Socket};
pub use subject::Subject;
pub use supervisor::{RecordedSupervisor, Supervisor, UnfinishedRepair};
