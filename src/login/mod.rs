//! A login: from the word of a person to a credential that is there, parses, belongs to the
//! provider and is closed to others. That a token file exists, or that the program said `ok`, is
//! not enough (`facts/cliproxyapi.md` 4.4).

pub mod by_flag;
pub mod error;
pub mod flow;
pub mod pasted;
pub mod paths;
pub mod refusals;
pub mod saved;
pub mod underway;
