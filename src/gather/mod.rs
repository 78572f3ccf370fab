//! All the input and output of a look, in two waves of probes.

pub mod credentials;
pub mod http;
pub mod management;
