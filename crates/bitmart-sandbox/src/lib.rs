#![doc = include_str!("../README.md")]

mod auth;
mod clock;
mod config;
mod exchange;
mod fault;
#[allow(
    clippy::wildcard_imports,
    dead_code,
    reason = "the tables hold every fact of the description, more than is needed here"
)]
mod generated;
mod http;
mod keys;
mod markets;
mod sandbox;
mod shared;
mod tls;
mod wire;
mod ws;

pub use rust_decimal::Decimal;

pub use self::{
    config::Config,
    exchange::ledger::{Balance, Book, Fill, Order},
    fault::{Fault, FaultRule},
    keys::{ApiKey, Permission},
    markets::{Contract, SpotPair},
    sandbox::{HostUrls, Sandbox, StartError},
};
