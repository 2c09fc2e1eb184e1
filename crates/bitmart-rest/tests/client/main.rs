//! The client against servers and transports that misbehave.
#![cfg(feature = "client")]
// Helpers outside of test functions may unwrap as well.
#![allow(clippy::unwrap_used)]

mod bridge;
mod clock;
mod dead_man;
mod deadline;
mod detailed;
mod drift;
mod encoding;
mod endpoint;
mod history;
#[cfg(feature = "http2")]
mod http2;
mod limits;
mod mock;
mod pages;
mod pool;
mod reconcile;
mod recv_window;
mod retry;
mod secrets;
mod server;
mod streams;
mod surplus;
mod tls;
mod toolkit;
mod unknown;
mod wire;
