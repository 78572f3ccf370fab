//! The probe families of the two waves, each under the deadline of the look.

mod http;
mod machine;
mod programs;

pub use http::{keyed, keyless};
pub use machine::{binds, files, host, logins, tokens};
pub use programs::who_and_management;
