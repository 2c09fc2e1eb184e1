//! Helpers for the tests of this crate.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Frame, ScriptedServer};
use crate::assignments::Assignments;
use crate::client::{Client, ClientBuilder};
use crate::dialect::{Access, Limits, Market};
use crate::driver::{Command, LoginFailure};
use crate::queue::Reader;
use crate::session::Session;
use crate::subscription::{DriverHandle, Subscription};
use crate::topic::Topic;

pub(crate) use super::connection::frame;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Creates a server and a client that connects to it, with streams that buffer `buffer` bytes per
/// direction.
pub(crate) fn server_and_client_with(
    buffer: usize,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (ScriptedServer, Client) {
    let server = ScriptedServer::new().buffer(buffer);
    let client = configure(server.client_builder()).build().expect("a client");
    (server, client)
}

pub(crate) fn server_and_client() -> (ScriptedServer, Client) {
    server_and_client_with(1 << 22, |builder| builder)
}

/// Returns the opcode and the payload.
pub(crate) fn parts(frame: Frame) -> (u8, Vec<u8>) {
    (frame.opcode, frame.payload)
}

/// Creates a subscription without a driver. Its commands arrive at the other end of `commands`.
pub(crate) fn subscription<T>(
    topic: Topic<T>,
    reader: Reader<T>,
    commands: mpsc::Sender<Command>,
) -> Subscription<T> {
    let limits = Limits::for_endpoint(Market::Spot, Access::Public);
    let session = Session::new(Market::Spot, Access::Public, limits, 1);
    let assignments = Arc::<Assignments>::default();
    let lease = assignments.assign(&topic.name().into(), 1).expect("below the limit");
    let driver = DriverHandle {
        commands,
        signals: Arc::default(),
        assignments,
        login_failure: LoginFailure::default(),
        receive_tracker: Arc::default(),
        status: watch::channel(session.status()).1,
    };
    Subscription::new(topic, 1, reader, Arc::new(driver), lease)
}

/// Waits in virtual time.
pub(crate) async fn with_timeout<F: Future>(future: F) -> F::Output {
    super::with_timeout("the awaited event", future).await
}
