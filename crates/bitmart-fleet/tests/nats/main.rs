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
#[cfg(feature = "redis")]
#[path = "../support/judge.rs"]
mod judge;
mod kills;
#[cfg(target_os = "linux")]
mod namespaces;
mod pacing;
mod partitions;
#[expect(dead_code, reason = "tests of budgets use more of it")]
#[path = "../support/proxy.rs"]
mod proxy;
#[cfg(feature = "redis")]
#[expect(dead_code, reason = "tests of budgets use more of it")]
#[path = "../support/redis.rs"]
mod redis_server;
mod same_events;
mod server;
mod subscribing;
mod topics;
#[cfg(all(feature = "redis", feature = "account"))]
mod trading;
