//! The queue between the feed and a connection.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::feed::{Queued, Subscriber};

/// The sending half of the queue, which the feed owns.
#[derive(Debug)]
pub(super) struct Queue(mpsc::Sender<Queued>);

/// Creates a queue for `length` outputs. The receiver ends once the feed has dropped the sender.
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
                // If the queue is full, the next frame closes the connection.
                drop(queue.try_send(queued));
            }
        });
    }
}
