//! What only the tests of this crate need.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Frame, ScriptedServer};
use crate::client::{Client, ClientBuilder};
use crate::dialect::{Access, Dialect, Limits};
use crate::driver::{Command, Refusal};
use crate::queue::Reader;
use crate::roster::Roster;
use crate::session::{Pace, Session};
use crate::subscription::{Handle, Subscription};
use crate::topic::Topic;

pub(crate) use super::connection::frame;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A server and a client that knows no other. Streams hold `buffer` bytes per direction.
pub(crate) fn venue_with(
    buffer: usize,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (ScriptedServer, Client) {
    let server = ScriptedServer::new().buffer(buffer);
    let client = configure(server.client_builder()).build().expect("a client");
    (server, client)
}

/// Opcode and payload.
pub(crate) fn parts(frame: Frame) -> (u8, Vec<u8>) {
    (frame.opcode, frame.payload)
}

pub(crate) fn venue() -> (ScriptedServer, Client) {
    venue_with(1 << 22, |builder| builder)
}

/// A subscription without a driver: what it asks for comes out at the other end of `commands`.
pub(crate) fn subscription<T>(
    topic: Topic<T>,
    reader: Reader<T>,
    commands: mpsc::Sender<Command>,
) -> Subscription<T> {
    let limits = Limits::of(Dialect::Spot, Access::Public);
    let pace = Pace::new(&limits, 1);
    let session = Session::resume(Dialect::Spot, Access::Public, limits, pace);
    let roster = Arc::<Roster>::default();
    let seat = roster.open(&topic.name().into(), 1).expect("room");
    let handle = Handle {
        commands,
        signals: Arc::default(),
        roster,
        refusal: Refusal::default(),
        heard: Arc::default(),
        status: watch::channel(session.status()).1,
    };
    Subscription::new(topic, 1, reader, handle, seat)
}

/// Waits in virtual time.
pub(crate) async fn patient<F: Future>(future: F) -> F::Output {
    super::patient("what was waited for", future).await
}
