//! The task of one connection. It owns the socket and the timer, runs the [`Session`] and never waits
//! for a reader.
//!
//! ```text
//!  Client ── Command ─────► ┌────────┐ ◄─ SocketEvent ─ Socket ◄─► exchange
//!                           │ Driver │
//!  dropped handles          │        │ ── inputs ──► Session ── Action ─► Socket
//!       ── DriverSignals ─► └────────┘                   │
//!                               │ data frames            │ SessionEvent
//!                               └────────► Router ◄──────┘
//!                                            └─ Update ─► queues ─► Subscription, FanIn
//! ```
//!
//! One turn of [`Driver::run`] carries out the actions of the session, then waits for the next
//! command, signal, socket event or deadline and passes it to the session.

mod drained;
mod history;
mod messages;
mod signals;
mod socket;
mod suspend;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bitmart_auth::Credentials;
use bitmart_types::{Clock, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, Sleep};

use crate::ConnectionStatus;
use crate::assignments::Assignments;
use crate::client::{ConnectionProblem, ProblemSender};
use crate::connect::Connector;
use crate::dialect::{self, Access, Market};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::inflate::InflaterPool;
use crate::observe::ConnectionObserver;
use crate::reason::ReconnectReason;
use crate::receive_time::ReceiveTime;
use crate::receive_tracker::ReceiveTracker;
use crate::router::{Router, Subscriber, SubscriberId};
use crate::session::{Action, Session, SessionEvent};

use socket::SocketEvent;

pub(crate) use suspend::SuspendDetector;

pub(crate) use history::ConnectionHistory;
pub(crate) use signals::DriverSignals;
pub(crate) use socket::Socket;

/// Capacity of the command queue. Further callers wait.
pub(crate) const COMMAND_CAPACITY: usize = 64;

/// Data frames in a row after which the readers get a turn. In a longer burst the first events would wait
/// for the last, and would have left the processor's cache when they are read.
const FRAMES_PER_TURN: usize = 32;

/// The error that ended the driver, if its login was rejected permanently.
pub(crate) type LoginFailure = Arc<OnceLock<Error>>;

/// A request of the client to the driver.
pub(crate) enum Command {
    Subscribe(Box<dyn NewSubscribers>),
    RequestSnapshot(Arc<str>),
    /// Unsubscribe and subscribe again.
    Resubscribe(Arc<str>),
}

/// Subscribers on their way to the router, with their event type erased.
pub(crate) trait NewSubscribers: Send {
    /// Adds them to the router and their topics to `topics`, except those whose reader is gone.
    fn add_to(self: Box<Self>, router: &mut Router, topics: &mut Vec<Arc<str>>);
}

impl<T: Event> NewSubscribers for Subscriber<T> {
    fn add_to(self: Box<Self>, router: &mut Router, topics: &mut Vec<Arc<str>>) {
        add_subscriber(*self, router, topics);
    }
}

impl<T: Event> NewSubscribers for Vec<Subscriber<T>> {
    fn add_to(self: Box<Self>, router: &mut Router, topics: &mut Vec<Arc<str>>) {
        for subscriber in *self {
            add_subscriber(subscriber, router, topics);
        }
    }
}

fn add_subscriber<T: Event>(
    subscriber: Subscriber<T>,
    router: &mut Router,
    topics: &mut Vec<Arc<str>>,
) {
    if !subscriber.sink.is_closed() {
        topics.push(subscriber.topic.clone());
        router.add(subscriber);
    }
}

/// One connection with everything that belongs to it.
pub(crate) struct Driver {
    pub(crate) market: Market,
    pub(crate) access: Access,
    pub(crate) session: Session,
    pub(crate) router: Router,
    pub(crate) connector: Connector,
    pub(crate) socket: Socket,
    pub(crate) credentials: Option<Credentials>,
    /// Signs logins and stamps updates.
    pub(crate) clock: Arc<dyn Clock>,
    /// The last login was rejected, possibly for its time: the clock is corrected before the next.
    pub(crate) correct_clock: bool,
    pub(crate) inflaters: InflaterPool,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) signals: Arc<DriverSignals>,
    pub(crate) assignments: Arc<Assignments>,
    pub(crate) history: Arc<ConnectionHistory>,
    pub(crate) login_failure: LoginFailure,
    pub(crate) status: watch::Sender<ConnectionStatus>,
    pub(crate) problems: ProblemSender,
    pub(crate) receive_tracker: Arc<ReceiveTracker>,
    pub(crate) observer: ConnectionObserver,
    /// A data frame changed the state of the session, and the new status is not published yet.
    pub(crate) is_status_unpublished: bool,
    pub(crate) suspend: SuspendDetector,
}

/// Tokio's clock, which tests can pause.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Driver {
    /// Runs until the last topic or handle is gone, the login is rejected permanently or the client
    /// is shut down. The command queue is closed when everything is done.
    ///
    /// Every branch of the `select!` is cancel-safe: commands stay in their queue, half-read frames
    /// and half-made connections stay in the socket. Writes happen outside of it.
    ///
    /// Takes the driver by reference, because a future that takes it by value reserves memory for it twice.
    pub(crate) async fn run(&mut self) {
        let mut timer = std::pin::pin!(tokio::time::sleep_until(tokio::time::Instant::now()));
        let mut timer_set = false;
        // Whether the last turn handled a data frame and nothing else. Such a frame does not reset the timer: it can
        // only postpone the deadline, and a timer that fires early does no harm.
        let mut only_data = false;
        let mut data_frames_in_a_row = 0;
        let mut suspend_check = tokio::time::interval(suspend::CHECK_INTERVAL);
        suspend_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let signals = self.signals.clone();
        let mut commands = Vec::new();
        loop {
            let changed =
                self.run_actions().await | std::mem::take(&mut self.is_status_unpublished);
            if changed {
                self.publish_status();
            }
            let done = self.session.is_idle() && self.assignments.close_if_empty();
            if done || self.session.is_failed() || signals.is_shut_down() {
                break;
            }
            if changed || !only_data {
                timer_set = self.set_timer(timer.as_mut());
            }
            data_frames_in_a_row = if only_data { data_frames_in_a_row + 1 } else { 0 };
            if data_frames_in_a_row == FRAMES_PER_TURN {
                data_frames_in_a_row = 0;
                tokio::task::yield_now().await;
            }
            only_data = false;
            tokio::select! {
                count = self.commands.recv_many(&mut commands, COMMAND_CAPACITY) => {
                    if count == 0 {
                        break;
                    }
                    self.set_received_at(None);
                    self.handle_commands(&mut commands);
                }
                () = signals.notified() => self.remove_dropped(),
                event = self.socket.next_event() => {
                    self.receive_tracker.advance(self.socket.drained_at());
                    self.set_received_at(self.socket.last_read());
                    only_data = self.handle_socket_event(event).await;
                }
                () = timer.as_mut(), if timer_set => {
                    self.set_received_at(None);
                    self.session.tick(now());
                }
                _ = suspend_check.tick() => {
                    if let Some(duration) = self.suspend.check(now()) {
                        self.set_received_at(None);
                        self.session.abort(now(), ReconnectReason::Suspended { duration });
                    }
                }
            }
        }
        self.history.record(self.session.pacing(now()));
        self.socket.close().await;
        self.publish_status();
        self.set_received_at(None);
        self.router.end(&Error::new(ErrorKind::ShutDown, "the client was shut down"));
    }

    /// Carries out commands in order. Consecutive subscriptions share frames.
    fn handle_commands(&mut self, commands: &mut Vec<Command>) {
        // Dropped subscriptions must not use up the limits of these commands.
        self.remove_dropped();
        let mut topics = Vec::new();
        for command in commands.drain(..) {
            match command {
                Command::Subscribe(subscribers) => {
                    subscribers.add_to(&mut self.router, &mut topics);
                }
                Command::RequestSnapshot(topic) => {
                    self.session.subscribe_all(now(), topics.drain(..));
                    self.session.request_snapshot(now(), &topic);
                }
                Command::Resubscribe(topic) => {
                    self.session.subscribe_all(now(), topics.drain(..));
                    self.session.resubscribe(now(), &topic);
                }
            }
        }
        self.session.subscribe_all(now(), topics);
    }

    /// Sets the receive time of the following updates: when their bytes were read, or now.
    fn set_received_at(&self, last_read: Option<Instant>) {
        let now = now();
        let instant = last_read.unwrap_or(now);
        let age = i64::try_from(now.saturating_duration_since(instant).as_millis()).unwrap_or(0);
        let timestamp = Timestamp::from_millis(self.clock.now().as_millis() - age);
        self.receive_tracker.set_received_at(ReceiveTime::new(instant, timestamp));
    }

    fn publish_status(&mut self) {
        let status = self.session.status();
        self.observer.status_changed(status);
        self.status.send_if_modified(|published| std::mem::replace(published, status) != status);
    }

    /// Sets the timer to the session's deadline. Returns whether there is one.
    fn set_timer(&self, timer: std::pin::Pin<&mut Sleep>) -> bool {
        let deadline = self.session.deadline();
        if let Some(deadline) = deadline {
            timer.reset(deadline.into());
        }
        deadline.is_some()
    }

    /// Carries out the session's actions until there are none. Returns whether there were any.
    async fn run_actions(&mut self) -> bool {
        let mut changed = false;
        loop {
            let ended = self.router.take_ended();
            changed |= !ended.is_empty();
            self.remove_subscribers(ended);
            let Some(action) = self.session.poll_action() else {
                return changed;
            };
            changed = true;
            match action {
                Action::Connect { delay } => {
                    self.observer.connecting(delay, self.session.desired_topics());
                    self.history.record(self.session.pacing(now()));
                    let must_correct = std::mem::take(&mut self.correct_clock);
                    let clock = must_correct.then(|| self.clock.clone());
                    self.socket = Socket::connect(self.connector.clone(), delay, clock);
                }
                Action::Close => self.socket.close().await,
                Action::Emit(event) => {
                    self.observer.session_event(&event, self.session.desired_topics());
                    self.handle_session_event(&event);
                    self.router.session_event(event);
                }
                Action::Send(text) => self.send(text).await,
                Action::Login => {
                    if let Some(credentials) = &self.credentials {
                        let login =
                            dialect::login_frame(self.market, credentials, self.clock.now());
                        self.send(login.reveal().to_owned()).await;
                    }
                }
            }
        }
    }

    /// Handles the events that concern more than the subscriptions.
    fn handle_session_event(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::LoginRejected { rejection } => {
                // The next subscription starts another driver, which continues this pacing.
                self.history.record(self.session.pacing(now()));
                let _ = self.login_failure.set(Error::login_rejected(rejection.clone()));
                self.commands.close();
            }
            SessionEvent::Reconnecting { reason } => {
                if let ReconnectReason::Rejected(rejection) = reason {
                    self.correct_clock = rejection.may_be_about_time();
                }
                let (market, access, reason) = (self.market, self.access, reason.clone());
                self.problems.send_replace(Some(ConnectionProblem { market, access, reason }));
            }
            _ => {}
        }
    }

    async fn send(&mut self, text: String) {
        let bytes = text.len();
        match self.socket.send_text(text).await {
            Ok(()) => self.observer.sent(bytes),
            Err(reason) => {
                self.set_received_at(None);
                self.session.disconnected(now(), reason);
            }
        }
    }

    fn remove_dropped(&mut self) {
        let dropped = self.signals.take_dropped();
        self.remove_subscribers(dropped);
    }

    /// Removes subscribers, and unsubscribes together from the topics that have none left.
    fn remove_subscribers(&mut self, subscribers: Vec<SubscriberId>) {
        if subscribers.is_empty() {
            return;
        }
        let topics = subscribers.into_iter().filter_map(|id| self.router.remove(id));
        let topics: Vec<_> = topics.collect();
        self.session.unsubscribe_all(now(), topics.iter().map(AsRef::as_ref));
    }

    /// Returns whether it was a data frame and nothing else.
    async fn handle_socket_event(&mut self, event: SocketEvent) -> bool {
        match event {
            SocketEvent::Connected => {
                self.observer.connected();
                self.session.connected(now());
                false
            }
            SocketEvent::Disconnected(reason) => {
                self.session.disconnected(now(), reason);
                false
            }
            SocketEvent::Message(message) => {
                self.observer.received(&message);
                self.handle_message(message).await
            }
        }
    }
}
