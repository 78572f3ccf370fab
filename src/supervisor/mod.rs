//! The supervisor's records.
