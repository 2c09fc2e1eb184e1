//! One topic of a source.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_types::{Clock, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::assignments::{Assignments, TopicLease};
use crate::client::Endpoint;
use crate::dialect::{Access, Market};
use crate::driver::{COMMAND_CAPACITY, Command, DriverSignals, LoginFailure};
use crate::error::{Error, ErrorKind};
use crate::event::{DecodeError, DecodeErrorKind};
use crate::observe::Metrics;
use crate::peek;
use crate::reason::{ReconnectReason, Rejection};
use crate::receive_time::ReceiveTime;
use crate::receive_tracker::ReceiveTracker;
use crate::router::{Router, SubscriberId};
use crate::session::SessionEvent;
use crate::subscription::{DriverHandle, no_connection};
use crate::{ConnectionState, ConnectionStatus};

/// What a reader of the topic asks its source for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedRequest {
    /// Pass a snapshot of the topic soon, if the source can. Order books repeat the request every 5 s.
    Snapshot,
    /// Start the topic anew, which brings a snapshot: several requests brought none, or the topic has no snapshots to
    /// request.
    Resubscribe,
}

/// One topic that a [`Source`](super::Source) fills with frames: the place of a connection.
///
/// All methods but [`next_request`](Self::next_request) return at once. Dropping it ends the subscriptions.
pub struct Feed {
    topic: Arc<str>,
    endpoint: Endpoint,
    state: State,
    router: Router,
    commands: mpsc::Receiver<Command>,
    signals: Arc<DriverSignals>,
    assignments: Arc<Assignments>,
    receive_tracker: Arc<ReceiveTracker>,
    metrics: Metrics,
    status: watch::Sender<ConnectionStatus>,
    clock: Arc<dyn Clock>,
    /// The requests of readers that [`next_request`](Self::next_request) has not returned yet; each kind once.
    requests: VecDeque<FeedRequest>,
}

/// Whether the topic delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has not been connected yet.
    New,
    Connected,
    /// It was connected before.
    Down,
}

impl Feed {
    /// Creates the feed of a topic, with a lease for its first subscription.
    pub(crate) fn new(
        endpoint: Endpoint,
        topic: Arc<str>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Arc<DriverHandle>, TopicLease), Error> {
        let (sender, commands) = mpsc::channel(COMMAND_CAPACITY);
        let signals = Arc::new(DriverSignals::default());
        let assignments = Arc::<Assignments>::default();
        let lease = assignments.assign(&topic, 1).ok_or_else(no_connection)?;
        let metrics = Metrics::new(endpoint.0, endpoint.1);
        let receive_tracker = Arc::new(ReceiveTracker::new(metrics.clone()));
        let connecting = ConnectionStatus { state: ConnectionState::Connecting, topics: 1 };
        let (status_sender, status) = watch::channel(connecting);
        let handle = Arc::new(DriverHandle {
            commands: sender,
            signals: signals.clone(),
            assignments: assignments.clone(),
            login_failure: LoginFailure::default(),
            receive_tracker: receive_tracker.clone(),
            status,
        });
        let feed = Self {
            topic,
            endpoint,
            state: State::New,
            router: Router::new(endpoint.0).metrics(metrics.clone()),
            commands,
            signals,
            assignments,
            receive_tracker,
            metrics,
            status: status_sender,
            clock,
            requests: VecDeque::new(),
        };
        Ok((feed, handle, lease))
    }

    /// Returns the name of the topic, such as `spot/ticker:BTC_USDT`.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Returns the market of its frames.
    pub fn market(&self) -> Market {
        self.endpoint.0
    }

    /// Returns whether it is a topic of an account. Its events must not be dropped.
    pub fn is_private(&self) -> bool {
        self.endpoint.1 == Access::Private
    }

    /// Returns the present time, for frames that arrive just now.
    pub fn now(&self) -> ReceiveTime {
        ReceiveTime::new(now(), self.clock.now())
    }

    /// Returns the receive time of a frame that somebody else received at this time of the clock. A time in
    /// the future counts as now.
    pub fn received_at(&self, timestamp: Timestamp) -> ReceiveTime {
        let now = self.now();
        let age = now.timestamp.as_millis().saturating_sub(timestamp.as_millis());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
        ReceiveTime::new(now.instant.checked_sub(age).unwrap_or(now.instant), timestamp)
    }

    /// Reports that the topic delivers: [`Update::Subscribed`](crate::Update::Subscribed) the first time, and
    /// [`Update::Resynced`](crate::Update::Resynced) after [`reconnecting`](Self::reconnecting). Does nothing
    /// if it delivers already.
    pub fn connected(&mut self) {
        let topic = self.topic.clone();
        let event = match self.state {
            State::Connected => return,
            State::New => SessionEvent::Subscribed { topic },
            State::Down => SessionEvent::Resynced { topic },
        };
        self.state = State::Connected;
        self.set_status(ConnectionState::Open { since: now() });
        self.emit(event);
    }

    /// Passes one data frame as the exchange sent it, inflated. It implies [`connected`](Self::connected).
    ///
    /// A frame without a `table` or `group`, such as an acknowledgement in a recording of a socket, is ignored
    /// if it is JSON and [`unreadable`](Self::unreadable) if not.
    pub fn frame(&mut self, text: &str, received_at: ReceiveTime) {
        if let Some(frame_name) = peek::frame_name(text) {
            self.connected();
            self.receive_tracker.set_received_at(received_at);
            self.router.dispatch(frame_name, text);
        } else if text != "pong"
            && let Some(error) = DecodeError::from_text(text)
        {
            self.receive_tracker.set_received_at(received_at);
            self.malformed(error);
        }
        self.remove_ended();
    }

    /// Reports a frame that is not text, as [`Update::Malformed`](crate::Update::Malformed).
    pub fn unreadable(&mut self, kind: DecodeErrorKind, reason: &str, bytes: &[u8]) {
        self.receive_tracker.set_received_at(self.now());
        self.malformed(DecodeError::from_bytes(kind, reason, bytes));
        self.remove_ended();
    }

    /// Reports that nothing arrives until [`connected`](Self::connected), and that events may be missing.
    pub fn reconnecting(&mut self, reason: ReconnectReason) {
        if self.state == State::Connected {
            self.state = State::Down;
        }
        self.set_status(ConnectionState::Connecting);
        self.emit(SessionEvent::Reconnecting { reason });
    }

    /// Reports that this many frames are missing before the next one, as
    /// [`Update::Lagged`](crate::Update::Lagged). The topic continues. A private subscription must not lose an event,
    /// so it ends.
    pub fn lagged(&mut self, frames: u64) {
        self.receive_tracker.set_received_at(self.now());
        if self.is_private() {
            let message = format!(
                "{frames} frames of the private topic were lost on their way: query orders and balances \
                 over REST, then subscribe again"
            );
            self.router.end(&Error::new(ErrorKind::Overflow, message));
        } else {
            self.router.lagged(frames);
        }
        self.remove_ended();
    }

    /// Reports that nothing has been received since then, and that the last data may be outdated.
    pub fn stale(&mut self, since: Instant) {
        self.set_status(ConnectionState::Stale { since });
        self.emit(SessionEvent::Stale { since });
    }

    /// Reports that a [`stale`](Self::stale) topic receives again and nothing is missing.
    pub fn alive(&mut self) {
        self.set_status(ConnectionState::Open { since: now() });
        self.emit(SessionEvent::Alive);
    }

    /// Reports that a request for a snapshot was rejected.
    pub fn request_rejected(&mut self, code: Option<u32>, text: &str) {
        let (topic, rejection) = (self.topic.clone(), Rejection::new(code, text));
        self.emit(SessionEvent::RequestRejected { topic, rejection });
    }

    /// Advances the watermark ([`Subscription::delivered_until`](crate::Subscription::delivered_until)) to this time:
    /// every frame that had arrived by then was passed. A source that never calls this has no watermark.
    pub fn received_until(&mut self, instant: Instant) {
        self.receive_tracker.advance(Some(instant));
    }

    /// Ends the subscriptions, because the exchange rejected the topic.
    pub fn reject(mut self, code: Option<u32>, text: &str) {
        let (topic, rejection) = (self.topic.clone(), Rejection::new(code, text));
        self.emit(SessionEvent::Rejected { topic, rejection });
    }

    /// Ends the subscriptions with an error of the kind [`ErrorKind::Source`].
    pub fn end(mut self, message: &str) {
        self.receive_tracker.set_received_at(self.now());
        self.router.end(&Error::new(ErrorKind::Source, message));
    }

    /// Returns how many updates its readers have not taken yet: the length of the longest queue. A source that
    /// is faster than its readers, and must lose nothing, waits until it is 0.
    pub fn queued(&self) -> usize {
        self.router.queued()
    }

    /// Waits for the next request of a reader, and adds and removes subscriptions meanwhile. `None` when the
    /// last one is gone or the client was shut down: drop the feed then.
    ///
    /// A source that is faster than its readers, such as a recording, awaits something between the frames:
    /// else the readers get no turn.
    ///
    /// # Cancel safety
    /// Cancel-safe: a request that was not returned is returned by the next call.
    pub async fn next_request(&mut self) -> Option<FeedRequest> {
        let (signals, assignments) = (self.signals.clone(), self.assignments.clone());
        loop {
            self.remove_ended();
            if self.signals.is_shut_down() {
                let error = Error::new(ErrorKind::ShutDown, "the client was shut down");
                self.router.end(&error);
                return None;
            }
            if self.assignments.close_if_empty() {
                return None;
            }
            if let Some(request) = self.requests.pop_front() {
                return Some(request);
            }
            tokio::select! {
                command = self.commands.recv() => self.handle_command(command?),
                () = assignments.emptied() => {}
                () = signals.notified() => {
                    let dropped = self.signals.take_dropped();
                    self.remove(dropped);
                }
            }
        }
    }

    /// One more lease of the topic.
    #[cfg(test)]
    pub(super) fn lease(&self) -> Option<TopicLease> {
        self.assignments.share(&self.topic)
    }

    /// Waits for the first subscription. Returns `false` if there will be none.
    pub(crate) async fn wait_for_subscriber(&mut self) -> bool {
        let (signals, assignments) = (self.signals.clone(), self.assignments.clone());
        loop {
            if self.signals.is_shut_down() || self.assignments.close_if_empty() {
                return false;
            }
            if !self.router.is_empty() {
                return true;
            }
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => return false,
                },
                () = assignments.emptied() => {}
                () = signals.notified() => {
                    let dropped = self.signals.take_dropped();
                    self.remove(dropped);
                }
            }
        }
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Subscribe(subscribers) => {
                subscribers.add_to(&mut self.router, &mut Vec::new());
                if self.state == State::Connected {
                    // Acknowledges the new one; the others have it already.
                    let topic = self.topic.clone();
                    self.emit(SessionEvent::Subscribed { topic });
                }
            }
            Command::RequestSnapshot(_) => self.request(FeedRequest::Snapshot),
            Command::Resubscribe(_) => self.request(FeedRequest::Resubscribe),
        }
    }

    /// Queues a request once.
    fn request(&mut self, request: FeedRequest) {
        if !self.requests.contains(&request) {
            self.requests.push_back(request);
        }
    }

    fn malformed(&mut self, error: DecodeError) {
        self.metrics.decode_error(error.kind());
        self.router.malformed(error);
    }

    fn emit(&mut self, event: SessionEvent) {
        self.receive_tracker.set_received_at(self.now());
        self.router.session_event(event);
        self.remove_ended();
    }

    fn set_status(&self, state: ConnectionState) {
        self.status.send_replace(ConnectionStatus { state, topics: 1 });
    }

    fn remove_ended(&mut self) {
        let ended = self.router.take_ended();
        self.remove(ended);
    }

    fn remove(&mut self, subscribers: Vec<SubscriberId>) {
        for id in subscribers {
            self.router.remove(id);
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // Later subscriptions get another feed; those whose command is still queued get an error.
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.handle_command(command);
        }
        self.router.end(&Error::source_ended());
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("topic", &self.topic)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
