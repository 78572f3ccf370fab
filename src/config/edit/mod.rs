//! Edits of a user's config: one scalar, or one new line, and nothing else (DESIGN section 8).
//!
//! An edit changes bytes of the text and nothing of its layout. The guard then reads the old text
//! and the new one: they must differ in exactly what was asked for, else the edit is refused, with
//! the reason.

mod change;
mod find;
mod guard;
mod insert;
mod replace;
mod spell;

pub use change::{Change, Refused, Scalar, apply};
