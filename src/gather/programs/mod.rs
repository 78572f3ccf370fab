//! What the command of a service resolves to, without running it.

mod access;
mod content;
mod elf;
mod interpreter;
mod look;
mod on_path;
mod resolve;
mod runner;
mod shebang;
mod siblings;

pub use access::{Obstacle, can_execute, reach};
pub use content::{Sniffed, sniff};
pub use elf::{ElfHeader, parse_elf};
pub use on_path::find_executable;
pub use resolve::{CommandLine, resolve};
pub use runner::{Runner, parse_runner};
pub use shebang::{Shebang, parse_shebang, parse_trampoline};
