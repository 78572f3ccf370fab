//! The processes that matter: who they are, and what they are to us.

mod candidate;
mod command;
mod look;
mod program;
mod relation;

pub use candidate::Candidate;
pub use command::describe;
pub use look::{life_sign, look, sign_of};
pub use program::{is_known_name, runs_program};
pub use relation::{ServiceIdentity, relate};
