//! The task of one connection. It owns the socket and the timers, runs the [`Session`] and never
//! waits for a user.

mod link;
mod signals;
mod standing;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bitmart_auth::Credentials;
use bitmart_types::{Clock, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::time::Sleep;

use crate::client::{Trouble, TroubleSender};
use crate::connect::Connector;
use crate::dialect::{Access, Dialect};
use crate::error::{Error, ErrorKind};
use crate::event::{DecodeError, DecodeErrorKind, Event};
use crate::frame::Message;
use crate::heard::Heard;
use crate::inflate::{InflateError, InflaterPool};
use crate::observe::Observed;
use crate::reason::ReconnectReason;
use crate::received::ReceivedAt;
use crate::roster::Roster;
use crate::router::{Member, MemberId, Router};
use crate::session::{Action, Notice, Session, Status};

use link::Happening;

pub(crate) use link::Link;
pub(crate) use signals::Signals;
pub(crate) use standing::Standing;

/// Commands that may wait for a driver. A caller beyond that waits its turn.
pub(crate) const COMMANDS: usize = 64;

/// Why the driver of a connection ended, if its login was refused for good.
pub(crate) type Refusal = Arc<OnceLock<Error>>;

/// What a handle asks of the driver.
pub(crate) enum Command {
    Subscribe(Box<dyn Join>),
    Request(Arc<str>),
    /// Unsubscribe and subscribe again.
    Renew(Arc<str>),
}

/// A subscription on its way to the router, without its event type.
pub(crate) trait Join: Send {
    /// Joins and adds the topic to `topics`, unless the reader is gone already.
    fn join(self: Box<Self>, router: &mut Router, topics: &mut Vec<Arc<str>>);
}

impl<T: Event> Join for Member<T> {
    fn join(self: Box<Self>, router: &mut Router, topics: &mut Vec<Arc<str>>) {
        if !self.writer.reader_is_gone() {
            topics.push(self.topic.clone());
            router.join(*self);
        }
    }
}

impl<T: Event> Join for Vec<Member<T>> {
    fn join(self: Box<Self>, router: &mut Router, topics: &mut Vec<Arc<str>>) {
        for member in *self {
            if !member.writer.reader_is_gone() {
                topics.push(member.topic.clone());
                router.join(member);
            }
        }
    }
}

/// One connection with everything that belongs to it.
pub(crate) struct Driver {
    pub(crate) dialect: Dialect,
    pub(crate) session: Session,
    pub(crate) router: Router,
    pub(crate) connector: Connector,
    pub(crate) credentials: Option<Credentials>,
    /// The time of login signatures, asked for every login.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) inflaters: InflaterPool,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) signals: Arc<Signals>,
    /// Who is seated on this connection.
    pub(crate) roster: Arc<Roster>,
    /// What outlives this driver.
    pub(crate) standing: Arc<Standing>,
    pub(crate) refusal: Refusal,
    pub(crate) status: watch::Sender<Status>,
    /// What the queues stamp their updates with.
    pub(crate) heard: Arc<Heard>,
    pub(crate) observed: Observed,
    pub(crate) link: Link,
    pub(crate) access: Access,
    pub(crate) troubles: TroubleSender,
    /// The last login was refused, maybe for its time: the clock is corrected before the next.
    pub(crate) clock_doubted: bool,
}

/// Tokio's clock, so that tests can turn it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Driver {
    /// Runs until the last topic or handle is gone, the login is refused or the client shuts down.
    /// Commands are closed when all is done.
    ///
    /// Every branch of the `select!` may be dropped half-done: commands stay in their queue, a
    /// half-read frame and a half-made connection stay in the link. Writes happen outside of it.
    pub(crate) async fn run(mut self) {
        let mut alarm = std::pin::pin!(tokio::time::sleep_until(tokio::time::Instant::now()));
        let mut armed = false;
        // Data only moves the deadline further away, and a late look at it does no harm.
        let mut data = false;
        let signals = self.signals.clone();
        let mut inbox = Vec::new();
        loop {
            let changed = self.settle().await;
            if changed {
                self.report();
            }
            let done = self.session.is_idle() && self.roster.retire();
            if done || self.session.is_failed() || signals.is_shut_down() {
                break;
            }
            if changed || !data {
                armed = self.arm(alarm.as_mut());
            }
            data = false;
            tokio::select! {
                count = self.commands.recv_many(&mut inbox, COMMANDS) => {
                    if count == 0 {
                        break;
                    }
                    self.stamp(None);
                    self.obey(&mut inbox);
                }
                () = signals.given() => self.dismiss(),
                happening = self.link.next() => {
                    self.heard.note(self.link.quiet());
                    self.stamp(self.link.read_at());
                    data = self.happened(happening).await;
                }
                () = alarm.as_mut(), if armed => {
                    self.stamp(None);
                    self.session.tick(now());
                }
            }
        }
        self.standing.keep(self.session.pace(now()));
        self.link.close().await;
        self.report();
        self.stamp(None);
        self.router.end(&Error::new(ErrorKind::ShutDown, "the client was shut down"));
    }

    /// Carries out commands in their order. Subscriptions that come together go out together.
    fn obey(&mut self, inbox: &mut Vec<Command>) {
        // What was dropped before these commands must not stand in their way.
        self.dismiss();
        let mut topics = Vec::new();
        for command in inbox.drain(..) {
            match command {
                Command::Subscribe(member) => member.join(&mut self.router, &mut topics),
                Command::Request(topic) => {
                    self.session.subscribe_all(now(), topics.drain(..));
                    self.session.request(now(), &topic);
                }
                Command::Renew(topic) => {
                    self.session.subscribe_all(now(), topics.drain(..));
                    self.session.renew(now(), &topic);
                }
            }
        }
        self.session.subscribe_all(now(), topics);
    }

    /// Has what comes next stamped with the moment at which its bytes were read, or with this one.
    fn stamp(&self, read_at: Option<Instant>) {
        let now = now();
        let instant = read_at.unwrap_or(now);
        let age = i64::try_from(now.saturating_duration_since(instant).as_millis()).unwrap_or(0);
        let time = Timestamp::from_millis(self.clock.now().as_millis() - age);
        self.heard.receive(ReceivedAt::new(instant, time));
    }

    /// Says how the connection stands.
    fn report(&mut self) {
        let status = self.session.status();
        self.observed.stands(status);
        self.status.send_if_modified(|known| std::mem::replace(known, status) != status);
    }

    /// Sets the alarm to the session's deadline.
    fn arm(&self, alarm: std::pin::Pin<&mut Sleep>) -> bool {
        let deadline = self.session.deadline();
        if let Some(deadline) = deadline {
            alarm.reset(deadline.into());
        }
        deadline.is_some()
    }

    /// Does what the session wants until it wants no more. Gives whether it wanted anything.
    async fn settle(&mut self) -> bool {
        let mut changed = false;
        loop {
            let over = self.router.take_over();
            changed |= !over.is_empty();
            self.leave(over);
            let Some(action) = self.session.poll_action() else {
                return changed;
            };
            changed = true;
            match action {
                Action::Connect { delay } => {
                    self.observed.connecting(delay, self.session.desired_topics());
                    self.standing.keep(self.session.pace(now()));
                    let doubted = std::mem::take(&mut self.clock_doubted);
                    let clock = doubted.then(|| self.clock.clone());
                    self.link = Link::connect(self.connector.clone(), delay, clock);
                }
                Action::Close => self.link.close().await,
                Action::Emit(notice) => {
                    self.observed.notice(&notice, self.session.desired_topics());
                    self.pass_on(&notice);
                    self.router.notice(notice);
                }
                Action::Send(text) => self.send(text).await,
                Action::Login => {
                    if let Some(credentials) = &self.credentials {
                        let login = self.dialect.login(credentials, self.clock.now());
                        self.send(login.reveal().to_owned()).await;
                    }
                }
            }
        }
    }

    /// Tells what concerns others than the subscriptions.
    fn pass_on(&mut self, notice: &Notice) {
        match notice {
            Notice::LoginRefused { rejection } => {
                // Whoever subscribes from now on gets another driver, which keeps this one's pace.
                self.standing.keep(self.session.pace(now()));
                let _ = self.refusal.set(Error::login_refused(rejection.clone()));
                self.commands.close();
            }
            Notice::Reconnecting { reason } => {
                if let ReconnectReason::Refused(rejection) = reason {
                    self.clock_doubted = rejection.may_be_about_time();
                }
                let (dialect, access, reason) = (self.dialect, self.access, reason.clone());
                self.troubles.send_replace(Some(Trouble { dialect, access, reason }));
            }
            _ => {}
        }
    }

    async fn send(&mut self, text: String) {
        let bytes = text.len();
        match self.link.send_text(text).await {
            Ok(()) => self.observed.sent(bytes),
            Err(reason) => {
                self.stamp(None);
                self.session.closed(now(), reason);
            }
        }
    }

    /// Lets the dropped subscriptions go.
    fn dismiss(&mut self) {
        let gone = self.signals.take_gone();
        self.leave(gone);
    }

    /// Lets subscriptions go. Topics that nobody wants any more go out together.
    fn leave(&mut self, members: Vec<MemberId>) {
        if members.is_empty() {
            return;
        }
        let left = members.into_iter().filter_map(|id| self.router.leave(id));
        let topics: Vec<_> = left.collect();
        self.session.unsubscribe_all(now(), topics.iter().map(AsRef::as_ref));
    }

    /// Gives whether it was a data frame and nothing else.
    async fn happened(&mut self, happening: Happening) -> bool {
        if let Happening::Received(message) = &happening {
            self.observed.received(message);
        }
        match happening {
            Happening::Connected => {
                self.observed.connected();
                self.session.connected(now());
            }
            Happening::Ended(reason) => self.session.closed(now(), reason),
            Happening::Received(Message::Text(bytes)) => {
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    return self.received(text);
                }
                let reason = "the text frame is not UTF-8";
                self.unreadable(DecodeErrorKind::Encoding, reason, &bytes);
            }
            Happening::Received(Message::NotText) => {
                self.unreadable(DecodeErrorKind::Encoding, "the text frame is not UTF-8", &[]);
            }
            Happening::Received(Message::Binary(bytes)) => {
                // Taken out, so that the text can be read while it is in use.
                let inflaters = self.inflaters.clone();
                match inflaters.inflate(&bytes, |text| self.received(text)) {
                    Ok((data, 0)) => return data,
                    // The text counts, but what stands behind it is lost.
                    Ok((_, trailing)) => {
                        let reason = format!("{trailing} bytes after the compressed stream");
                        let rest = bytes.len().saturating_sub(trailing);
                        let rest = bytes.get(rest..).unwrap_or_default();
                        let kind = DecodeErrorKind::Trailing;
                        let fault = DecodeError::from_bytes(kind, &reason, rest);
                        self.observed.malformed(&fault);
                        self.router.malformed(fault);
                    }
                    Err(error) => {
                        let kind = match error {
                            InflateError::Truncated => DecodeErrorKind::Truncated,
                            _ => DecodeErrorKind::Encoding,
                        };
                        self.unreadable(kind, &error.to_string(), &bytes);
                    }
                }
            }
            Happening::Received(Message::Ping(payload)) => {
                if self.session.pinged(now()) {
                    let bytes = payload.len();
                    match self.link.send_pong(payload).await {
                        Ok(()) => self.observed.sent(bytes),
                        Err(reason) => self.session.closed(now(), reason),
                    }
                }
            }
            Happening::Received(Message::Pong) => self.session.heard(now()),
            Happening::Received(Message::Close(code, text)) => {
                self.link.close().await;
                self.session.closed(now(), ReconnectReason::Closed { code, text });
            }
        }
        false
    }

    /// Reads a text and hands its events out. Gives whether it was data and nothing else.
    fn received(&mut self, text: &str) -> bool {
        let Some(channel) = self.session.receive(now(), text) else {
            // Control frames are JSON, too, but for one word.
            match DecodeError::from_text(text).filter(|_| text != "pong") {
                None => self.session.readable(now(), true),
                Some(fault) => self.malformed(fault),
            }
            return false;
        };
        while let Some(notice) = self.session.poll_notice() {
            self.observed.notice(&notice, self.session.desired_topics());
            self.router.notice(notice);
        }
        let readable = self.router.dispatch(channel, text);
        self.session.readable(now(), readable);
        readable
    }

    /// A frame that never became text.
    fn unreadable(&mut self, kind: DecodeErrorKind, reason: &str, bytes: &[u8]) {
        self.session.heard(now());
        self.malformed(DecodeError::from_bytes(kind, reason, bytes));
    }

    /// Tells everybody of a frame that cannot be read, which may have been meant for anyone.
    fn malformed(&mut self, fault: DecodeError) {
        self.observed.malformed(&fault);
        self.router.malformed(fault);
        self.session.readable(now(), false);
    }
}
