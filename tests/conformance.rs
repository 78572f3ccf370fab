//! The stand-ins against what the real programs were seen to do.
//!
//! One table of requests and one of process behaviour, each row with its source. They run against
//! the stand-ins always, against the real LiteLLM when `FLOWGATE_REAL_LITELLM` names the Python
//! environment that holds it, and against a real CLIProxyAPI(Plus) when
//! `FLOWGATE_REAL_CLIPROXYAPI` names one.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test fail by panicking, as the tests do"
)]

#[path = "conformance/ask.rs"]
mod ask;
#[path = "conformance/backend.rs"]
mod backend;
#[path = "conformance/cliproxyapi.rs"]
mod cliproxyapi;
#[path = "conformance/litellm.rs"]
mod litellm;
#[path = "conformance/look.rs"]
mod look;
#[path = "conformance/row.rs"]
mod row;
