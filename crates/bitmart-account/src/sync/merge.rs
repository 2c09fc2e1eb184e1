//! Taking in what was told.

use std::collections::{HashSet, VecDeque};

use bitmart_types::Timestamp;

use super::market::{Flight, MarketSync};
use super::{Page, Report, Snapshot};
use crate::{AccountEvent, AccountState, Assumptions, CatchUpError};

/// A market, with what it shares with the other.
pub(super) struct Part<'a> {
    pub(super) market: &'a mut MarketSync,
    pub(super) state: &'a mut AccountState,
    pub(super) events: &'a mut VecDeque<AccountEvent>,
    pub(super) assume: &'a Assumptions,
}

impl Part<'_> {
    /// Takes in one piece of news. Gives whether it was any.
    pub(super) fn take(&mut self, now: Timestamp, report: Report) -> bool {
        let market = self.market.market;
        let event = match report {
            Report::Order(order) => self.state.take_order(order).cloned().map(AccountEvent::Order),
            Report::Fill(fill) => {
                let new = self.state.take_fill_at(fill.clone(), now);
                new.then_some(AccountEvent::Fill(fill))
            }
            Report::Balance(currency, balance) => {
                let new = self.state.take_balance(market, currency.clone(), balance.clone());
                new.then_some(AccountEvent::Balance { market, currency, balance })
            }
            Report::Position(key, position) => {
                let new = self.state.take_position(key.clone(), position.clone());
                new.then_some(AccountEvent::Position { key, position })
            }
        };
        let news = event.is_some();
        self.events.extend(event);
        news
    }

    pub(super) fn failed(&mut self, now: Timestamp, error: CatchUpError) {
        let (market, retry_in) = (self.market.market, self.market.failed(now, error.wait()));
        self.events.push_back(AccountEvent::CatchUpFailed { market, error, retry_in });
    }

    /// Takes in rows of a fetch.
    pub(super) fn page(&mut self, now: Timestamp, page: Page) {
        let market = self.market.market;
        let unreadable = |what| AccountEvent::Unreadable { market, what };
        self.events.extend(page.unreadable.into_iter().map(unreadable));
        for order in page.orders {
            let news = self.take(now, Report::Order(order));
            self.market.found.orders += usize::from(news);
        }
        // That a fill before this was counted may be forgotten, and it was: the mark is later.
        let horizon = self.market.watermark.horizon();
        for fill in page.fills {
            if fill.time.is_none_or(|time| time >= horizon) {
                let news = self.take(now, Report::Fill(fill));
                self.market.found.fills += usize::from(news);
            }
        }
    }

    /// Takes in what a fetch tells of the present.
    pub(super) fn snapshot(&mut self, now: Timestamp, flight: &Flight, snapshot: Snapshot) {
        let market = self.market.market;
        let unreadable = |what| AccountEvent::Unreadable { market, what };
        self.events.extend(snapshot.unreadable.into_iter().map(unreadable));
        for (currency, balance) in snapshot.balances {
            if !flight.touched.has_balance(&currency) {
                self.take(now, Report::Balance(currency, balance));
            }
        }
        if let Some(positions) = snapshot.positions {
            let mut stay: HashSet<_> = positions.iter().map(|(key, _)| key.clone()).collect();
            for (key, position) in positions {
                if !flight.touched.has_position(&key) {
                    self.take(now, Report::Position(key, position));
                }
            }
            let touched = self.state.all_positions().map(|(key, _)| key);
            stay.extend(touched.filter(|key| flight.touched.has_position(key)).cloned());
            if !snapshot.lacks_positions {
                for key in self.state.keep_positions(&stay) {
                    self.events.push_back(AccountEvent::PositionClosed { key });
                }
            }
        }
        // An order that is younger than the history may simply not be listed yet.
        let old = flight.begin - self.assume.history_behind - self.assume.clocks_differ;
        for id in snapshot.unknown {
            let known = self.state.order(market, &id);
            if known.is_some_and(|order| {
                !order.progress.is_final() && order.update_time.is_some_and(|time| time < old)
            }) && self.state.forget_order(market, &id)
            {
                self.events.push_back(AccountEvent::OrderForgotten { market, order_id: id });
            }
        }
    }
}
