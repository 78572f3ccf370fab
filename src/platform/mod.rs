//! What differs by operating system, with the same function names for each.
