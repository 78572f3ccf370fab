//! flowgate.yaml and the programs' own configs, read with positions.
//!
//! [`document`] reads YAML or JSON into a tree with positions, [`schema`], [`litellm`] and
//! [`cliproxyapi`] read such trees by type, [`entries`] flattens them for the snapshot without
//! their secrets, and [`load`] does all of it for one file.

pub mod activate;
mod alias;
pub mod allow;
pub mod auth_dir;
pub mod cliproxyapi;
pub mod command;
pub mod discover;
pub mod document;
pub mod edit;
pub mod effective;
pub mod entries;
mod excerpt;
mod fault;
pub mod file;
pub mod imported;
pub mod in_use;
pub mod key_ref;
pub mod keys;
pub mod litellm;
pub mod load;
#[cfg(test)]
mod misread;
pub mod path;
pub mod profiles;
pub mod render;
mod scalar;
pub mod schema;
pub mod secrets;
mod section;
mod sections;
pub mod service;
mod service_section;
pub mod starter;
mod tree;
