//! The supervisor core (DESIGN section 9): the daemon, what it does to services, its records, the
//! protocol, and the client with which the commands ask it.

pub mod asker;
pub mod client;
pub mod connection;
pub mod daemon;
pub mod environment;
pub mod exit;
pub mod launch;
pub mod listening;
pub mod lock;
mod news;
pub mod own_log;
pub mod phase;
pub mod places;
pub mod plan;
pub mod protocol;
pub mod reach;
pub mod ready;
pub mod records;
pub mod resume;
pub mod roster;
pub mod rotate;
pub mod service;
pub mod session;
pub mod socket;
pub mod spawn;
mod starting;
pub mod state;
pub mod status;
pub mod stop;
mod stopping;
pub mod store;
pub mod watcher;
