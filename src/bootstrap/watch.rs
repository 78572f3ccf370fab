//! What is going on, for whoever waits.

/// What is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// Something that is told once: `checksums.txt of v7.2.127-7`.
    Step(String),
    /// Bytes of a file come in.
    Bytes {
        /// The file.
        name: String,
        /// How many are here.
        done: u64,
        /// How many there will be, when that is known.
        total: Option<u64>,
    },
    /// Packages are obtained or installed.
    Packages {
        /// What is done with them: `download`, `install`.
        verb: &'static str,
        /// How many are done.
        done: usize,
        /// How many there will be.
        total: usize,
    },
}

/// Is told what is going on.
pub trait Watch {
    /// Notes it; called often, so it decides itself what is worth a line.
    fn note(&self, doing: Doing);

    /// Notes a step.
    fn step(&self, what: &str) {
        self.note(Doing::Step(what.to_owned()));
    }
}
