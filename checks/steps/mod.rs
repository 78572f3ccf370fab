//! How the remedies of findings become changes as data: which service is started, which line is
//! edited, and when nobody can be sure and a person has to do it.

mod edit;
mod ids;
pub mod litellm;
pub mod port;
mod run;

pub use edit::Edits;
pub use ids::FIXES;
pub use run::{apply, come_up, restart, restart_asked, restart_by_rule, resume, start, stop_all};
