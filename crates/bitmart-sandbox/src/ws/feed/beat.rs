//! What is pushed by the clock: books, sampled channels, positions.

use serde_json::Value;

use super::Feed;
use crate::{
    exchange::Exchange,
    fault::Fault,
    ws::{
        depth::DepthView,
        payload::{pace, sampled},
        render, render_account,
        topic::{Channel, Topic},
    },
};

/// Beats between two pushes of positions that did not change: 10 s.
const POSITIONS: u64 = 100;

impl Feed {
    /// One beat: refreshes the views and pushes what is due.
    pub(crate) fn tick(&mut self, exchange: &Exchange, now_ms: u64) {
        self.beats += 1;
        for (symbol, view) in &mut self.spot_views {
            if let Some(market) = exchange.spot.get(symbol) {
                view.refresh(&market.book);
            }
        }
        let pace_of_books = self.futures_books;
        let futures_books = self.beats.is_multiple_of(pace_of_books);
        if futures_books {
            for ((symbol, _), view) in &mut self.futures_views {
                if let Some(market) = exchange.futures.get(symbol) {
                    view.refresh(&market.book);
                }
            }
        }
        if self.beats.is_multiple_of(POSITIONS) {
            self.push_positions(exchange, now_ms);
        }
        let public: Vec<Topic> =
            self.topics.keys().filter(|topic| !topic.private).cloned().collect();
        for topic in public {
            match &topic.channel {
                Channel::SpotIncrease => self.push_spot_book(exchange, &topic, now_ms),
                Channel::FuturesIncrease(depth) if futures_books => {
                    self.push_futures_book(&topic, *depth, now_ms);
                }
                Channel::FuturesTickers if self.beats.is_multiple_of(10) => {
                    for market in exchange.futures.values() {
                        self.push(&topic, render::futures_ticker(market, now_ms), None, now_ms);
                    }
                }
                channel
                    if pace(channel, pace_of_books)
                        .is_some_and(|pace| self.beats.is_multiple_of(pace)) =>
                {
                    self.push_if_new(&topic, sampled(exchange, &topic, now_ms), now_ms);
                }
                _ => {}
            }
        }
    }

    fn push_if_new(&mut self, topic: &Topic, values: Vec<Value>, now_ms: u64) {
        let Some(listeners) = self.topics.get_mut(topic) else { return };
        let last = std::mem::replace(&mut listeners.last, values.clone());
        for (at, value) in values.into_iter().enumerate() {
            if last.get(at) != Some(&value) {
                self.push(topic, value, None, now_ms);
            }
        }
    }

    /// The fault: lets a topic skip so many versions, for good.
    fn skip(&mut self, topic: &Topic, versions: u64) -> bool {
        let strikes = self.faults.strike(&topic.text, |fault| fault == Fault::VersionGap).is_some();
        if strikes {
            *self.skipped.entry(topic.text.clone()).or_default() += versions;
        }
        strikes
    }

    /// A book without change repeats itself once a second, empty and with the same version.
    fn push_spot_book(&mut self, exchange: &Exchange, topic: &Topic, now_ms: u64) {
        let changed = self.spot_views.get(&topic.symbol).is_some_and(DepthView::is_changed);
        // The version of a still book stands: one more would be no gap.
        let skipped = self.skip(topic, if changed { 1 } else { 2 });
        let due = changed || skipped || self.beats.is_multiple_of(10);
        if let Some(value) = self.spot_book(exchange, topic, false).filter(|_| due) {
            self.push(topic, value, None, now_ms);
        }
    }

    fn push_futures_book(&mut self, topic: &Topic, depth: usize, now_ms: u64) {
        self.skip(topic, 1);
        if let Some(value) = self.futures_book(topic, depth, false) {
            self.push(topic, value, None, now_ms);
        }
    }

    /// All open positions of each account that listens, in one frame.
    fn push_positions(&mut self, exchange: &Exchange, now_ms: u64) {
        for topic in self.about(&Channel::FuturesPosition, &"".into()) {
            for (account, owner) in &exchange.accounts {
                let open = owner.positions.iter().filter(|(_, position)| !position.size.is_zero());
                let rows: Vec<Value> = open
                    .filter_map(|((symbol, long), _)| {
                        render_account::futures_position(exchange, *account, symbol, *long)
                    })
                    .collect();
                if !rows.is_empty() {
                    self.push(&topic, rows.into(), Some(*account), now_ms);
                }
            }
        }
    }
}
