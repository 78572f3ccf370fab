//! How a supervisor ends: it is told to, or becomes a newer one.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::upgrade::Upgrade;

/// The end of a supervisor; shared by all who may bring it about.
#[derive(Clone)]
pub struct End {
    notify: Rc<Notify>,
    upgrade: Rc<RefCell<Option<Upgrade>>>,
    /// Whether the process is the supervisor and nothing else, so that it can become another.
    pub may_leap: bool,
}

impl End {
    /// No end yet.
    pub fn new(may_leap: bool) -> Self {
        Self {
            notify: Rc::default(),
            upgrade: Rc::default(),
            may_leap,
        }
    }

    /// What it will become.
    pub fn prepare(&self, upgrade: Upgrade) {
        *self.upgrade.borrow_mut() = Some(upgrade);
    }

    /// Brings it about.
    pub fn come(&self) {
        self.notify.notify_one();
    }

    /// Waits for it; gives what the supervisor is to become, if anything.
    pub async fn awaited(&self) -> Option<Upgrade> {
        self.notify.notified().await;
        self.upgrade.borrow_mut().take()
    }
}
