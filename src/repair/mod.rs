//! Repair: plan, apply, verify, keep or take back (DESIGN section 8).
//!
//! A look's fixes become runs of steps. A run is written into its journal before the first step, is
//! verified by a fresh look at everything, and is kept or taken back. One step kind, one file.

mod activate_profile;
mod apply;
pub mod by_command;
mod choice;
mod continue_service;
pub mod diff;
mod end_process;
mod env_line;
pub mod error;
pub mod files;
pub mod ground;
mod insert_key;
mod integration;
pub mod journal;
mod judge;
pub mod lock;
mod mask;
pub mod mode;
mod order;
pub mod owner;
pub mod place;
pub mod plan;
mod prepare;
pub mod record;
mod reexec_supervisor;
mod remove_record;
mod restart_service;
mod restart_supervisor;
pub mod rotate;
mod rounds;
pub mod runs;
mod services;
mod set_mode;
mod set_value;
mod shown;
mod signal;
mod start_service;
mod start_supervisor;
mod steps;
mod stop_service;
mod transaction;
pub mod undo;
mod values;
mod verify;

pub use rounds::{Offer, Talk, Wish, repair};
pub use steps::named as shown_step;
