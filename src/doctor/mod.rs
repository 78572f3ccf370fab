//! One look: gather, diagnose, report.

pub mod bundle;
mod look;
pub mod pages;
pub mod schema;

pub use crate::gather::Request;
pub use look::{DoctorError, Source, Wish, look, report_on};
