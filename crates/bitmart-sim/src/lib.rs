#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::exhaustive_enums,
    reason = "who maps commands, rejections and events is to be told by the compiler of a new one"
)]

pub mod account;
mod agenda;
pub mod backtest;
pub mod book;
pub mod command;
#[cfg(test)]
mod conservation;
pub mod control;
pub mod customers;
pub mod earn;
mod exchange;
mod flow;
pub mod funding;
pub mod futures;
pub mod futures_order;
pub mod history;
pub mod ledger;
mod maker;
pub mod margin;
mod margin_call;
mod mark;
#[cfg(test)]
mod market_statistics;
mod markets;
pub mod operator;
pub mod order;
pub mod order_map;
mod places;
pub mod position;
pub mod reject;
pub mod report;
pub mod rng;
mod rows;
pub mod rules;
pub mod setup;
mod slab;
pub mod spot;
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
    exchange::*,
    markets::{Contract, SpotPair},
    reject::Reject,
    setup::Setup,
    spot::{SpotMarket, SpotRules},
};
