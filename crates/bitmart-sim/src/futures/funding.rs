//! Funding of contracts: at 00:00, 08:00 and 16:00 UTC one side pays the other.
//!
//! The rate is the average premium of the mark price over the index since the last settlement, plus what
//! is missing to the interest of 0.01 %, of which at most 0.05 % counts. BitMart publishes the limits of a
//! rate (sample of endpoint funding-rate) and the interval, not the formula; this one is the common one.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Mark, flows::FlowKind};
use crate::{AccountId, Event, Exchange, MAKER, account::Purse, agenda::Due, cut, ledger::House};

// Rule: Funding is settled at 00:00, 08:00 and 16:00 UTC. Source: documented (the interval of endpoint
// futures_contracts, and 08:00 in the sample of endpoint futures_funding_rate); simplified (the sample of endpoint
// futures_funding_rate_history has 05:00)
/// Time between two settlements.
pub const INTERVAL_MS: u64 = 8 * 3_600_000;
// Rule: A funding rate is at most 3.75 % either way. Source: documented (one of two samples, endpoint
// futures_funding_rate, the other has 0.3 %)
/// Most that a rate can be, either way.
pub const LIMIT: Decimal = Decimal::from_parts(375, 0, 0, false, 4);
// Rule: The rate is the average premium, moved towards 0.01 % by at most 0.05 %. Source: simplified (no formula
// is published; this is the common one)
/// Interest of one interval, and how much the rate may be off the premium for it.
const INTEREST: Decimal = Decimal::from_parts(1, 0, 0, false, 4);
const OFF: Decimal = Decimal::from_parts(5, 0, 0, false, 4);
// Rule: The last 100 settlements are kept, and those before the start are 0.01 % each. Source: invented (no
// source says how far the history goes)
/// Settlements that are remembered.
const HISTORY: usize = 100;

/// When the next settlement after this time is.
pub fn next_funding_ms(now_ms: u64) -> u64 {
    (now_ms / INTERVAL_MS + 1) * INTERVAL_MS
}

/// The funding of one contract.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Rates {
    /// Premiums of the seconds since the last settlement.
    premium: Decimal,
    seconds: u64,
    /// Time and rate of the latest settlements, newest first.
    past: VecDeque<(u64, Decimal)>,
}

impl Rates {
    /// Makes up a past of plain interest.
    pub(super) fn open(&mut self, now_ms: u64) {
        let last = now_ms / INTERVAL_MS;
        let rows =
            (0..HISTORY as u64).map(|back| (last.saturating_sub(back) * INTERVAL_MS, INTEREST));
        self.past = rows.collect();
    }

    /// Counts a premium that lasted so many seconds.
    pub(super) fn count(&mut self, mark: &Mark, seconds: u64) {
        let premium = (mark.price() - mark.index()).checked_div(mark.index()).unwrap_or_default();
        self.premium += cut(premium) * Decimal::from(seconds);
        self.seconds += seconds;
    }

    /// The rate of the last settlement.
    pub fn last(&self) -> Decimal {
        self.past.front().map_or(INTEREST, |row| row.1)
    }

    /// The rate of the next one, if premiums stay as they are.
    pub fn expected(&self) -> Decimal {
        let premium = self.premium.checked_div(Decimal::from(self.seconds)).unwrap_or_default();
        let rate = premium + (INTEREST - premium).clamp(-OFF, OFF);
        cut(rate.clamp(-LIMIT, LIMIT))
    }

    /// Newest first.
    pub fn past(&self) -> impl Iterator<Item = (u64, Decimal)> {
        self.past.iter().copied()
    }

    fn settle(&mut self, at_ms: u64) -> Decimal {
        let rate = self.expected();
        self.past.push_front((at_ms, rate));
        self.past.truncate(HISTORY);
        (self.premium, self.seconds) = (Decimal::ZERO, 0);
        rate
    }
}

impl Exchange {
    /// Settles every contract, and schedules the next time.
    pub(crate) fn settle_rates(&mut self, at_ms: u64) {
        self.schedule(next_funding_ms(at_ms), Due::Rates);
        let symbols: Vec<SmolStr> = self.futures.keys().cloned().collect();
        for symbol in symbols {
            let Some(market) = self.futures.get_mut(&symbol) else { continue };
            let rate = market.rates.settle(at_ms);
            for (account, long, amount) in self.funding_due(&symbol, rate) {
                self.pay_funding(account, &symbol, long, amount, at_ms);
            }
        }
        self.liquidate(at_ms);
    }

    /// What each open position of a contract pays at a rate; below zero it is paid.
    fn funding_due(&self, symbol: &SmolStr, rate: Decimal) -> Vec<(AccountId, bool, Decimal)> {
        let Some(market) = self.futures.get(symbol) else { return Vec::new() };
        let customers = self.accounts.values().filter(|account| !account.house);
        let open = customers.flat_map(|account| {
            let open = account.open_positions().filter(|row| row.0 == symbol);
            open.map(|(_, long, position)| (account.id, long, position))
        });
        let due = |(account, long, position): (AccountId, bool, &crate::position::Position)| {
            let amount = cut(market.value(position.size, market.mark_price()) * rate);
            (account, long, if long { amount } else { -amount })
        };
        open.map(due).collect()
    }

    // Rule: An isolated position pays funding from its margin, a cross one from the wallet; the house is on the
    // other side. Source: simplified (customers pay the house and not each other)
    /// Moves one payment. An isolated position pays from its margin, a cross one from the wallet. The
    /// house holds the other side of what customers hold together, and so stands in for all of them.
    fn pay_funding(
        &mut self,
        account: AccountId,
        symbol: &SmolStr,
        long: bool,
        amount: Decimal,
        at_ms: u64,
    ) {
        let Some(quote) = self.futures.get(symbol).map(|market| market.rules.quote.clone()) else {
            return;
        };
        let house = self.open_wallet(MAKER, Purse::Futures, &quote).available();
        let wallet = self.open_wallet(account, Purse::Futures, &quote).available();
        let position = self.account_mut(account).position_mut(symbol, long);
        let (isolated, margin) = (position.isolated, position.margin);
        let payer = margin.filter(|_| isolated).unwrap_or(wallet);
        let paid = if isolated { amount.min(self.ledger.amount(payer)) } else { amount };
        self.ledger.post(payer, house, paid);
        self.ledger.draw(House::Insurance, house, amount - paid);
        let about = (symbol.clone(), quote.clone());
        self.record_flow(account, FlowKind::Funding, about, -paid, at_ms);
        self.events.push(Event::FuturesAsset { account, currency: quote });
        self.report_position(account, symbol, long);
    }
}
