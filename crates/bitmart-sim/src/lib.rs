//! A simulated exchange as a pure library: accounts, order books, spot and futures trading, margin, savings, trigger
//! orders, funding and liquidation. Commands and the time go in; outcomes and events come out. It reads no clock, opens
//! no socket and needs no runtime. The same setup, commands and times give the same ledger.
//!
//! It is the exchange inside [`bitmart-sandbox`](https://docs.rs/bitmart-sandbox), which serves BitMart's API. Use the
//! sandbox to test a client or to run a finished bot, and this crate to test a strategy, as fast as it computes.
//!
//! ```
//! use bitmart_sim::account::WalletKind;
//! use bitmart_sim::spot_order::NewSpotOrder;
//! use bitmart_sim::tape::Candle;
//! use bitmart_sim::{AccountId, Backtest, Decimal, Setup, SpotRequest};
//!
//! let me = AccountId(1);
//! let setup = Setup::new().account(me).spot_balance("USDT", Decimal::from(1_000));
//! let start_ms = 1_700_000_040_000;
//! let minute = move |number: u64| Candle::flat(start_ms + number * 60_000, Decimal::from(60_000));
//! let history = (0..3).map(minute);
//! let mut backtest = Backtest::new(&setup, start_ms).candles("BTC_USDT", history)?;
//! backtest.step();
//! let order = NewSpotOrder::market_buy("BTC_USDT", Decimal::from(500));
//! backtest.apply(me, SpotRequest::Place(order))?;
//! let wallet = backtest.exchange().wallet(me, WalletKind::Spot, "BTC");
//! assert!(wallet.available > Decimal::ZERO);
//! # Ok::<(), bitmart_sim::Reject>(())
//! ```
//!
//! # Parts
//!
//! - [`Setup`]: seed, markets, accounts and starting balances. [`Exchange::new`] creates an exchange from it.
//! - [`Command`]: everything that changes an exchange; [`SpotRequest`], [`FuturesRequest`] and [`WalletRequest`] are
//!   requests of customers, [`OperatorCommand`] is a command of the operator. Commands can be stored and applied again.
//! - [`Exchange::apply`]: applies a command at a time and returns an [`Outcome`] or a [`Reject`], which names the
//!   broken rule and the values that broke it.
//! - [`Event`]: what happened to orders, trades, balances and positions. [`Exchange::take_events`] returns them in
//!   order.
//! - [`Backtest`]: an exchange whose prices come from candles; [`backtest`] describes what happens within a candle.
//!   Otherwise simulated makers and takers trade with each other and with customers, one step with every
//!   [`Command::StepMarket`].
//! - [`rules`]: what a request must be like, with the source of each rule. Every rule is documented by BitMart,
//!   captured from BitMart, simplified or invented;
//!   [docs/rules.md](https://github.com/bitmart-rs/bitmart/blob/main/docs/rules.md) lists them.

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

/// Compiles the code blocks of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
