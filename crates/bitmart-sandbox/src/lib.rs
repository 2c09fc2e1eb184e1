#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
mod auth;
mod clock;
mod config;
mod control;
/// The engine and the errors of its wire.
#[allow(clippy::wildcard_imports, reason = "one name for all that is of the engine")]
mod exchange {
    pub(crate) use bitmart_sim::*;

    pub(crate) use crate::refusal;
}
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
mod journal;
mod keys;
mod number;
mod operate;
mod reasons;
mod recording;
mod refusal;
mod sandbox;
mod shared;
mod slots;
mod snapshot;
mod tls;
mod wire;
mod ws;

pub use bitmart_sim::{
    Contract, SpotPair,
    control::{ControlError, WalletKind},
    ledger::{Balance, Book, Fill, Order},
    operator::{NetworkTerms, WithdrawAddress},
};
pub use rust_decimal::Decimal;

pub use self::{
    config::{Config, FundError},
    fault::{Fault, FaultRule},
    keys::{ApiKey, Permission},
    recording::RecordedFrame,
    sandbox::{HostUrls, Link, Sandbox, StartError},
    snapshot::{Snapshot, SnapshotError},
};
