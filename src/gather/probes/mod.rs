//! The probe families of the two waves, each under the deadline of the look.

mod http;
mod machine;
mod programs;

pub use http::{keyed, keyless, litellm_variables, trust};
pub use machine::{binds, clients, exposed_logs, files, host, logins, tokens};
pub use programs::{programs_and_who, who_and_management};
