//! One WebSocket connection: reading, writing, and the timers that close it.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use fastwebsockets::{OpCode, Role, WebSocketRead, after_handshake_split};
use futures_util::{StreamExt, stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{ReadHalf, WriteHalf},
    time::{Instant, interval_at, sleep_until, timeout},
};

use super::{
    context::SessionContext,
    futures,
    queue::{Receiver, queue},
    read::{Fragments, Pings, Received, close_code, close_parts, read},
    record::{CUT, NOT_STORED, Record, STOPPED, TOO_SLOW},
    spot,
    writer::Writer,
};
use crate::{
    address::{SocketKind, address},
    connection_limiter::{ConnectionPermit, LimitExceeded},
    feed::{Output, Queued, SocketId},
    generated::Host,
    journal::EntryNumber,
    shared::Shared,
    shutdown::stopped_or_killed,
    state::State,
    traffic::{Direction, FrameKind},
    wire::session,
};

/// Timeout for the client's part of a closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Frames of this size in bytes or larger are not read.
const MAX_FRAME: usize = 64 << 10;
const NORMAL: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const PROTOCOL_ERROR: u16 = 1002;
const NOT_UTF_8: u16 = 1007;
const TOO_BIG: u16 = 1009;
const POLICY: u16 = 1008;

type Io = TokioIo<Upgraded>;

enum Dialect {
    Spot(spot::Session),
    Futures(futures::Session),
}

/// Serves a connection until one side ends it. The permit is returned then.
pub(super) async fn run(
    shared: Arc<Shared>,
    host: Host,
    kind: SocketKind,
    upgraded: Upgraded,
    _permit: Option<ConnectionPermit>,
) {
    let (input, output) = tokio::io::split(TokioIo::new(upgraded));
    let writer = Writer::new(output);
    // The writer of fastwebsockets sends each frame separately, so it is not used.
    let (mut reader, _) = after_handshake_split(input, tokio::io::sink(), Role::Server);
    reader.set_auto_close(false);
    reader.set_auto_pong(false);
    let (dialect, max_message) = match host {
        Host::Spot => {
            let has_limits = shared.config.rate_limits;
            (Dialect::Spot(spot::Session::new(kind, has_limits)), spot::MAX_MESSAGE)
        }
        Host::Futures => (Dialect::Futures(futures::Session::new(kind)), futures::MAX_MESSAGE),
    };
    // Above the limit of the exchange, so that a longer message is read completely and then rejected.
    reader.set_max_message_size(MAX_FRAME);
    let (sender, queue) = queue(shared.config.ws.queue);
    let id = shared.state().feed.subscriptions.add_socket(Box::new(sender));
    let traffic = shared.traffic.as_ref();
    let log = traffic.and_then(|traffic| traffic.open_socket(host, kind, id.number()));
    let log = Record(log);
    let _membership = FeedMembership { shared: Arc::clone(&shared), id, log: log.clone() };
    let connection = Connection {
        shared: Arc::clone(&shared),
        id,
        address: address(host, kind),
        dialect,
        writer,
        queue,
        silent: false,
        log,
    };
    connection.serve(host, reader, max_message).await;
}

/// A connection in the feed, which it leaves when this is dropped, even by a panic.
struct FeedMembership {
    shared: Arc<Shared>,
    id: SocketId,
    log: Record,
}

impl Drop for FeedMembership {
    fn drop(&mut self) {
        self.log.record_closed();
        // After a panic in a change of the state, the sandbox ends.
        if let Some(mut state) = self.shared.intact_state() {
            state.feed.subscriptions.remove_socket(self.id);
        }
    }
}

/// Rejects a connection over the limit. Spot has codes for this; the message of futures is not known.
pub(super) async fn reject(host: Host, upgraded: Upgraded, exceeded: LimitExceeded) {
    let mut writer = Writer::new(TokioIo::new(upgraded));
    if host == Host::Spot {
        writer.add(OpCode::Text, session::spot::limit_exceeded(exceeded).to_string().as_bytes());
    }
    writer.add(OpCode::Close, &POLICY.to_be_bytes());
    // A timeout means that the client does not read.
    let _ = timeout(CLOSE_TIMEOUT, writer.flush()).await;
}

struct Connection {
    shared: Arc<Shared>,
    id: SocketId,
    address: &'static str,
    dialect: Dialect,
    writer: Writer<WriteHalf<Io>>,
    queue: Receiver,
    /// Whether a fault has stopped all writes.
    silent: bool,
    /// Its record for the console.
    log: Record,
}

impl Connection {
    /// Serves until one side ends the connection. A kill or a stop ends it at once, even during a write to a client
    /// that does not read.
    async fn serve(self, host: Host, reader: WebSocketRead<ReadHalf<Io>>, max_message: usize) {
        let mut control = self.shared.control.subscribe();
        let kills = control.borrow().kills;
        let log = self.log.clone();
        tokio::select! {
            () = self.serve_frames(host, reader, max_message) => {}
            () = stopped_or_killed(&mut control, kills) => {
                let is_stop = control.borrow().stop;
                log.record_ending(Direction::Out, None, if is_stop { STOPPED } else { CUT });
            }
        }
    }

    async fn serve_frames(
        mut self,
        host: Host,
        reader: WebSocketRead<ReadHalf<Io>>,
        max_message: usize,
    ) {
        let limits = self.shared.config.ws;
        let pings = Pings::of(host, limits.spot_pings);
        let without_topic = match host {
            Host::Spot => limits.spot_without_topic,
            Host::Futures => limits.futures_without_topic,
        };
        // The stream keeps an incomplete read, so that other branches of the select cannot drop it.
        let mut received = Box::pin(stream::unfold(
            (reader, Fragments::default()),
            |(mut reader, mut part)| async move {
                let next = read(&mut reader, &mut part, MAX_FRAME, max_message).await;
                Some((next, (reader, part)))
            },
        ));
        let mut idle_at = Instant::now() + limits.idle;
        // The first tick is after the period.
        let mut pings_due = interval_at(Instant::now() + limits.futures_ping, limits.futures_ping);
        let mut closed_by_client = false;
        let mut without_topic_at = self.without_topic_since().map(|since| since + without_topic);
        let mut timer = pin!(sleep_until(idle_at));
        loop {
            let close_at = without_topic_at.map_or(idle_at, |at| at.min(idle_at));
            if timer.deadline() != close_at {
                timer.as_mut().reset(close_at);
            }
            let continues = tokio::select! {
                queued = self.queue.receive() => match queued {
                    Some(Queued { after, output }) => {
                        wait_until_stored(&self.shared, &self.log, after).await && self.write(output).await
                    }
                    // The feed has removed this connection, because its queue was full.
                    None => return self.log.record_ending(Direction::Out, None, TOO_SLOW),
                },
                next = received.next() => match next {
                    Some(received) => {
                        if received.keeps_alive(pings) {
                            idle_at = Instant::now() + limits.idle;
                        }
                        closed_by_client = matches!(received, Received::Closed(_));
                        let is_message = matches!(received, Received::Message { .. });
                        let continues = self.on_received(received, pings, max_message).await;
                        // Only messages change it. It is not read for each frame that is sent, because that takes the
                        // lock of the state.
                        if is_message {
                            let since = self.without_topic_since();
                            without_topic_at = since.map(|since| since + without_topic);
                        }
                        continues
                    }
                    None => return,
                },
                () = timer.as_mut() => {
                    let why = if close_at < idle_at {
                        format!("no login and no topic for {} s", without_topic.as_secs_f32())
                    } else {
                        format!("no message for {} s", limits.idle.as_secs_f32())
                    };
                    self.close(GOING_AWAY, "", &why).await
                }
                _ = pings_due.tick(), if host == Host::Futures => {
                    self.record(Direction::Out, FrameKind::Ping, &Bytes::new());
                    self.add_frame(OpCode::Ping, b"");
                    self.writer.flush().await
                }
            };
            if !continues {
                break;
            }
        }
        if closed_by_client {
            // The server ends the connection (RFC 6455, section 7.1.1).
            return;
        }
        // Dropping the connection now would reset it before the client has sent its close frame.
        let closing = async {
            while let Some(received) = received.next().await {
                match received {
                    Received::Closed(payload) => {
                        return self.log.close(Direction::In, &payload);
                    }
                    Received::Malformed | Received::Broken => return,
                    _ => {}
                }
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
        // What is unread is discarded below (`http/tcp`), because unread bytes would reset the connection before the
        // client has read the close frame.
        self.writer.shutdown().await;
    }

    fn without_topic_since(&self) -> Option<Instant> {
        self.shared.state().feed.subscriptions.idle_since(self.id)
    }

    async fn on_received(&mut self, received: Received, pings: Pings, max_message: usize) -> bool {
        match received {
            Received::Message { bytes, is_binary } => {
                self.on_message(&bytes, is_binary);
                true
            }
            Received::Ping(payload) if pings == Pings::Accepted => {
                self.record(Direction::In, FrameKind::Ping, &payload.clone().into());
                self.record(Direction::Out, FrameKind::Pong, &payload.clone().into());
                self.add_frame(OpCode::Pong, &payload);
                self.writer.flush().await
            }
            Received::Ping(payload) => {
                self.log.ignored_ping(&payload.into());
                true
            }
            Received::Pong(payload) => {
                self.record(Direction::In, FrameKind::Pong, &payload.into());
                true
            }
            Received::TooBig(length) => {
                let why = format!("a message over {max_message} bytes");
                self.log.too_big(length, &why);
                self.close(TOO_BIG, "", &why).await
            }
            Received::NotUtf8 => self.close(NOT_UTF_8, "", "a text that is not UTF-8").await,
            Received::Malformed => {
                self.close(PROTOCOL_ERROR, "", "a frame that violates RFC 6455").await
            }
            Received::Closed(payload) => {
                let (code, reason) = close_parts(&payload);
                self.log.record_ending(Direction::In, code, &reason);
                self.log.close(Direction::In, &payload);
                self.close(close_code(&payload).unwrap_or(NORMAL), "", "").await
            }
            Received::Broken => {
                self.log.record_disconnect();
                false
            }
        }
    }

    fn on_message(&mut self, message: &[u8], is_binary: bool) {
        let text = &*String::from_utf8_lossy(message);
        let pong_id = self.shared.trace();
        let mut state = self.shared.state();
        let State { exchange, clock, feed, .. } = &mut *state;
        let (clock, now_ms) = (*clock, clock.now_ms());
        let (keys, id) = (&self.shared.keys, self.id);
        let reasons = Vec::new();
        let mut context =
            SessionContext { feed, exchange, keys, id, clock, now_ms, pong_id, reasons };
        match &mut self.dialect {
            Dialect::Spot(session) => session.on_text(text, Instant::now(), &mut context),
            Dialect::Futures(session) => session.on_text(text, &mut context),
        }
        let reasons = context.reasons;
        let account = feed.subscriptions.account(id);
        drop(state);
        let kind = if is_binary { FrameKind::Binary } else { FrameKind::Text };
        self.log.received(kind, message, account.map(|account| account.0), &reasons);
        for (code, reason) in reasons {
            self.shared.reasons.report(&format!("WebSocket {}", self.address), &code, &reason);
        }
    }

    /// Writes an output together with those that are queued. Returns false if the connection has ended.
    async fn write(&mut self, output: Output) -> bool {
        let mut next = Some(output);
        while let Some(output) = next {
            match output {
                Output::Silent => self.silent = true,
                // Only a kill or a stop ends the connection.
                Output::Unresponsive => {
                    self.writer.flush().await;
                    return pending().await;
                }
                Output::Text(bytes) => {
                    if !self.silent {
                        self.log.sent(&bytes);
                    }
                    self.add_frame(OpCode::Text, &bytes);
                }
                Output::Binary(bytes) => {
                    self.record(Direction::Out, FrameKind::Binary, &bytes);
                    self.add_frame(OpCode::Binary, &bytes);
                }
                Output::Close(code, why) => return self.close(code, "", why).await,
                Output::CloseWithReason(code, reason) => {
                    return self.close(code, &reason, &reason).await;
                }
            }
            if self.writer.is_full() {
                break;
            }
            next = match self.queue.try_receive() {
                Some(Queued { after, output })
                    if wait_until_stored(&self.shared, &self.log, after).await =>
                {
                    Some(output)
                }
                Some(_) => return false,
                None => None,
            };
        }
        let is_open = self.writer.flush().await;
        if !is_open {
            self.log.record_disconnect();
        }
        is_open
    }

    /// Sends a close frame. `why` is for the console. Always returns false, even if the client does not read it.
    async fn close(&mut self, code: u16, reason: &str, why: &str) -> bool {
        self.log.record_ending(Direction::Out, Some(code), why);
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        if !self.silent {
            self.log.close(Direction::Out, &payload);
        }
        self.add_frame(OpCode::Close, &payload);
        self.writer.flush().await;
        false
    }

    /// Records a frame for the console. A silent connection sends none.
    fn record(&self, direction: Direction, kind: FrameKind, payload: &Bytes) {
        if direction == Direction::In || !self.silent {
            self.log.frame(direction, kind, payload);
        }
    }

    fn add_frame(&mut self, code: OpCode, payload: &[u8]) {
        if !self.silent {
            self.writer.add(code, payload);
        }
    }
}

/// Waits until an entry is stored, so that its outcome may be reported. The connection ends if it cannot be stored.
async fn wait_until_stored(shared: &Shared, log: &Record, number: EntryNumber) -> bool {
    let is_stored = shared.wait_for_entry(number).await;
    if !is_stored {
        log.record_ending(Direction::Out, None, NOT_STORED);
    }
    is_stored
}
