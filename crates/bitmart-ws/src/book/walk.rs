//! What an order would meet.

use bitmart_types::Decimal;

use super::OrderBook;
use super::ladder::{Direction, Ladder};

/// How far to walk into a side of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an argument, for users to write")]
pub enum Until {
    /// Until this much was found, in the unit of the sizes: base currency on spot, contracts on
    /// futures.
    Size(Decimal),
    /// Until this much was found in price times size: quote currency on spot. On futures multiply
    /// by the contract size of a contract that is quoted in USDT.
    Notional(Decimal),
    /// Through all levels that are no worse than this price.
    Price(Decimal),
}

/// What stands in a side of a book, from the best price on.
///
/// Look at [`complete`](Self::complete) and [`certain`](Self::certain) before using the figures: a
/// walk that comes to the end of the book gives what it found up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a walk changes nothing"]
pub struct Walk {
    /// Size found.
    pub size: Decimal,
    /// Price times size, summed over what was found.
    pub notional: Decimal,
    /// Worst price of it. `None` when nothing was found.
    pub worst: Option<Decimal>,
    /// Levels that it took, the last perhaps in part.
    pub levels: usize,
    /// Whether all of the size or notional was found. `false` says that the book, as far as it is
    /// known, does not hold as much. A walk to a price is complete when all levels up to it are
    /// known.
    pub complete: bool,
    /// Whether the walk stayed within the [horizon](OrderBook#depth), so that no level on its way
    /// can be missing. `false` says that there may be more at the same or better prices.
    pub certain: bool,
}

impl Walk {
    /// The average price of what was found. `None` when nothing was found.
    pub fn average(&self) -> Option<Decimal> {
        self.notional.checked_div(self.size)
    }
}

impl OrderBook {
    /// Walks into the sells from the lowest price up: what a buy would meet.
    ///
    /// `None` while the book is resyncing, or when the sums fit no decimal.
    ///
    /// ```
    /// use bitmart_types::dec;
    /// use bitmart_ws::book::{OrderBook, Until};
    /// # use bitmart_ws::event::{DepthKind, DepthUpdate, Level};
    /// # fn book() -> OrderBook {
    /// #     let mut book = OrderBook::with_limit(100);
    /// #     let asks = [(dec!(100), dec!(1)), (dec!(101), dec!(3))];
    /// #     let asks = asks.map(|(price, size)| Level { price, size });
    /// #     let kind = &DepthKind::Snapshot;
    /// #     let update = DepthUpdate { kind, version: 1, timestamp: None, asks: &asks, bids: &[] };
    /// #     let _ = book.apply(update);
    /// #     book
    /// # }
    ///
    /// // 1 is offered at 100 and 3 at 101.
    /// let book = book();
    /// let walk = book.walk_asks(Until::Size(dec!(2))).expect("a whole book");
    /// assert!(walk.complete && walk.certain);
    /// assert_eq!((walk.average(), walk.worst), (Some(dec!(100.5)), Some(dec!(101))));
    ///
    /// let walk = book.walk_asks(Until::Size(dec!(10))).expect("a whole book");
    /// assert!(!walk.complete);
    /// assert_eq!(walk.size, dec!(4));
    ///
    /// let walk = book.walk_asks(Until::Price(dec!(100.9))).expect("a whole book");
    /// assert_eq!((walk.size, walk.notional), (dec!(1), dec!(100)));
    /// ```
    pub fn walk_asks(&self, until: Until) -> Option<Walk> {
        self.is_whole().then(|| walk(&self.asks, until))?
    }

    /// Walks into the buys from the highest price down: what a sell would meet.
    ///
    /// `None` while the book is resyncing, or when the sums fit no decimal.
    pub fn walk_bids(&self, until: Until) -> Option<Walk> {
        self.is_whole().then(|| walk(&self.bids, until))?
    }
}

fn walk<D: Direction>(side: &Ladder<D>, until: Until) -> Option<Walk> {
    let mut found = Walk {
        size: Decimal::ZERO,
        notional: Decimal::ZERO,
        worst: None,
        levels: 0,
        complete: false,
        certain: true,
    };
    for level in side.iter() {
        let notional = || level.price.checked_mul(level.size);
        // What of the level is taken, and whether that is the end.
        let (size, notional, last) = match until {
            Until::Size(wanted) => {
                let rest = wanted.checked_sub(found.size)?;
                if rest <= Decimal::ZERO {
                    break;
                }
                let size = rest.min(level.size);
                (size, level.price.checked_mul(size)?, rest <= level.size)
            }
            Until::Notional(wanted) => {
                let rest = wanted.checked_sub(found.notional)?;
                if rest <= Decimal::ZERO {
                    break;
                }
                match notional() {
                    Some(all) if all < rest => (level.size, all, false),
                    None if level.price <= Decimal::ZERO => return None,
                    // What costs more than a decimal can hold costs more than is wanted.
                    _ => (rest.checked_div(level.price)?.min(level.size), rest, true),
                }
            }
            Until::Price(limit) if Ladder::<D>::is_within(level.price, limit) => {
                (level.size, notional()?, false)
            }
            Until::Price(_) => break,
        };
        found.size = found.size.checked_add(size)?;
        found.notional = found.notional.checked_add(notional)?;
        found.worst = Some(level.price);
        found.levels += 1;
        if last {
            // Adding up the longest decimals may have rounded.
            match until {
                Until::Size(wanted) => found.size = wanted,
                Until::Notional(wanted) => found.notional = wanted,
                Until::Price(_) => {}
            }
            break;
        }
    }
    (found.complete, found.certain) = match (until, found.worst) {
        (Until::Price(limit), _) => (side.covers(limit), side.covers(limit)),
        (Until::Size(wanted), _) if found.size < wanted => (false, side.horizon().is_none()),
        (Until::Notional(wanted), _) if found.notional < wanted => {
            (false, side.horizon().is_none())
        }
        (_, worst) => (true, worst.is_none_or(|price| side.covers(price))),
    };
    Some(found)
}
