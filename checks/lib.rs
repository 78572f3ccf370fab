//! Pure diagnosis: a snapshot in, findings out.
pub mod model;
pub mod routes;
