//! The supervisor with real processes, sockets and files: the stand-ins in a temp dir, on random
//! ports.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod disk_full;
mod house;
mod kills;
mod logs;
mod places;
mod profile;
mod protocol;
mod ready;
mod restart;
mod resume;
mod start;
mod stop;
mod survive;
mod upgrade;
