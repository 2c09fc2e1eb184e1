//! The simulated exchange: fills, orders and balances, and when REST queries return them.

use std::collections::BTreeSet;

/// Parameters of a run; durations are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExchangeParams {
    /// Maximum push delay, as [`Assumptions`](crate::Assumptions) has it.
    pub(super) push_delay: i64,
    /// Maximum history lag.
    pub(super) history_lag: i64,
    /// Maximum clock skew.
    pub(super) clock_skew: i64,
    /// Offset of the exchange's clock in percent of the maximum skew.
    pub(super) clock_offset: i64,
    /// Capacity of a queue.
    pub(super) capacity: usize,
}

#[derive(Debug)]
pub(super) struct Trade {
    /// Time by this machine's clock.
    pub(super) at: i64,
    /// Time by the exchange's clock.
    pub(super) timestamp: i64,
    /// When it appears in the history.
    pub(super) listed: i64,
    /// Whether the tracker has reported it.
    pub(super) reported: bool,
}

/// An order that never fills.
#[derive(Debug)]
pub(super) struct RestingOrder {
    pub(super) at: i64,
    /// When it appears in the list of open orders.
    listed: i64,
    /// When its last push arrives.
    push: i64,
    pub(super) canceled: Option<i64>,
    /// When queries reflect the cancellation.
    cancel_listed: i64,
}

/// Rows of a response: fills with their timestamps, and open orders.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) fills: Vec<(usize, i64)>,
    pub(super) orders: Vec<usize>,
}

/// The end of a fetch.
#[derive(Clone, Debug, Default)]
pub(super) struct FetchEnd {
    /// The version of the balance.
    pub(super) balance: usize,
    /// Orders that the exchange does not know.
    pub(super) unknown: Vec<usize>,
    /// Orders of which the exchange says only that they are finished.
    pub(super) finished: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Exchange {
    params: ExchangeParams,
    pub(super) trades: Vec<Trade>,
    pub(super) resting: Vec<RestingOrder>,
    /// When the balance changed. Version n is the balance after n changes.
    balance_changes: Vec<i64>,
    /// When the push of the latest change arrives.
    balance_push: i64,
}

impl Exchange {
    pub(super) fn new(params: ExchangeParams) -> Self {
        Self {
            params,
            trades: Vec::new(),
            resting: Vec::new(),
            balance_changes: Vec::new(),
            balance_push: 0,
        }
    }

    /// Changes the balance. Returns its new version and the delay of its push, which does not overtake
    /// an earlier one.
    pub(super) fn change_balance(&mut self, now: i64, push_delay: i64) -> (usize, i64) {
        self.balance_changes.push(now);
        self.balance_push = self.balance_push.max(now + push_delay);
        (self.balance_changes.len(), self.balance_push - now)
    }

    /// Returns the version of the balance after the changes until this time.
    pub(super) fn balance(&self, at: i64) -> usize {
        self.balance_changes.partition_point(|change| *change <= at)
    }

    /// Adds a trade and returns its id.
    pub(super) fn fill(&mut self, now: i64, history_lag: i64, clock_skew: i64) -> usize {
        let percent = (self.params.clock_offset + clock_skew).clamp(-100, 100);
        self.trades.push(Trade {
            at: now,
            timestamp: now + self.params.clock_skew * percent / 100,
            listed: now + history_lag,
            reported: false,
        });
        self.trades.len() - 1
    }

    /// Adds an order and returns its id.
    pub(super) fn place_order(&mut self, now: i64, push_delay: i64, history_lag: i64) -> usize {
        self.resting.push(RestingOrder {
            at: now,
            listed: now + history_lag,
            push: now + push_delay,
            canceled: None,
            cancel_listed: i64::MAX,
        });
        self.resting.len() - 1
    }

    /// Cancels the oldest open order. Returns its id and the delay of the push, which does not overtake
    /// that of the placement.
    pub(super) fn cancel_order(
        &mut self,
        now: i64,
        push_delay: i64,
        history_lag: i64,
    ) -> Option<(usize, i64)> {
        let mut orders = self.resting.iter_mut().enumerate();
        let (id, order) = orders.find(|(_, order)| order.canceled.is_none())?;
        order.canceled = Some(now);
        order.cancel_listed = order.listed.max(now + history_lag);
        order.push = order.push.max(now + push_delay);
        Some((id, order.push - now))
    }

    /// Returns the fills of a time range, in no particular order.
    pub(super) fn fills(&self, now: i64, from: i64, until: i64) -> Vec<(usize, i64)> {
        let trades = self.trades.iter().enumerate().rev();
        trades
            .filter(|(_, trade)| from <= trade.timestamp && trade.timestamp <= until)
            .filter(|(_, trade)| trade.listed <= now)
            .map(|(id, trade)| (id, trade.timestamp))
            .collect()
    }

    /// Returns the list of open orders.
    pub(super) fn open_orders(&self, now: i64) -> Vec<usize> {
        let listed = self.resting.iter().enumerate();
        listed
            .filter(|(_, order)| order.listed <= now && now < order.cancel_listed)
            .map(|(id, _)| id)
            .collect()
    }

    /// Queries these orders by id, unless they are listed as open.
    pub(super) fn query_orders(&self, now: i64, ids: &BTreeSet<usize>) -> FetchEnd {
        let mut end = FetchEnd::default();
        for id in ids {
            let order = &self.resting[*id];
            match now {
                now if now < order.listed => end.unknown.push(*id),
                now if now < order.cancel_listed => {}
                // The exchange forgets every other order.
                _ if id.is_multiple_of(2) => end.unknown.push(*id),
                _ => end.finished.push(*id),
            }
        }
        end
    }
}
