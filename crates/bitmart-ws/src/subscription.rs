//! The user's end of a subscription.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_core::{FusedStream, Stream};
use tokio::sync::{mpsc, watch};

use crate::ConnectionStatus;
use crate::assignments::{Assignments, TopicLease};
use crate::driver::{Command, DriverSignals, LoginFailure};
use crate::error::{Error, ErrorKind};
use crate::queue::Reader;
use crate::receive_time::ReceiveTime;
use crate::receive_tracker::ReceiveTracker;
use crate::router::SubscriberId;
use crate::topic::Topic;
use crate::update::Update;

/// The client's access to one driver, the task of a connection. All subscriptions on the connection share it.
pub(crate) struct DriverHandle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) signals: Arc<DriverSignals>,
    pub(crate) assignments: Arc<Assignments>,
    pub(crate) login_failure: LoginFailure,
    pub(crate) receive_tracker: Arc<ReceiveTracker>,
    pub(crate) status: watch::Receiver<ConnectionStatus>,
}

impl DriverHandle {
    pub(crate) async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| self.end_error())
    }

    /// The error that says why the driver has ended.
    pub(crate) fn end_error(&self) -> Error {
        self.login_failure.get().cloned().unwrap_or_else(no_connection)
    }
}

/// The error of a command for which there is no connection.
pub(crate) fn no_connection() -> Error {
    let message = "there is no connection: the client was shut down, or nothing is subscribed";
    Error::new(ErrorKind::ShutDown, message)
}

/// A subscribed topic: a [`Stream`] of [`Update`]s.
///
/// The stream ends with at most one error, as its last item: the exchange rejected the topic or the
/// login, or a private subscription was read too slowly. Dropping the subscription unsubscribes, unless
/// another subscription shares the topic.
///
/// Updates wait in a bounded queue. When it is full, market data is dropped and reported as
/// [`Update::Lagged`]; a private subscription ends with [`ErrorKind::Overflow`](crate::ErrorKind::Overflow).
pub struct Subscription<T> {
    topic: Topic<T>,
    id: SubscriberId,
    queue: Reader<T>,
    driver: Arc<DriverHandle>,
    /// Given back as soon as the subscription is dropped.
    _lease: TopicLease,
}

impl<T> Subscription<T> {
    pub(crate) fn new(
        topic: Topic<T>,
        id: SubscriberId,
        queue: Reader<T>,
        driver: Arc<DriverHandle>,
        lease: TopicLease,
    ) -> Self {
        Self { topic, id, queue, driver, _lease: lease }
    }

    /// Returns the next update; `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. It is the last item.
    ///
    /// # Cancel safety
    /// Cancel-safe: no update is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Update<T>, Error>> {
        std::future::poll_fn(|context| self.queue.poll_next(context)).await
    }

    /// Returns the topic.
    pub fn topic(&self) -> &Topic<T> {
        &self.topic
    }

    /// Returns how many updates are queued.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Returns when the last update was received, however late it was read. `None` before the first.
    ///
    /// For [`Update::Resynced`] it is the time from which the topic was subscribed again.
    pub fn received_at(&self) -> Option<ReceiveTime> {
        self.queue.received_at()
    }

    /// Returns the watermark of the last update: everything of this topic that had arrived by then
    /// was returned before it. `None` before the connection first received something.
    ///
    /// After a loss ([`Update::Reconnecting`], [`Update::Lagged`], [`Update::Malformed`], an error) it
    /// is the time since which something may be missing, however late the loss is read.
    ///
    /// The watermark is a little earlier than the last frame of the connection: it is the last time
    /// before that frame at which nothing was left to read.
    pub fn delivered_until(&self) -> Option<Instant> {
        self.queue.delivered_until()
    }

    /// Returns the current watermark of the connection: everything of this topic that had arrived by
    /// then was returned or is queued.
    ///
    /// If it is taken before a call of [`next`](Self::next) that finds the queue empty, everything
    /// until then was read.
    pub fn received_until(&self) -> Option<Instant> {
        self.queue.received_until()
    }

    /// Requests one snapshot of this topic, which arrives as [`Update::Data`]. A rejection arrives as
    /// [`Update::RequestRejected`]. While the connection is down nothing is sent, because the new
    /// subscription brings a snapshot anyway.
    ///
    /// # Errors
    /// The topic has no snapshots ([`Topic::supports_request`]) or the connection has ended.
    ///
    /// # Cancel safety
    /// Cancel-safe: if the future is dropped early, nothing was sent.
    pub async fn request_snapshot(&self) -> Result<(), Error> {
        if !self.topic.supports_request() {
            return Err(Error::no_snapshots(self.topic.name()));
        }
        self.driver.send(Command::RequestSnapshot(self.topic.shared_name())).await
    }

    /// Sends a command about the topic. The future does not borrow the subscription.
    pub(crate) fn send(
        &self,
        command: fn(Arc<str>) -> Command,
    ) -> impl Future<Output = Result<(), Error>> + Send + Sync + use<T> {
        let (driver, name) = (self.driver.clone(), self.topic.shared_name());
        async move {
            let permit = driver.commands.reserve().await.map_err(|_| driver.end_error())?;
            permit.send(command(name));
            Ok(())
        }
    }

    pub(crate) fn last_disconnect(&self) -> Option<String> {
        self.queue.last_disconnect()
    }
}

impl<T> Stream for Subscription<T> {
    type Item = Result<Update<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll_next(context)
    }
}

impl<T> FusedStream for Subscription<T> {
    fn is_terminated(&self) -> bool {
        self.queue.is_terminated()
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        self.queue.close();
        self.driver.signals.subscription_dropped(self.id);
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic).finish_non_exhaustive()
    }
}
