//! One WebSocket connection: reading, writing, and the clocks that close it.

use std::{future::pending, sync::Arc, time::Duration};

use fastwebsockets::{OpCode, Role, WebSocketError, WebSocketRead, after_handshake_split};
use futures_util::{StreamExt, stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{ReadHalf, WriteHalf},
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    feed::{Out, Queued, SocketId},
    futures,
    room::{Crowded, Place},
    spot::{self, Desk},
    writer::Writer,
};
use crate::{
    generated::Host,
    shared::{Shared, State, cut},
};

/// How long the client has for its half of a closing handshake.
const LINGER: Duration = Duration::from_secs(1);
/// Largest frame that is read at all.
const FRAME: usize = 64 << 10;
const NORMAL: u16 = 1000;
const TOO_BIG: u16 = 1009;
const GOING_AWAY: u16 = 1001;
const POLICY: u16 = 1008;

type Io = TokioIo<Upgraded>;

/// A whole message of the client, or why there is none.
#[derive(Debug)]
enum Heard {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    /// With the code of the client, if it gave one that may be sent back.
    Closed(Option<u16>),
    TooBig,
    Broken,
}

/// Whether protocol pings are answered and count as life, as RFC 6455 asks, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pings {
    Answered,
    Ignored,
}

impl Pings {
    /// The switch is about spot: futures answer in any case, as observed.
    fn of(host: Host, spot_answers: bool) -> Self {
        if host == Host::Spot && !spot_answers { Self::Ignored } else { Self::Answered }
    }
}

impl Heard {
    /// Whether the client counts as alive because of it. A pong that nobody asked for is a heartbeat,
    /// too (RFC 6455, section 5.5.3).
    fn keeps_alive(&self, pings: Pings) -> bool {
        match self {
            Self::Message(_) => true,
            Self::Ping(_) | Self::Pong => pings == Pings::Answered,
            Self::Closed(_) | Self::TooBig | Self::Broken => false,
        }
    }
}

enum Dialect {
    Spot(spot::Session),
    Futures(futures::Session),
}

/// Serves a connection until one side ends it.
/// Gives its place back at the end.
pub(super) async fn run(
    shared: Arc<Shared>,
    host: Host,
    private: bool,
    upgraded: Upgraded,
    _place: Option<Place>,
) {
    let (read, write) = tokio::io::split(TokioIo::new(upgraded));
    let writer = Writer::new(write);
    // Its own writer sends one frame at a time: it gets nothing to write.
    let (mut reader, _) = after_handshake_split(read, tokio::io::sink(), Role::Server);
    reader.set_auto_close(false);
    reader.set_auto_pong(false);
    let (dialect, message) = match host {
        Host::Spot => {
            let limited = shared.config.rate_limits;
            (Dialect::Spot(spot::Session::new(private, limited)), spot::MESSAGE)
        }
        Host::Futures => (Dialect::Futures(futures::Session::new(private)), futures::MESSAGE),
    };
    // Above the venue's own limit, so that a message over it is read to its end and refused in order.
    reader.set_max_message_size(FRAME);
    let (sender, queue) = mpsc::channel(shared.config.ws.queue);
    let id = shared.state().feed.join(sender);
    let connection = Connection {
        shared: Arc::clone(&shared),
        id,
        address: super::address(host, private),
        dialect,
        writer,
        queue,
        silent: false,
    };
    connection.serve(host, reader, message).await;
    shared.state().feed.leave(id);
}

/// Says why there is no room, and closes. Spot has codes for it; what futures says is not known.
pub(super) async fn turn_away(host: Host, upgraded: Upgraded, crowded: Crowded) {
    let mut writer = Writer::new(TokioIo::new(upgraded));
    if host == Host::Spot {
        writer.add(OpCode::Text, spot::turned_away(crowded).to_string().as_bytes());
    }
    writer.add(OpCode::Close, &POLICY.to_be_bytes());
    // A client that does not listen is turned away as well.
    let _ = timeout(LINGER, writer.flush()).await;
}

struct Connection {
    shared: Arc<Shared>,
    id: SocketId,
    address: &'static str,
    dialect: Dialect,
    writer: Writer<WriteHalf<Io>>,
    queue: mpsc::Receiver<Queued>,
    /// A fault: nothing is written any more.
    silent: bool,
}

impl Connection {
    /// Talks until one side ends it. A kill or a stop ends it at once, even in the middle of a write
    /// to a client that does not read.
    async fn serve(self, host: Host, reader: WebSocketRead<ReadHalf<Io>>, message: usize) {
        let mut control = self.shared.control.subscribe();
        let kills = control.borrow().kills;
        tokio::select! {
            () = self.talk(host, reader, message) => {}
            () = cut(&mut control, kills) => {}
        }
    }

    async fn talk(mut self, host: Host, reader: WebSocketRead<ReadHalf<Io>>, message: usize) {
        let manners = self.shared.config.ws;
        let pings = Pings::of(host, manners.spot_pings);
        let without_topic = match host {
            Host::Spot => manners.spot_without_topic,
            Host::Futures => manners.futures_without_topic,
        };
        // A read that is half done lives inside the stream, so that no branch below can drop it.
        let mut heard =
            Box::pin(stream::unfold((reader, Vec::new()), |(mut reader, mut part)| async move {
                let next = hear(&mut reader, &mut part, message).await;
                Some((next, (reader, part)))
            }));
        let mut idle_at = Instant::now() + manners.idle;
        loop {
            let lonely_at = self.lonely_since().map(|since| since + without_topic);
            let close_at = lonely_at.map_or(idle_at, |lonely_at| lonely_at.min(idle_at));
            let goes_on = tokio::select! {
                out = self.queue.recv() => match out {
                    Some(Queued { after, out }) => {
                        self.shared.stored(after).await && self.write(out).await
                    }
                    // The feed dropped this socket because its queue was full.
                    None => return,
                },
                next = heard.next() => match next {
                    Some(heard) => {
                        if heard.keeps_alive(pings) {
                            idle_at = Instant::now() + manners.idle;
                        }
                        self.on_heard(heard, pings).await
                    }
                    None => return,
                },
                () = tokio::time::sleep_until(close_at) => {
                    self.write(Out::Close(GOING_AWAY)).await
                }
            };
            if !goes_on {
                break;
            }
        }
        // Closing at once would reset the connection while the client still answers the close.
        let goodbye = async {
            while let Some(heard) = heard.next().await {
                if matches!(heard, Heard::Closed(_) | Heard::Broken) {
                    return;
                }
            }
        };
        let _ = timeout(LINGER, goodbye).await;
    }

    fn lonely_since(&self) -> Option<Instant> {
        self.shared.state().feed.lonely_since(self.id)
    }

    async fn on_heard(&mut self, heard: Heard, pings: Pings) -> bool {
        match heard {
            Heard::Message(text) => {
                self.on_text(&String::from_utf8_lossy(&text));
                true
            }
            Heard::Ping(payload) if pings == Pings::Answered => {
                self.add(OpCode::Pong, &payload);
                self.writer.flush().await
            }
            Heard::Ping(_) | Heard::Pong => true,
            Heard::TooBig => self.write(Out::Close(TOO_BIG)).await,
            Heard::Closed(code) => self.write(Out::Close(code.unwrap_or(NORMAL))).await,
            Heard::Broken => false,
        }
    }

    fn on_text(&mut self, text: &str) {
        let trace = self.shared.trace();
        let mut state = self.shared.state();
        let State { exchange, clock, feed, .. } = &mut *state;
        let (clock, now_ms) = (*clock, clock.now_ms());
        let (keys, id) = (&self.shared.keys, self.id);
        let reasons = Vec::new();
        let mut desk = Desk { feed, exchange, keys, id, clock, now_ms, trace, reasons };
        match &mut self.dialect {
            Dialect::Spot(session) => session.on_text(text, Instant::now(), &mut desk),
            Dialect::Futures(session) => session.on_text(text, &mut desk),
        }
        let reasons = desk.reasons;
        drop(state);
        for (code, why) in reasons {
            self.shared.reasons.tell(&format!("WebSocket {}", self.address), &code, &why);
        }
    }

    /// Writes one thing, and with it what waits behind it; false when the connection is over.
    async fn write(&mut self, out: Out) -> bool {
        let mut next = Some(out);
        while let Some(out) = next {
            match out {
                Out::Silence => self.silent = true,
                // Only a kill or a stop ends it.
                Out::Absence => {
                    self.writer.flush().await;
                    return pending().await;
                }
                Out::Text(bytes) => self.add(OpCode::Text, &bytes),
                Out::Binary(bytes) => self.add(OpCode::Binary, &bytes),
                Out::Close(code) => return self.close(code, "").await,
                Out::CloseBecause(code, why) => return self.close(code, &why).await,
            }
            if self.writer.is_full() {
                break;
            }
            next = match self.queue.try_recv() {
                Ok(Queued { after, out }) if self.shared.stored(after).await => Some(out),
                Ok(_) => return false,
                Err(_) => None,
            };
        }
        self.writer.flush().await
    }

    /// The connection ends whether or not the client still listens.
    async fn close(&mut self, code: u16, why: &str) -> bool {
        self.add(OpCode::Close, &[&code.to_be_bytes(), why.as_bytes()].concat());
        self.writer.flush().await;
        false
    }

    fn add(&mut self, code: OpCode, payload: &[u8]) {
        if !self.silent {
            self.writer.add(code, payload);
        }
    }
}

/// Reads one whole message, put together from its fragments. `part` holds what came before a control
/// frame in between.
async fn hear(reader: &mut WebSocketRead<ReadHalf<Io>>, part: &mut Vec<u8>, most: usize) -> Heard {
    loop {
        let frame = match reader.read_frame::<_, WebSocketError>(&mut |_| async { Ok(()) }).await {
            Ok(frame) => frame,
            Err(WebSocketError::FrameTooLarge) => return Heard::TooBig,
            Err(_) => return Heard::Broken,
        };
        match frame.opcode {
            OpCode::Close => return Heard::Closed(close_code(&frame.payload)),
            OpCode::Ping => return Heard::Ping(frame.payload.to_vec()),
            OpCode::Pong => return Heard::Pong,
            OpCode::Text | OpCode::Binary | OpCode::Continuation => {}
        }
        part.extend_from_slice(&frame.payload);
        if part.len() > most {
            return Heard::TooBig;
        }
        if frame.fin {
            return Heard::Message(std::mem::take(part));
        }
    }
}

/// The code of a close frame, when it is one that a frame may carry (RFC 6455, section 7.4).
fn close_code(payload: &[u8]) -> Option<u16> {
    let code = u16::from_be_bytes(*payload.first_chunk()?);
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_and_pongs_are_life_unless_spot_is_told_to_ignore_them() {
        let message = || Heard::Message(b"ping".to_vec());
        for heard in [Heard::Ping(Vec::new()), Heard::Pong] {
            for (host, spot_answers, alive) in [
                (Host::Spot, true, true),
                (Host::Spot, false, false),
                (Host::Futures, true, true),
                (Host::Futures, false, true),
            ] {
                let pings = Pings::of(host, spot_answers);
                assert_eq!(heard.keeps_alive(pings), alive, "{heard:?} {host:?} {spot_answers}");
                assert!(message().keeps_alive(pings));
            }
        }
        for heard in [Heard::Closed(None), Heard::TooBig, Heard::Broken] {
            assert!(!heard.keeps_alive(Pings::Answered), "{heard:?}");
        }
    }

    #[test]
    fn only_codes_that_a_frame_may_carry_are_sent_back() {
        let sent = |code: u16| close_code(&[&code.to_be_bytes()[..], b"bye"].concat());
        for code in [1000, 1001, 1011, 3000, 4999] {
            assert_eq!(sent(code), Some(code));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(sent(code), None, "{code}");
        }
        assert_eq!((close_code(b""), close_code(b"x")), (None, None));
    }
}
