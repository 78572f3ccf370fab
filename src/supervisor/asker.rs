//! Whoever waits for what a request comes to.

use tokio::sync::mpsc::UnboundedSender;

use super::protocol::{Answer, Event, Refusal};

/// What a request comes to.
pub type Outcome = Result<Answer, Refusal>;

/// What is said to whoever asked.
#[derive(Debug)]
pub enum Word {
    /// Something happened.
    Event(Event),
    /// The end of the request.
    End(Outcome),
}

/// Whoever asked. One that has gone away hears nothing, and nothing is cancelled.
#[derive(Debug, Clone)]
pub struct Asker(UnboundedSender<Word>);

impl Asker {
    /// One who listens at the other end.
    pub fn new(words: UnboundedSender<Word>) -> Self {
        Self(words)
    }

    /// Tells of an event.
    pub fn tell(&self, event: &Event) {
        let _ = self.0.send(Word::Event(event.clone()));
    }

    /// Ends the request.
    pub fn end(self, outcome: Outcome) {
        let _ = self.0.send(Word::End(outcome));
    }
}

/// Ends the requests of several with the same.
pub fn end_all(askers: &mut Vec<Asker>, outcome: &Outcome) {
    for asker in askers.drain(..) {
        asker.end(outcome.clone());
    }
}
