//! Statistics of a book.

use bitmart_types::Decimal;

use super::OrderBook;
use crate::event::Level;

/// A level with the sums up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cumulative {
    /// The level.
    pub level: Level,
    /// Size of this level and all better ones.
    pub size: Decimal,
    /// Price times size, summed over this level and all better ones.
    pub notional: Decimal,
}

impl OrderBook {
    /// Returns the middle between best bid and best ask. `None` without both, or on overflow.
    pub fn mid_price(&self) -> Option<Decimal> {
        let (bid, ask) = (self.best_bid()?, self.best_ask()?);
        bid.price.checked_add(ask.price)?.checked_div(Decimal::TWO)
    }

    /// Returns the best ask minus the best bid, always above 0. `None` without both, or on overflow.
    pub fn spread(&self) -> Option<Decimal> {
        let (bid, ask) = (self.best_bid()?, self.best_ask()?);
        ask.price.checked_sub(bid.price)
    }

    /// Returns the size of bids minus that of asks, divided by the sum of both, within the best
    /// `levels` of each side: 1 with bids only, -1 with asks only. `None` without levels, or on
    /// overflow.
    pub fn imbalance(&self, levels: usize) -> Option<Decimal> {
        let bids = total(self.bids().take(levels))?;
        let asks = total(self.asks().take(levels))?;
        bids.checked_sub(asks)?.checked_div(bids.checked_add(asks)?)
    }

    /// Returns the bids, highest price first, each with the sums up to it. Ends early on overflow, which
    /// needs unrealistic prices or sizes.
    pub fn cumulative_bids(&self) -> impl Iterator<Item = Cumulative> {
        cumulate(self.bids())
    }

    /// Returns the asks, lowest price first, each with the sums up to it. Ends early on overflow, which
    /// needs unrealistic prices or sizes.
    pub fn cumulative_asks(&self) -> impl Iterator<Item = Cumulative> {
        cumulate(self.asks())
    }
}

fn total(mut levels: impl Iterator<Item = Level>) -> Option<Decimal> {
    levels.try_fold(Decimal::ZERO, |sum, level| sum.checked_add(level.size))
}

fn cumulate(levels: impl Iterator<Item = Level>) -> impl Iterator<Item = Cumulative> {
    levels.scan((Decimal::ZERO, Decimal::ZERO), |(size, notional), level| {
        *size = size.checked_add(level.size)?;
        *notional = notional.checked_add(level.price.checked_mul(level.size)?)?;
        Some(Cumulative { level, size: *size, notional: *notional })
    })
}
