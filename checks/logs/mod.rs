//! Log signatures of the two programs, over the redacted tails in the snapshot.

mod access;
mod chat;
mod litellm;
mod refusal;
mod request;

pub use access::{Access, ClientRequest, access, client_requests};
pub use chat::proves_a_chat;
pub use litellm::{
    announced_port, has_served, is_quoted_source, missing_dependency, missing_module, named_module,
};
pub use refusal::{Refusal, config_refusal, master_key_refusal};
pub use request::is_request;
