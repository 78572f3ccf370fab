//! Text and JSON, each from the same report value.
