//! Takes the status of what services leave behind, as the first process of a container has to.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::supervisor::children;

/// Whoever watches a service takes its status within this time.
const SOON: Duration = Duration::from_millis(50);

/// Reaps for as long as the foreground lives; where orphans go to somebody else it is over at once.
///
/// # Errors
/// As the system gives them.
pub fn begin() -> std::io::Result<()> {
    if !children::are_adopted() {
        return Ok(());
    }
    let mut ended = signal(SignalKind::child())?;
    tokio::spawn(async move {
        loop {
            // Several ends may be one signal.
            if children::reap() {
                tokio::time::sleep(SOON).await;
            } else if ended.recv().await.is_none() {
                return;
            }
        }
    });
    Ok(())
}
