#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
mod auth;
mod clock;
mod config;
mod control;
mod exchange;
mod fault;
#[allow(
    clippy::wildcard_imports,
    dead_code,
    reason = "the tables hold every fact of the description, more than is needed here"
)]
mod generated;
mod guard;
mod hints;
mod http;
mod input;
mod journal;
mod keys;
mod markets;
mod number;
pub mod operator;
mod reasons;
mod recording;
mod sandbox;
mod shared;
mod slots;
mod snapshot;
mod tls;
mod wire;
mod ws;

pub use rust_decimal::Decimal;

pub use self::{
    config::{Config, FundError},
    exchange::{
        control::WalletKind,
        ledger::{Balance, Book, Fill, Order},
        operator::{NetworkTerms, WithdrawAddress},
    },
    fault::{Fault, FaultRule},
    keys::{ApiKey, Permission},
    markets::{Contract, SpotPair},
    operator::{Operator, OperatorError},
    recording::RecordedFrame,
    sandbox::{HostUrls, Sandbox, StartError},
    snapshot::{Snapshot, SnapshotError},
};
