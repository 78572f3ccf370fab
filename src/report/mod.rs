//! Text and JSON, each from the same report value; renderers decide nothing.

mod build;
pub mod json_v1;
pub mod mute;
pub mod repair;
pub mod text;
mod value;

pub use build::{Asked, Selection, build};
pub use mute::Mute;
pub use value::{CheckRow, CheckStatus, FailOn, Report, Summary, Timing, Unknown};
