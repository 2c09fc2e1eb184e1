//! A limit order book with price-time priority.
//!
//! It knows sizes, prices and who rests where. Money is settled by its caller.

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::{AccountId, OrderId};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// What happens when an order would trade with one of the same account. The taker's choice decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTrade {
    Allow,
    CancelMaker,
    CancelTaker,
    CancelBoth,
}

/// How much the taker wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Units of the base.
    Size(Decimal),
    /// Units of the quote; each trade is cut down to whole `lot`s.
    Notional { amount: Decimal, lot: Decimal },
}

/// One trade between the taker and a resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    pub maker: OrderId,
    pub price: Decimal,
    pub size: Decimal,
}

/// What came of taking from the book.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub matches: Vec<Match>,
    /// Resting orders removed by self-trade prevention.
    pub removed: Vec<OrderId>,
    /// Self-trade prevention stops the taker.
    pub stopped: bool,
    /// What is left of the wanted size (or notional).
    pub left: Decimal,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Resting {
    id: OrderId,
    account: AccountId,
    open: Decimal,
}

/// The orders of one price, oldest first. `total` is the sum of their open sizes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Level {
    queue: VecDeque<Resting>,
    total: Decimal,
}

/// Both sides of one market.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Book {
    bids: BTreeMap<Decimal, Level>,
    asks: BTreeMap<Decimal, Level>,
}

impl Book {
    fn side(&mut self, side: Side) -> &mut BTreeMap<Decimal, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    pub fn best_bid(&self) -> Option<(Decimal, Decimal)> {
        self.bids.last_key_value().map(|(price, level)| (*price, level.total))
    }

    pub fn best_ask(&self) -> Option<(Decimal, Decimal)> {
        self.asks.first_key_value().map(|(price, level)| (*price, level.total))
    }

    /// The best price an order of `side` would trade at.
    pub fn opposite_best(&self, side: Side) -> Option<Decimal> {
        match side {
            Side::Buy => self.best_ask(),
            Side::Sell => self.best_bid(),
        }
        .map(|level| level.0)
    }

    pub fn would_take(&self, side: Side, limit: Decimal) -> bool {
        self.opposite_best(side).is_some_and(|best| reaches(side, best, Some(limit)))
    }

    /// Levels from the best outwards as (price, size).
    pub fn levels(&self, side: Side, depth: usize) -> Vec<(Decimal, Decimal)> {
        let row = |(price, level): (&Decimal, &Level)| (*price, level.total);
        self.best_first(side).take(depth).map(row).collect()
    }

    /// The orders that one of `side` would meet at its limit or better, and their open sizes: orders of the
    /// same account are taken out of its way or stop it, as self-trade prevention says.
    pub fn met_by(
        &self,
        side: Side,
        limit: Option<Decimal>,
        account: AccountId,
        policy: SelfTrade,
    ) -> impl Iterator<Item = (OrderId, Decimal)> {
        let own =
            move |resting: &&Resting| resting.account == account && policy != SelfTrade::Allow;
        self.best_first(side.opposite())
            .take_while(move |(price, _)| reaches(side, **price, limit))
            .flat_map(|(_, level)| &level.queue)
            .take_while(move |resting| !own(resting) || policy == SelfTrade::CancelMaker)
            .filter(move |resting| !own(resting))
            .map(|resting| (resting.id, resting.open))
    }

    /// The levels of a side, best first.
    fn best_first(&self, side: Side) -> Box<dyn Iterator<Item = (&Decimal, &Level)> + '_> {
        match side {
            Side::Buy => Box::new(self.bids.iter().rev()),
            Side::Sell => Box::new(self.asks.iter()),
        }
    }

    /// The highest price at which an order of `side` would trade now. Orders of the same account are
    /// passed over, because self-trade prevention may take them out of the way.
    pub fn highest_reached(
        &self,
        side: Side,
        limit: Option<Decimal>,
        size: Decimal,
        account: AccountId,
    ) -> Option<Decimal> {
        let (mut left, mut highest) = (size, None);
        for (price, level) in
            self.best_first(side.opposite()).take_while(|row| reaches(side, *row.0, limit))
        {
            let others = level.queue.iter().filter(|resting| resting.account != account);
            let open: Decimal = others.map(|resting| resting.open).sum();
            if left <= Decimal::ZERO {
                break;
            }
            if !open.is_zero() {
                highest = highest.max(Some(*price));
                left -= open;
            }
        }
        highest
    }

    /// Adds a resting order behind those of its price.
    pub fn rest(
        &mut self,
        side: Side,
        price: Decimal,
        id: OrderId,
        account: AccountId,
        open: Decimal,
    ) {
        let level = self.side(side).entry(price).or_default();
        level.total += open;
        level.queue.push_back(Resting { id, account, open });
    }

    /// Removes a resting order; false when it is not there.
    pub fn remove(&mut self, side: Side, price: Decimal, id: OrderId) -> bool {
        let levels = self.side(side);
        let Some(level) = levels.get_mut(&price) else { return false };
        let Some(at) = level.queue.iter().position(|resting| resting.id == id) else {
            return false;
        };
        if let Some(resting) = level.queue.remove(at) {
            level.total -= resting.open;
        }
        if level.queue.is_empty() {
            levels.remove(&price);
        }
        true
    }

    /// Trades against the other side, best price first and oldest order first.
    pub fn take(
        &mut self,
        side: Side,
        limit: Option<Decimal>,
        want: Want,
        account: AccountId,
        policy: SelfTrade,
    ) -> Taken {
        let mut taken = Taken::default();
        let mut left = match want {
            Want::Size(size) => size,
            Want::Notional { amount, .. } => amount,
        };
        while left > Decimal::ZERO && !taken.stopped {
            let Some(price) = self.opposite_best(side).filter(|best| reaches(side, *best, limit))
            else {
                break;
            };
            let wanted = match want {
                Want::Size(_) => left,
                Want::Notional { lot, .. } => whole_lots(left / price, lot),
            };
            if wanted <= Decimal::ZERO {
                break;
            }
            let levels = self.side(side.opposite());
            let Some(level) = levels.get_mut(&price) else { break };
            let Some(front) = level.queue.front_mut() else { break };
            if front.account == account && policy != SelfTrade::Allow {
                taken.stopped = policy != SelfTrade::CancelMaker;
                if policy == SelfTrade::CancelTaker {
                    break;
                }
                taken.removed.push(front.id);
                level.total -= front.open;
                level.queue.pop_front();
            } else {
                let size = wanted.min(front.open);
                taken.matches.push(Match { maker: front.id, price, size });
                front.open -= size;
                level.total -= size;
                left -= match want {
                    Want::Size(_) => size,
                    Want::Notional { .. } => size * price,
                };
                if front.open.is_zero() {
                    level.queue.pop_front();
                }
            }
            if level.queue.is_empty() {
                levels.remove(&price);
            }
        }
        taken.left = left;
        taken
    }
}

fn reaches(side: Side, best: Decimal, limit: Option<Decimal>) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Buy => best <= limit,
        Side::Sell => best >= limit,
    })
}

/// Cuts `size` down to a multiple of `lot`.
pub fn whole_lots(size: Decimal, lot: Decimal) -> Decimal {
    if lot.is_zero() {
        return size;
    }
    (size / lot).round_dp_with_strategy(0, RoundingStrategy::ToZero) * lot
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: AccountId = AccountId(1);
    const OTHER: AccountId = AccountId(2);

    fn d(units: i64) -> Decimal {
        Decimal::from(units)
    }

    fn book() -> Book {
        let mut book = Book::default();
        book.rest(Side::Sell, d(101), OrderId(1), OTHER, d(2));
        book.rest(Side::Sell, d(100), OrderId(2), OTHER, d(1));
        book.rest(Side::Sell, d(100), OrderId(3), ME, d(1));
        book
    }

    #[test]
    fn better_price_then_older_order_trades_first() {
        let taken = book().take(Side::Buy, None, Want::Size(d(3)), AccountId(9), SelfTrade::Allow);
        let makers: Vec<_> = taken.matches.iter().map(|one| one.maker.0).collect();
        assert_eq!(makers, [2, 3, 1]);
        assert_eq!(taken.left, d(0));
    }

    #[test]
    fn limit_stops_at_its_price() {
        let taken =
            book().take(Side::Buy, Some(d(100)), Want::Size(d(5)), AccountId(9), SelfTrade::Allow);
        assert_eq!((taken.matches.len(), taken.left), (2, d(3)));
    }

    #[test]
    fn notional_buys_whole_lots_and_leaves_the_rest() {
        let want = Want::Notional { amount: d(250), lot: d(1) };
        let taken = book().take(Side::Buy, None, want, AccountId(9), SelfTrade::Allow);
        assert_eq!((taken.matches.len(), taken.left), (2, d(50)));
    }

    #[test]
    fn self_trade_modes_remove_what_they_say() {
        let run = |policy| book().take(Side::Buy, None, Want::Size(d(3)), ME, policy);
        let maker = run(SelfTrade::CancelMaker);
        assert_eq!((maker.removed.len(), maker.matches.len(), maker.stopped), (1, 2, false));
        let taker = run(SelfTrade::CancelTaker);
        assert_eq!((taker.removed.len(), taker.matches.len(), taker.stopped), (0, 1, true));
        let both = run(SelfTrade::CancelBoth);
        assert_eq!((both.removed.len(), both.matches.len(), both.stopped), (1, 1, true));
        assert_eq!(run(SelfTrade::Allow).matches.len(), 3);
    }

    #[test]
    fn met_by_counts_what_a_taker_would_get() {
        fn sum(met: impl Iterator<Item = (OrderId, Decimal)>) -> Decimal {
            met.map(|row| row.1).sum()
        }
        let mine = |policy| sum(book().met_by(Side::Buy, None, ME, policy));
        assert_eq!(mine(SelfTrade::Allow), d(4));
        assert_eq!(mine(SelfTrade::CancelMaker), d(3));
        // The own order comes second and stops the taker.
        assert_eq!((mine(SelfTrade::CancelTaker), mine(SelfTrade::CancelBoth)), (d(1), d(1)));
        let limit = Some(d(100));
        assert_eq!(sum(book().met_by(Side::Buy, limit, OTHER, SelfTrade::CancelMaker)), d(1));
    }

    #[test]
    fn highest_reached_passes_own_orders_over() {
        let highest = |size, account| book().highest_reached(Side::Buy, None, d(size), account);
        assert_eq!(highest(2, AccountId(9)), Some(d(100)));
        assert_eq!(highest(2, ME), Some(d(101)));
        assert_eq!(highest(1, OTHER), Some(d(100)));
        assert_eq!(book().highest_reached(Side::Buy, Some(d(99)), d(1), ME), None);
    }

    #[test]
    fn level_totals_follow_trades_and_removals() {
        let mut book = book();
        assert!(book.remove(Side::Sell, d(100), OrderId(2)));
        assert!(!book.remove(Side::Sell, d(100), OrderId(2)));
        assert_eq!(book.levels(Side::Sell, 9), [(d(100), d(1)), (d(101), d(2))]);
        book.take(Side::Buy, None, Want::Size(d(2)), OTHER, SelfTrade::Allow);
        assert_eq!(book.levels(Side::Sell, 9), [(d(101), d(1))]);
    }
}
