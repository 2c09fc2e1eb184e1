#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod admin;
mod auth;
mod clock;
mod config;
mod connection_limiter;
#[cfg(feature = "console")]
mod console;
mod control;
mod fault;
mod feed;
#[allow(
    clippy::wildcard_imports,
    clippy::enum_variant_names,
    dead_code,
    reason = "the tables contain every fact of the description, also unused ones"
)]
mod generated;
mod guard;
mod hints;
mod http;
mod journal;
mod keys;
mod long_numbers;
pub mod operator;
mod rate_limits;
mod reasons;
mod recording;
mod recovery;
mod retired;
mod sandbox;
mod saved;
#[cfg(feature = "console")]
mod scenario;
mod shared;
mod shutdown;
mod slots;
mod snapshot;
mod state;
mod tls;
#[cfg_attr(
    not(feature = "console"),
    allow(dead_code, reason = "only the console reads the records")
)]
mod traffic;
mod wire;
mod ws;

pub use bitmart_sim::{
    Contract, SpotPair,
    account::WalletKind,
    operator::{LeverageBracket, NetworkTerms, OpenPayments, WithdrawAddress},
    report::{Balance, Book, Fill, Order},
};
pub use rust_decimal::Decimal;

#[cfg(feature = "console")]
pub use self::scenario::{Scenario, ScenarioError, Step};
pub use self::{
    config::{Config, StartingBalancesError},
    fault::{Fault, FaultRule},
    keys::{ApiKey, Permission},
    operator::{Operator, OperatorError},
    recording::RecordedFrame,
    sandbox::{HostUrls, Link, Sandbox, StartError},
    snapshot::{Snapshot, SnapshotError},
};
