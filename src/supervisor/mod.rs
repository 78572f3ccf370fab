//! The supervisor core (DESIGN section 9): the daemon, what it does to services, its records, the
//! protocol, and the client with which the commands ask it.

pub mod client;
pub mod launch;
pub mod own_log;
pub mod places;
pub mod protocol;
pub mod records;
pub mod socket;
pub mod status;
pub mod watcher;
