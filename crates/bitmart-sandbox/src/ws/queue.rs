//! The queue between the feed and a connection.
//!
//! A command may cause more outputs than the capacity of the queue: a cancellation of all orders has one for each of
//! them. So a queue whose waiting outputs are below its capacity takes all outputs of one command. A queue that is
//! above its capacity at the next command takes as many again, until the connection has sent enough of them. The
//! number of waiting outputs is therefore bounded by twice the capacity and the outputs of one command.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;

use crate::feed::{Queued, Subscriber};

/// The sending half of the queue, which the feed owns.
#[derive(Debug)]
pub(super) struct Sender {
    outputs: mpsc::UnboundedSender<Queued>,
    waiting: Arc<AtomicUsize>,
    capacity: usize,
    /// The largest number of waiting outputs. `None` while the queue takes all outputs of a command.
    limit: Option<usize>,
}

/// The receiving half, which the connection owns.
#[derive(Debug)]
pub(super) struct Receiver {
    outputs: mpsc::UnboundedReceiver<Queued>,
    waiting: Arc<AtomicUsize>,
}

/// Creates a queue. The receiver ends once the feed has dropped the sender.
pub(super) fn queue(capacity: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let (outputs, count) = (sender, Arc::clone(&waiting));
    (
        Sender { outputs, waiting: count, capacity, limit: None },
        Receiver { outputs: receiver, waiting },
    )
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Option<Queued> {
        let queued = self.outputs.recv().await?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(queued)
    }

    /// Returns the next output, or `None` if none is waiting.
    pub(super) fn try_receive(&mut self) -> Option<Queued> {
        let queued = self.outputs.try_recv().ok()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(queued)
    }
}

impl Subscriber for Sender {
    fn send(&mut self, queued: Queued, is_first: bool) -> bool {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if is_first {
            let limit = self.limit.unwrap_or_else(|| waiting.saturating_add(self.capacity));
            self.limit = (waiting >= self.capacity).then_some(limit);
        }
        if self.limit.is_some_and(|limit| waiting >= limit) {
            return false;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.outputs.send(queued).is_ok()
    }

    fn send_late(&self, queued: Queued, delay: Duration) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (outputs, waiting) = (self.outputs.downgrade(), Arc::clone(&self.waiting));
        runtime.spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(outputs) = outputs.upgrade() {
                waiting.fetch_add(1, Ordering::Relaxed);
                // An error means that the connection has ended.
                drop(outputs.send(queued));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Output;

    fn output() -> Queued {
        Queued { after: 0, output: Output::Silent }
    }

    /// Sends the outputs of a command. Returns how many were taken.
    fn command(sender: &mut Sender, outputs: usize) -> usize {
        (0..outputs).take_while(|at| sender.send(output(), *at == 0)).count()
    }

    #[test]
    fn a_queue_takes_all_outputs_of_a_command_and_stays_bounded() {
        let (mut sender, mut receiver) = queue(4);
        assert_eq!(command(&mut sender, 3), 3);
        assert_eq!(command(&mut sender, 1_000), 1_000, "below the capacity before");
        // Nothing is read meanwhile.
        assert_eq!((0..100).map(|_| command(&mut sender, 1)).sum::<usize>(), 4);
        assert_eq!(command(&mut sender, 1_000), 0);
        let mut waiting = 0;
        while receiver.try_receive().is_some() {
            waiting += 1;
        }
        assert_eq!(waiting, 1_007);
        assert_eq!(command(&mut sender, 1_000), 1_000, "everything was read");
    }

    #[test]
    fn a_reader_that_reads_between_commands_is_never_too_slow() {
        let (mut sender, mut receiver) = queue(1);
        for outputs in [1, 5_000, 0, 1, 20_000, 3] {
            assert_eq!(command(&mut sender, outputs), outputs);
            while receiver.try_receive().is_some() {}
        }
    }
}
