//! Funding of contracts: at 00:00, 08:00 and 16:00 UTC, with a positive rate long positions pay and short ones receive,
//! with a negative rate the other way round. Customers pay the exchange and are paid by it, not each other.
//!
//! The rate is the average premium of the mark price over the index since the last settlement, moved towards the
//! interest rate of 0.01 % by at most 0.05 %. BitMart documents the limits of a rate (sample of endpoint funding-rate)
//! and the interval, but no formula; this is the common one.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{MarkPrice, transactions::TransactionKind};
use crate::{
    AccountId, Event, Exchange, MAKER,
    account::WalletKind,
    ledger::HouseBook,
    position::{Position, PositionSide},
    round_down,
    schedule::Task,
};

// Rule: Funding is settled at 00:00, 08:00 and 16:00 UTC. Source: documented (the interval of endpoint
// futures_contracts, and 08:00 in the sample of endpoint futures_funding_rate); simplified (the sample of endpoint
// futures_funding_rate_history has 05:00)
/// Time between two settlements.
pub const INTERVAL_MS: u64 = 8 * 3_600_000;
// Rule: A funding rate is at most 3.75 % either way. Source: documented (one of two samples, endpoint
// futures_funding_rate, the other has 0.3 %)
/// Largest absolute value of a rate.
pub const MAX_FUNDING_RATE: Decimal = Decimal::from_parts(375, 0, 0, false, 4);
// Rule: The rate is the average premium, moved towards 0.01 % by at most 0.05 %. Source: simplified (no formula
// is published; this is the common one)
/// Interest rate of one interval.
const INTEREST: Decimal = Decimal::from_parts(1, 0, 0, false, 4);
/// How far the interest rate may move the rate away from the premium.
const MAX_INTEREST_EFFECT: Decimal = Decimal::from_parts(5, 0, 0, false, 4);
// Rule: The last 100 settlements are kept, and those before the start are 0.01 % each. Source: invented (no
// source says how far the history goes)
/// Settlements that are kept.
const KEPT_SETTLEMENTS: usize = 100;

/// Returns the time of the next settlement, in milliseconds since 1970.
pub fn next_funding_ms(now_ms: u64) -> u64 {
    (now_ms / INTERVAL_MS + 1).saturating_mul(INTERVAL_MS)
}

/// The funding rates of one contract.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FundingRates {
    /// Sum of the premiums at each second since the last settlement.
    premium: Decimal,
    seconds: u64,
    /// Time and rate of the latest settlements, newest first.
    past: VecDeque<(u64, Decimal)>,
}

impl FundingRates {
    /// Fills the history with rates of 0.01 %.
    pub(super) fn open(&mut self, now_ms: u64) {
        let last = now_ms / INTERVAL_MS;
        let rows = (0..KEPT_SETTLEMENTS as u64)
            .map(|back| (last.saturating_sub(back) * INTERVAL_MS, INTEREST));
        self.past = rows.collect();
    }

    /// Adds the current premium for a number of seconds.
    pub(super) fn add_premium(&mut self, mark: &MarkPrice, seconds: u64) {
        let premium = (mark.price() - mark.index()).checked_div(mark.index()).unwrap_or_default();
        let sum = round_down(premium).saturating_mul(Decimal::from(seconds));
        self.premium = self.premium.saturating_add(sum);
        self.seconds += seconds;
    }

    /// Returns the rate of the last settlement.
    pub fn last(&self) -> Decimal {
        self.past.front().map_or(INTEREST, |row| row.1)
    }

    /// Returns the rate of the next settlement, if the average premium stays unchanged.
    pub fn expected(&self) -> Decimal {
        let premium = self.premium.checked_div(Decimal::from(self.seconds)).unwrap_or_default();
        let rate = premium + (INTEREST - premium).clamp(-MAX_INTEREST_EFFECT, MAX_INTEREST_EFFECT);
        round_down(rate.clamp(-MAX_FUNDING_RATE, MAX_FUNDING_RATE))
    }

    /// Returns time and rate of the kept settlements, newest first.
    pub fn past(&self) -> impl Iterator<Item = (u64, Decimal)> {
        self.past.iter().copied()
    }

    fn settle(&mut self, at_ms: u64) -> Decimal {
        let rate = self.expected();
        self.past.push_front((at_ms, rate));
        self.past.truncate(KEPT_SETTLEMENTS);
        (self.premium, self.seconds) = (Decimal::ZERO, 0);
        rate
    }
}

impl Exchange {
    /// Settles the funding of all contracts, and schedules the next settlement.
    pub(crate) fn settle_funding(&mut self, at_ms: u64) {
        self.schedule.add(next_funding_ms(at_ms), Task::FundingRates);
        let symbols: Vec<SmolStr> = self.futures.keys().cloned().collect();
        for symbol in symbols {
            let Some(market) = self.futures.get_mut(&symbol) else { continue };
            let rate = market.funding_rates.settle(at_ms);
            for (account, side, amount) in self.funding_payments(&symbol, rate) {
                self.pay_funding(account, &symbol, side, amount, at_ms);
            }
        }
        self.liquidate(at_ms);
    }

    /// Returns the funding payment of each open position of a contract; a negative payment is received.
    fn funding_payments(
        &self,
        symbol: &SmolStr,
        rate: Decimal,
    ) -> Vec<(AccountId, PositionSide, Decimal)> {
        let Some(market) = self.futures.get(symbol) else { return Vec::new() };
        let customers = self.accounts.values().filter(|account| !account.house);
        let open = customers.flat_map(|account| {
            let open = account.open_positions().filter(|row| row.0 == symbol);
            open.map(|(_, side, position)| (account.id, side, position))
        });
        let payment = |(account, side, position): (AccountId, PositionSide, &Position)| {
            let amount = round_down(market.value(position.size, market.mark_price()) * rate);
            (account, side, if side.is_long() { amount } else { -amount })
        };
        open.map(payment).collect()
    }

    // Rule: An isolated position pays funding from its margin, a cross one from the wallet; the exchange is the
    // counterparty. Source: simplified (customers pay the exchange and not each other)
    /// Makes one payment. An isolated position pays from its margin, a cross position from the wallet. The
    /// counterparty is the market maker's account, which holds the opposite of all customer positions.
    fn pay_funding(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        side: PositionSide,
        amount: Decimal,
        at_ms: u64,
    ) {
        let Some(quote) = self.futures.get(symbol).map(|market| market.rules.quote.clone()) else {
            return;
        };
        let counterparty = self.ensure_wallet(MAKER, WalletKind::Futures, &quote).available();
        let wallet = self.ensure_wallet(account, WalletKind::Futures, &quote).available();
        let position = self.account_mut(account).position_mut(symbol, side);
        let (isolated, margin) = (position.margin_type.is_isolated(), position.margin);
        let payer = margin.filter(|_| isolated).unwrap_or(wallet);
        let paid = if isolated { amount.min(self.ledger.amount(payer)) } else { amount };
        self.ledger.post(payer, counterparty, paid);
        self.ledger.pay_from_house(HouseBook::Insurance, counterparty, amount - paid);
        let symbol_and_currency = (symbol.clone(), quote.clone());
        self.record_transaction(
            account,
            TransactionKind::Funding,
            symbol_and_currency,
            -paid,
            at_ms,
        );
        self.events.push(Event::FuturesAsset { account, currency: quote });
        self.report_position(account, symbol, side);
    }
}
