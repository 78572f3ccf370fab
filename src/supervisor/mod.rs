//! The supervisor's records.

pub mod records;
