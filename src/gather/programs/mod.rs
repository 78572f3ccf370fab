//! What the command of a service resolves to, without running it.

mod interpreter;
mod look;
mod resolve;
mod runner;
mod shebang;
mod siblings;

pub use resolve::{CommandLine, resolve};
pub use runner::{Runner, parse_runner};
pub use shebang::{Shebang, parse_shebang, parse_trampoline};
