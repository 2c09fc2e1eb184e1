//! The published order books and their versions.

use std::collections::{BTreeMap, HashMap};

use bitmart_sim::Exchange;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    depth::{DepthView, VersionPolicy},
    versions::Versions,
};
use crate::{
    generated::Host,
    wire::{self, topic::Topic},
};

const FUTURES_DEPTHS: [usize; 3] = [5, 20, 50];
const SPOT_DEPTH: usize = 100;

/// The books of all markets.
#[derive(Debug)]
pub(super) struct Books {
    spot: BTreeMap<SmolStr, DepthView>,
    futures: BTreeMap<(SmolStr, usize), DepthView>,
    /// Number of versions that a topic has skipped because of faults, by its name.
    skipped: HashMap<SmolStr, u64>,
}

impl Books {
    pub(super) fn new(exchange: &Exchange, version: u64) -> Self {
        let spot = exchange.spot_markets().map(|market| {
            (
                market.rules.symbol.clone(),
                DepthView::new(&market.book, SPOT_DEPTH, VersionPolicy::OnChange, version),
            )
        });
        let futures = exchange.futures_markets().flat_map(|market| {
            FUTURES_DEPTHS.map(|depth| {
                (
                    (market.rules.symbol.clone(), depth),
                    DepthView::new(&market.book, depth, VersionPolicy::EveryRefresh, version),
                )
            })
        });
        Self { spot: spot.collect(), futures: futures.collect(), skipped: HashMap::new() }
    }

    /// The versions of all books, without the versions that faults have skipped.
    pub(super) fn versions(&self, steps: u64) -> Versions {
        let spot = self.spot.iter().map(|(symbol, view)| (symbol.clone(), view.version));
        let futures = self.futures.iter().map(|(key, view)| (key.clone(), view.version));
        Versions { steps, spot: spot.collect(), futures: futures.collect() }
    }

    /// Continues from the versions of a snapshot.
    pub(super) fn resume(&mut self, versions: &Versions) {
        for (symbol, version) in &versions.spot {
            if let Some(view) = self.spot.get_mut(symbol) {
                view.version = *version;
            }
        }
        for (key, version) in &versions.futures {
            if let Some(view) = self.futures.get_mut(key) {
                view.version = *version;
            }
        }
    }

    /// Makes the version of every book higher than it was in `former`, by more than the next update adds.
    pub(super) fn exceed(&mut self, former: &Self) {
        for (symbol, view) in &mut self.spot {
            view.exceed(former.spot.get(symbol));
        }
        for (key, view) in &mut self.futures {
            view.exceed(former.futures.get(key));
        }
        self.skipped.clone_from(&former.skipped);
    }

    /// Updates the published books of spot.
    pub(super) fn refresh_spot(&mut self, exchange: &Exchange) {
        for (symbol, view) in &mut self.spot {
            if let Some(market) = exchange.spot_market(symbol) {
                view.refresh(&market.book);
            }
        }
    }

    /// Updates the published books of futures.
    pub(super) fn refresh_futures(&mut self, exchange: &Exchange) {
        for ((symbol, _), view) in &mut self.futures {
            if let Some(market) = exchange.futures_market(symbol) {
                view.refresh(&market.book);
            }
        }
    }

    fn view(&self, topic: &Topic) -> Option<&DepthView> {
        match topic.channel.host() {
            Host::Spot => self.spot.get(&topic.symbol),
            Host::Futures => self.futures.get(&(topic.symbol.clone(), topic.levels)),
        }
    }

    /// Whether the last refresh changed the book of a topic.
    pub(super) fn is_changed(&self, topic: &Topic) -> bool {
        self.view(topic).is_some_and(DepthView::is_changed)
    }

    /// Permanently skips `versions` versions of a topic.
    pub(super) fn skip(&mut self, topic: &Topic, versions: u64) {
        *self.skipped.entry(topic.text.clone()).or_default() += versions;
    }

    /// Renders the complete book of a topic.
    pub(super) fn snapshot(&self, exchange: &Exchange, topic: &Topic) -> Option<Value> {
        self.value(exchange, topic, true)
    }

    /// Renders the changes of the last refresh.
    pub(super) fn update(&self, exchange: &Exchange, topic: &Topic) -> Option<Value> {
        self.value(exchange, topic, false)
    }

    fn value(&self, exchange: &Exchange, topic: &Topic, snapshot: bool) -> Option<Value> {
        let view = self.view(topic)?;
        // Subscribers of the topic have seen the skipped versions as gaps.
        let version = view.version + self.skipped.get(&topic.text).copied().unwrap_or_default();
        let sides = view.sides(snapshot);
        Some(match topic.channel.host() {
            Host::Spot => {
                let market = exchange.spot_market(&topic.symbol)?;
                wire::spot::market::pushed_book(market, sides, version, snapshot)
            }
            Host::Futures => {
                wire::futures::market::pushed_book(&topic.symbol, sides, version, snapshot)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use bitmart_sim::Setup;

    use super::*;
    use crate::wire::topic::parse;

    /// A connection may get an update after the sandbox went back, and before it is closed.
    #[test]
    fn a_version_is_never_used_again() {
        let exchange = Exchange::new(&Setup::new(), 1_700_000_000_000);
        let mut books = Books::new(&exchange, 1);
        let saved = books.versions(0);
        let topics = [
            parse(Host::Spot, "spot/depth/increase100:BTC_USDT").expect("a topic"),
            parse(Host::Futures, "futures/depthIncrease20:BTCUSDT").expect("a topic"),
        ];
        let version = |books: &Books, topic| {
            books.snapshot(&exchange, topic).expect("a book")["version"].as_u64().expect("a number")
        };
        for topic in &topics {
            books.skip(topic, 3);
        }
        for _ in 0..5 {
            books.refresh_futures(&exchange);
            let seen = topics.each_ref().map(|topic| version(&books, topic));
            let mut restored = Books::new(&exchange, 1);
            restored.resume(&saved);
            restored.exceed(&books);
            restored.refresh_futures(&exchange);
            for (topic, seen) in topics.iter().zip(seen) {
                assert!(version(&restored, topic) > seen, "{topic:?}");
            }
            // The futures book had an update after going back, which must not look like the next one.
            assert!(version(&restored, &topics[1]) > seen[1] + 1);
            books = restored;
        }
    }
}
