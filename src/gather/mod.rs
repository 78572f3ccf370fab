//! All the input and output of a look, in two waves of probes.

pub mod binds;
pub mod environment;
pub mod files;
pub mod host;
pub mod hosts;
pub mod logs;
pub mod processes;
pub mod programs;
pub mod python;
pub mod sockets;
