//! flowgate runs a local LLM gateway (LiteLLM in front of CLIProxyAPIPlus) and repairs it.
//!
//! The one idea: gather -> Snapshot -> diagnose -> Report. `docs/architecture.md` draws it.

pub mod bootstrap;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod gateway;
pub mod gather;
pub mod integration;
pub mod login;
pub mod platform;
pub mod repair;
pub mod report;
pub mod standin;
pub mod supervisor;
pub mod sys;
