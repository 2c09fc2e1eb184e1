#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::exhaustive_enums,
    reason = "a new command, rejection or event must fail to compile where all of them are mapped"
)]

pub mod account;
pub mod affiliate;
pub mod backtest;
pub mod book;
pub mod candle_history;
pub mod command;
#[cfg(test)]
mod conservation;
mod consistency;
pub mod control;
mod event;
mod exchange;
mod fingerprint;
pub mod futures;
pub mod futures_order;
pub mod kept_rows;
pub mod ledger;
pub mod margin;
mod market_maker;
#[cfg(test)]
mod market_statistics;
mod markets;
pub mod operator;
mod order_flow;
pub mod order_map;
mod pages;
pub mod payment;
pub mod position;
pub mod reject;
pub mod report;
mod request_numbers;
pub mod rng;
mod row_log;
mod rows;
pub mod rules;
pub mod savings;
mod schedule;
pub mod setup;
mod slab;
pub mod spot;
pub mod spot_order;
pub mod tape;
#[cfg(test)]
mod tests;
pub mod transfer;
pub mod trigger;

pub use rust_decimal::Decimal;

pub use self::{
    backtest::Backtest,
    command::{
        Command, FuturesRequest, OperatorCommand, Outcome, Request, SpotRequest, WalletRequest,
    },
    consistency::Inconsistent,
    event::{BalanceReason, Event, FuturesAction},
    exchange::*,
    markets::{Contract, SpotPair},
    reject::Reject,
    setup::Setup,
    spot::{SpotMarket, SpotRules},
};
