//! Sweeps: the levels that a taker order would fill against.

use bitmart_types::Decimal;

use super::OrderBook;
use super::side::{Direction, Side};

/// The end of a sweep through a side of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an argument, for users to write")]
pub enum SweepLimit {
    /// Up to this size: in base currency on spot, in contracts on futures.
    Size(Decimal),
    /// Up to this sum of price times size. On spot it is an amount in quote currency. On futures, where sizes are in
    /// contracts, it is such an amount divided by the contract size.
    Notional(Decimal),
    /// All levels that are not worse than this price.
    Price(Decimal),
}

/// The sum of all levels on one side of a book, from the best price to a [`SweepLimit`].
///
/// Check [`complete`](Self::complete) and [`exact`](Self::exact) before using the other values: a
/// sweep that reaches the end of the book returns the total up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a sweep changes nothing"]
pub struct Sweep {
    /// Total size.
    pub size: Decimal,
    /// Total of price times size.
    pub notional: Decimal,
    /// Worst price. `None` if the sweep includes no level.
    pub worst_price: Option<Decimal>,
    /// Number of levels, the last of them perhaps in part.
    pub levels: usize,
    /// Whether the known levels contain the whole size or notional. A sweep to a price is complete if
    /// all levels up to it are known.
    pub complete: bool,
    /// Whether no level within the sweep can be missing: see [Depth](OrderBook#depth). If not, there
    /// may be more size at the same or better prices.
    pub exact: bool,
}

impl Sweep {
    /// Returns the average price. `None` if the sweep includes no level.
    pub fn average_price(&self) -> Option<Decimal> {
        self.notional.checked_div(self.size)
    }
}

impl OrderBook {
    /// Sweeps the asks from the lowest price up, as a taker buy would.
    ///
    /// `None` while the book is resyncing, or on overflow.
    ///
    /// ```
    /// use bitmart_types::dec;
    /// use bitmart_ws::book::{OrderBook, SweepLimit};
    /// # use bitmart_ws::event::{DepthKind, BookUpdate, Level};
    /// # fn book() -> OrderBook {
    /// #     let mut book = OrderBook::with_limit(100);
    /// #     let asks = [(dec!(100), dec!(1)), (dec!(101), dec!(3))];
    /// #     let asks = asks.map(|(price, size)| Level { price, size });
    /// #     let kind = &DepthKind::Snapshot;
    /// #     let update = BookUpdate { kind, version: 1, timestamp: None, asks: &asks, bids: &[] };
    /// #     let _ = book.apply(update);
    /// #     book
    /// # }
    ///
    /// // Asks: 1 at 100 and 3 at 101.
    /// let book = book();
    /// let sweep = book.sweep_asks(SweepLimit::Size(dec!(2))).expect("synchronized");
    /// assert!(sweep.complete && sweep.exact);
    /// assert_eq!((sweep.average_price(), sweep.worst_price), (Some(dec!(100.5)), Some(dec!(101))));
    ///
    /// let sweep = book.sweep_asks(SweepLimit::Size(dec!(10))).expect("synchronized");
    /// assert!(!sweep.complete);
    /// assert_eq!(sweep.size, dec!(4));
    ///
    /// let sweep = book.sweep_asks(SweepLimit::Price(dec!(100.9))).expect("synchronized");
    /// assert_eq!((sweep.size, sweep.notional), (dec!(1), dec!(100)));
    /// ```
    pub fn sweep_asks(&self, limit: SweepLimit) -> Option<Sweep> {
        self.is_synchronized().then(|| sweep(&self.asks, limit))?
    }

    /// Sweeps the bids from the highest price down, as a taker sell would.
    ///
    /// `None` while the book is resyncing, or on overflow.
    pub fn sweep_bids(&self, limit: SweepLimit) -> Option<Sweep> {
        self.is_synchronized().then(|| sweep(&self.bids, limit))?
    }
}

fn sweep<D: Direction>(side: &Side<D>, limit: SweepLimit) -> Option<Sweep> {
    let mut total = Sweep {
        size: Decimal::ZERO,
        notional: Decimal::ZERO,
        worst_price: None,
        levels: 0,
        complete: false,
        exact: true,
    };
    for level in side.iter() {
        let notional = || level.price.checked_mul(level.size);
        // The part of the level that is within the limit, and whether it is the last level.
        let (size, notional, is_last) = match limit {
            SweepLimit::Size(target) => {
                let remaining = target.checked_sub(total.size)?;
                if remaining <= Decimal::ZERO {
                    break;
                }
                let size = remaining.min(level.size);
                (size, level.price.checked_mul(size)?, remaining <= level.size)
            }
            SweepLimit::Notional(target) => {
                let remaining = target.checked_sub(total.notional)?;
                if remaining <= Decimal::ZERO {
                    break;
                }
                match notional() {
                    Some(all) if all < remaining => (level.size, all, false),
                    None if level.price <= Decimal::ZERO => return None,
                    // A notional that overflows is above the target.
                    _ => (remaining.checked_div(level.price)?.min(level.size), remaining, true),
                }
            }
            SweepLimit::Price(last) if Side::<D>::is_within(level.price, last) => {
                (level.size, notional()?, false)
            }
            SweepLimit::Price(_) => break,
        };
        total.size = total.size.checked_add(size)?;
        total.notional = total.notional.checked_add(notional)?;
        total.worst_price = Some(level.price);
        total.levels += 1;
        if is_last {
            // The sum of long decimals may be rounded.
            match limit {
                SweepLimit::Size(target) => total.size = target,
                SweepLimit::Notional(target) => total.notional = target,
                SweepLimit::Price(_) => {}
            }
            break;
        }
    }
    (total.complete, total.exact) = match (limit, total.worst_price) {
        (SweepLimit::Price(last), _) => (side.covers(last), side.covers(last)),
        (SweepLimit::Size(target), _) if total.size < target => {
            (false, side.complete_to().is_none())
        }
        (SweepLimit::Notional(target), _) if total.notional < target => {
            (false, side.complete_to().is_none())
        }
        (_, worst) => (true, worst.is_none_or(|price| side.covers(price))),
    };
    Some(total)
}
