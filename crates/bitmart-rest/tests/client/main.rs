//! The client against servers and transports that misbehave.
#![cfg(feature = "client")]
// Helper functions of tests may unwrap, too.
#![allow(clippy::unwrap_used)]

mod clock;
mod connection_pool;
mod custom_streams;
mod dead_man;
mod deadline;
mod detailed;
mod drift;
mod durations;
mod encoding;
mod endpoints;
mod extra_responses;
mod history;
#[cfg(feature = "http2")]
mod http2;
mod in_memory;
mod limits;
mod mock;
mod proxy_pages;
mod reconcile;
mod recv_window;
mod request_bytes;
mod retry;
mod secrets;
mod server;
mod testing;
mod tls;
mod tower_service;
mod unknown_outcome;
