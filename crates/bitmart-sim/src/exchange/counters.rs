//! The numbers of orders, trades and rows.

use serde::{Deserialize, Serialize};

use crate::OrderId;

// The numbers from which those of a new exchange count on, with as many digits as those of BitMart.
const FIRST_SPOT_ORDER: u64 = 118_100_034_543_000_000;
const FIRST_FUTURES_ORDER: u64 = 220_609_666_000_000;
const FIRST_SPOT_TRADE: u64 = 125_277_182_593_000_000;
const FIRST_FUTURES_TRADE: u64 = 1_409_000_000;
const FIRST_TRANSACTION: u64 = 9_689_000_000;
const FIRST_PAYMENT: u64 = 1_679_000;
const FIRST_LOAN: u64 = 133_000;
const FIRST_TRANSFER: u64 = 664_651_258_694_000_000;

/// The latest number of each kind. A number is given once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counters {
    spot_order: u64,
    futures_order: u64,
    spot_trade: u64,
    futures_trade: u64,
    #[serde(rename = "flow")]
    transaction: u64,
    #[serde(rename = "funding")]
    payment: u64,
    transfer: u64,
    loan: u64,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            spot_order: FIRST_SPOT_ORDER,
            futures_order: FIRST_FUTURES_ORDER,
            spot_trade: FIRST_SPOT_TRADE,
            futures_trade: FIRST_FUTURES_TRADE,
            transaction: FIRST_TRANSACTION,
            payment: FIRST_PAYMENT,
            transfer: FIRST_TRANSFER,
            loan: FIRST_LOAN,
        }
    }

    /// Returns all numbers, in the order of the fingerprint.
    pub(crate) fn all(&self) -> [u64; 8] {
        let Self {
            spot_order,
            futures_order,
            spot_trade,
            futures_trade,
            transaction,
            payment,
            transfer,
            loan,
        } = *self;
        [spot_order, futures_order, spot_trade, futures_trade, transaction, payment, transfer, loan]
    }

    /// Returns the latest number of a spot order or algo order.
    pub(crate) fn last_spot_order(&self) -> u64 {
        self.spot_order
    }

    /// Returns the latest number of a futures order or plan order.
    pub(crate) fn last_futures_order(&self) -> u64 {
        self.futures_order
    }

    /// Returns the latest number of a futures trade.
    pub(crate) fn last_futures_trade(&self) -> u64 {
        self.futures_trade
    }

    /// Returns the number of a new spot order or algo order.
    pub(crate) fn next_spot_order(&mut self) -> OrderId {
        OrderId(next_number(&mut self.spot_order))
    }

    /// Returns the number of a new futures order or plan order.
    pub(crate) fn next_futures_order(&mut self) -> OrderId {
        OrderId(next_number(&mut self.futures_order))
    }

    pub(crate) fn next_spot_trade(&mut self) -> u64 {
        next_number(&mut self.spot_trade)
    }

    pub(crate) fn next_futures_trade(&mut self) -> u64 {
        next_number(&mut self.futures_trade)
    }

    pub(crate) fn next_transaction(&mut self) -> u64 {
        next_number(&mut self.transaction)
    }

    /// Returns the number of a new deposit or withdrawal.
    pub(crate) fn next_payment(&mut self) -> u64 {
        next_number(&mut self.payment)
    }

    pub(crate) fn next_transfer(&mut self) -> u64 {
        next_number(&mut self.transfer)
    }

    /// Returns the number of a new loan or repayment.
    pub(crate) fn next_loan(&mut self) -> u64 {
        next_number(&mut self.loan)
    }
}

/// Increments a counter and returns it.
fn next_number(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}
