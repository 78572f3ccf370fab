//! The supervisor's records.

pub mod protocol;
pub mod records;
pub mod status;
