//! Applying changes and results of fetches to the state.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bitmart_types::{OrderId, Timestamp};

use super::market::{MarketSync, PendingFetch};
use super::{Change, Page, Snapshot};
use crate::{
    AccountEvent, AccountState, Assumptions, AuditReport, CatchUpError, MalformedItem, PositionKey,
};

/// A market together with the state and the events, which the markets share.
pub(super) struct MarketContext<'a> {
    pub(super) market: &'a mut MarketSync,
    pub(super) state: &'a mut AccountState,
    pub(super) events: &'a mut VecDeque<AccountEvent>,
    pub(super) assumptions: &'a Assumptions,
}

impl MarketContext<'_> {
    /// Applies a change. Returns whether it changed the state.
    pub(super) fn apply(&mut self, now: Timestamp, change: Change) -> bool {
        let market = self.market.market;
        let event = match change {
            Change::Order(order) => self.state.apply_order(order).cloned().map(AccountEvent::Order),
            Change::Fill(fill) => {
                if let Some(field) = self.state.contradiction(&fill) {
                    let item = format!("fill {} of order {}", fill.trade_id, fill.order_id);
                    let item = MalformedItem::Contradiction { item, field };
                    self.events.push_back(AccountEvent::Malformed { market, item });
                }
                let time = self.market.watermark.client_time(now);
                let changed = self.state.apply_fill_at(fill.clone(), time);
                changed.then_some(AccountEvent::Fill(fill))
            }
            Change::Balance(currency, balance) => {
                let changed = self.state.apply_balance(market, currency.clone(), balance.clone());
                changed.then_some(AccountEvent::Balance { market, currency, balance })
            }
            Change::Position(key, position) => {
                let changed = self.state.apply_position(key.clone(), position.clone());
                changed.then(|| {
                    // With the mode, which the change may lack.
                    let position = self.state.position(&key).cloned().unwrap_or(position);
                    AccountEvent::Position { key, position }
                })
            }
        };
        let changed = event.is_some();
        self.events.extend(event);
        changed
    }

    pub(super) fn open_failed(&mut self, now: Timestamp, error: CatchUpError) {
        let retry_in = self.market.open_failed(now, error.retry_after());
        self.report_failure(error, retry_in);
    }

    pub(super) fn fetch_failed(&mut self, now: Timestamp, error: CatchUpError) {
        let retry_in = self.market.fetch_failed(now, error.retry_after());
        self.report_failure(error, retry_in);
    }

    fn report_failure(&mut self, error: CatchUpError, retry_in: Duration) {
        let market = self.market.market;
        self.events.push_back(AccountEvent::CatchUpFailed { market, error, retry_in });
    }

    pub(super) fn apply_page(&mut self, now: Timestamp, page: Page) {
        let market = self.market.market;
        let malformed = |item| AccountEvent::Malformed { market, item };
        self.events.extend(page.malformed.into_iter().map(malformed));
        for order in page.orders {
            let changed = self.apply(now, Change::Order(order));
            self.market.catch_up_report.orders += usize::from(changed);
        }
        // Older fills are known, but their ids may have been evicted.
        let oldest_outstanding = self.market.watermark.oldest_outstanding_fill();
        for fill in page.fills {
            if fill.timestamp.is_none_or(|time| time >= oldest_outstanding) {
                let changed = self.apply(now, Change::Fill(fill));
                self.market.catch_up_report.fills += usize::from(changed);
            }
        }
    }

    /// Reports the differences that an audit found. Whatever hid a fill may have hidden more, so all since
    /// then is fetched.
    pub(super) fn audited(&mut self, now: Timestamp, report: Option<AuditReport>) {
        let Some(report) = report else { return };
        let (missing, from) = (report.not_received.clone(), report.from);
        self.events.push_back(AccountEvent::AuditMismatch(report));
        if !missing.is_empty() {
            self.market.fills_missed_since(now, from);
        }
        for fill in missing {
            self.apply(now, Change::Fill(fill));
        }
    }

    /// Applies the current state from a fetch.
    pub(super) fn apply_snapshot(
        &mut self,
        now: Timestamp,
        fetch: &PendingFetch,
        snapshot: Snapshot,
    ) {
        let market = self.market.market;
        let malformed = |item| AccountEvent::Malformed { market, item };
        self.events.extend(snapshot.malformed.into_iter().map(malformed));
        self.market.unknown_instruments = snapshot.unknown_instruments;
        // Rows may lack what a stream reported after this time.
        let rows_contain_until = fetch.begin - self.assumptions.max_history_lag;
        let unlisted = if snapshot.balances_incomplete {
            Vec::new()
        } else {
            self.state.empty_balances(market, &snapshot.balances)
        };
        for (currency, balance) in snapshot.balances.into_iter().chain(unlisted) {
            if !self.market.last_updates.has_balance(&currency, rows_contain_until) {
                self.apply(now, Change::Balance(currency, balance));
            }
        }
        if let Some(positions) = snapshot.positions {
            let mut still_open = HashSet::new();
            for (key, position) in positions {
                if !self.market.last_updates.supersedes(&key, &position, rows_contain_until) {
                    still_open.insert(key.clone());
                    self.apply(now, Change::Position(key, position));
                }
            }
            let updated =
                |key: &PositionKey| self.market.last_updates.has_position(key, rows_contain_until);
            let known = self.state.all_positions().map(|(key, _)| key);
            still_open.extend(known.filter(|key| updated(key)).cloned());
            if !snapshot.positions_incomplete {
                for key in self.state.retain_positions(&still_open) {
                    self.events.push_back(AccountEvent::PositionClosed { key });
                }
            }
        }
        for id in snapshot.finished_orders {
            self.remove_order(id);
        }
        // An order from before the last loss may be missing because the query lags behind, unless the
        // fetch began H after it. A stream reports the end of a later one.
        let due = self.market.watermark.fetch_due();
        if due.is_some_and(|due| due <= fetch.begin) {
            for id in snapshot.orders_not_found {
                if !self.market.last_updates.has_order(&id, rows_contain_until) {
                    self.remove_order(id);
                }
            }
        }
    }

    /// Removes an open order whose end was missed.
    fn remove_order(&mut self, order_id: OrderId) {
        let market = self.market.market;
        self.market.last_updates.remove_order(&order_id);
        if self.state.remove_order(market, &order_id) {
            self.events.push_back(AccountEvent::OrderNotFound { market, order_id });
        }
    }
}
