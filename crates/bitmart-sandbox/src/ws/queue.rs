//! The queue between the feed and a connection.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::feed::{Queued, Subscriber};

/// The end of the queue that the feed holds.
#[derive(Debug)]
pub(super) struct Queue(mpsc::Sender<Queued>);

/// A queue for so many outputs. Its second end returns nothing more once the feed has dropped the first.
pub(super) fn queue(length: usize) -> (Queue, mpsc::Receiver<Queued>) {
    let (sender, receiver) = mpsc::channel(length);
    (Queue(sender), receiver)
}

impl Subscriber for Queue {
    fn send(&self, queued: Queued) -> bool {
        self.0.try_send(queued).is_ok()
    }

    fn send_late(&self, queued: Queued, delay: Duration) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let queue = self.0.downgrade();
        runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(queue) = queue.upgrade() {
                // A full queue closes the connection with the next frame.
                drop(queue.try_send(queued));
            }
        });
    }
}
