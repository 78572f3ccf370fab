//! One look: gather, diagnose, report.

pub mod accounts;
pub mod bundle;
pub mod health;
pub mod left_out;
mod look;
pub mod mutes;
pub mod pages;
mod permissions;
pub mod schema;

pub use crate::gather::Request;
pub use crate::gather::underway::Underway;
pub use look::{DoctorError, Looked, Seen, Source, Wish, look, look_seen, report_on, see};
pub use permissions::secret_permission_issues;
