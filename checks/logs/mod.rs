//! Log signatures of the two programs, over the redacted tails in the snapshot.

mod chat;

pub use chat::proves_a_chat;
