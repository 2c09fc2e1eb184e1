//! Collectors and readers over a real NATS server, with a sandbox as the exchange.
//!
//! They need the program `nats-server`, so they are ignored unless requested: `cargo xtask test fleet` runs them if it
//! is there.
#![cfg(unix)]

#[cfg(feature = "account")]
mod account;
mod books;
mod common;
mod failover;
mod fencing;
mod history;
mod ids;
mod same_events;
mod server;
mod subscribing;
mod topics;
