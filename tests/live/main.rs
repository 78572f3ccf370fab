//! The doctor on real processes, sockets, files and HTTP: a gateway in a temp dir on random ports,
//! played by the stand-ins; one module per section of the runbook.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod accounts;
mod alone;
mod config;
mod enable;
mod foreground;
mod gateway;
mod harmless;
mod init;
mod key;
mod login;
mod logs;
mod missing_binaries;
mod oauth_login;
mod open_gateway;
mod planted;
mod port_conflict;
mod process;
mod profile;
mod readiness;
mod recipe;
mod report;
mod running;
mod secret_permissions;
mod secrets;
mod service;
mod silent_faults;
mod since;
mod split_stack;
mod start_faults;
mod static_faults;
mod status;
mod supervised;
mod umask;
mod unusual;
