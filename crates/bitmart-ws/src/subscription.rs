//! The user's end of a subscription.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_core::Stream;
use tokio::sync::{mpsc, watch};

use crate::driver::{Command, Refusal, Signals};
use crate::error::{Error, ErrorKind};
use crate::heard::Heard;
use crate::queue::Reader;
use crate::received::ReceivedAt;
use crate::roster::{Roster, Seat};
use crate::router::MemberId;
use crate::session::Status;
use crate::topic::Topic;
use crate::update::Update;

/// The way to one driver.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) refusal: Refusal,
    pub(crate) heard: Arc<Heard>,
    pub(crate) status: watch::Receiver<Status>,
}

impl Handle {
    pub(crate) async fn send(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| self.gone())
    }

    /// Why the driver is gone.
    pub(crate) fn gone(&self) -> Error {
        self.refusal.get().cloned().unwrap_or_else(shut_down)
    }
}

/// There is no connection that could carry a command.
pub(crate) fn shut_down() -> Error {
    let message = "there is no connection: the client was shut down, or nothing is subscribed";
    Error::new(ErrorKind::ShutDown, message)
}

/// A subscribed topic: a [`Stream`] of [`Update`]s.
///
/// The stream ends with at most one error, as its last item: the venue refused the topic or the
/// login, or a private subscription was read too slowly. Dropping the subscription unsubscribes;
/// when nobody else wants the topic, the venue stops sending it.
///
/// Events wait in a bounded queue. When it is full, market data is dropped and reported as
/// [`Update::Lagged`]; a private subscription ends with [`ErrorKind::Overflow`](crate::ErrorKind::Overflow).
pub struct Subscription<T> {
    topic: Topic<T>,
    id: MemberId,
    queue: Reader<T>,
    handle: Handle,
    /// Its place on the connection, free again as soon as the subscription is dropped.
    _seat: Seat,
}

impl<T> Subscription<T> {
    pub(crate) fn new(
        topic: Topic<T>,
        id: MemberId,
        queue: Reader<T>,
        handle: Handle,
        seat: Seat,
    ) -> Self {
        Self { topic, id, queue, handle, _seat: seat }
    }

    /// The topic.
    pub fn topic(&self) -> &Topic<T> {
        &self.topic
    }

    pub(crate) fn last_trouble(&self) -> Option<String> {
        self.queue.last_trouble()
    }

    /// The next update; `None` when the subscription has ended.
    ///
    /// # Errors
    /// The reason why the subscription ended. It is the last item.
    ///
    /// # Cancel safety
    /// Safe: an update is taken when the future is ready and not before.
    pub async fn next(&mut self) -> Option<Result<Update<T>, Error>> {
        std::future::poll_fn(|context| self.queue.poll_next(context)).await
    }

    /// A stamp that travels with each update: everything of this topic that had arrived by then came
    /// before the update that was given last. After a loss ([`Update::Reconnecting`],
    /// [`Update::Lagged`], [`Update::Malformed`], an error) it says since when something may be
    /// missing, however late the loss is read. `None` before the connection was heard.
    ///
    /// It is stamped where the update was made, and is a little earlier than the last frame of the
    /// connection: the last moment before it at which nothing was left to read.
    pub fn last_received(&self) -> Option<Instant> {
        self.queue.last_received()
    }

    /// When the update that was given last was received, however late it is taken: what it tells of
    /// had arrived by then. With [`Update::Resynced`] it says from when on the topic was subscribed
    /// again. `None` before the first.
    pub fn received_at(&self) -> Option<ReceivedAt> {
        self.queue.received_at()
    }

    /// How many updates wait to be taken.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// The same as [`last_received`](Self::last_received) for the connection as it is now: everything
    /// of this topic that had arrived by then was given or waits in the queue. Taken before a call of
    /// [`next`](Self::next) that finds nothing waiting, it says until when everything was read.
    pub fn heard(&self) -> Option<Instant> {
        self.queue.heard()
    }

    /// Asks for one snapshot of this topic, which arrives as [`Update::Data`]. While the connection
    /// is down nothing is sent, because the new subscription brings a snapshot anyway. A refusal
    /// arrives as [`Update::RequestRejected`].
    ///
    /// # Errors
    /// The topic has no snapshots ([`Topic::supports_request`]) or the connection is over.
    ///
    /// # Cancel safety
    /// Safe: when dropped early, nothing was sent.
    pub async fn request(&self) -> Result<(), Error> {
        if !self.topic.supports_request() {
            let message = format!("BitMart answers no request for {}", self.topic.name());
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        self.handle.send(Command::Request(self.topic.name().into())).await
    }

    /// Sends a command about the topic. The future does not borrow the subscription.
    pub(crate) fn send(
        &self,
        command: fn(Arc<str>) -> Command,
    ) -> impl Future<Output = Result<(), Error>> + Send + Sync + use<T> {
        let (handle, name) = (self.handle.clone(), self.topic.name().into());
        async move {
            let permit = handle.commands.reserve().await.map_err(|_| handle.gone())?;
            permit.send(command(name));
            Ok(())
        }
    }
}

impl<T> Stream for Subscription<T> {
    type Item = Result<Update<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll_next(context)
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        self.queue.close();
        self.handle.signals.leave(self.id);
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic).finish_non_exhaustive()
    }
}
