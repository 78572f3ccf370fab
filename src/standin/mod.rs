//! Small faithful copies of the outward behaviour of the two programs, for tests and benches.
