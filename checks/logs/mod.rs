//! Log signatures of the two programs, over the redacted tails in the snapshot.

mod access;
mod chat;
mod litellm;
mod login;
mod refusal;
mod request;
mod signature;
mod traceback;

pub use access::{Access, ClientRequest, access, client_requests};
pub use chat::{chat_status, proves_a_chat};
pub use litellm::{
    announced_port, has_served, is_quoted_source, missing_dependency, missing_module, named_module,
};
pub use login::{LoginLine, asks_for_a_login, begins_a_login, login_line, refuses_refresh};
pub use refusal::{Refusal, config_refusal, master_key_refusal};
pub use request::is_request;
pub use signature::{SIGNATURES, Signature, crash, deciding, signature_of, unexplained};
pub use traceback::{exception_of_startup, last_exception};
