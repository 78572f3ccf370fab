//! Acting on services, as several commands do: which, in what order, and what is said of it.

pub mod ask;
pub mod diagnosis;
pub mod impatience;
pub mod outcome;
mod phase;
pub mod say;
pub mod targets;
