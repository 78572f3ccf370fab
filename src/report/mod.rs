//! Text, JSON, HTML and JUnit, each from the same report value; renderers decide nothing.

mod build;
mod format;
pub mod html;
pub mod json_v1;
pub mod junit;
pub mod mute;
pub mod repair;
pub mod text;
mod timeline;
mod value;
mod verdict;

pub use build::{Asked, Selection, build};
pub use format::Format;
pub use mute::Mute;
pub use value::{
    CheckRow, CheckStatus, FailOn, Moment, MomentKind, Report, Summary, Timing, Unknown,
};
