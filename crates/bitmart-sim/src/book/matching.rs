//! Matching of a taker against a book.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Book, SelfTradePrevention, Side};
use crate::{AccountId, OrderId};

/// The quantity of a taker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Base units.
    Size(Decimal),
    /// An amount of the quote currency; each trade is rounded down to whole lots.
    Notional {
        /// Quote units.
        amount: Decimal,
        /// Size step in base units.
        lot: Decimal,
    },
}

/// One trade between the taker and a resting order. Nothing is settled yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) maker: OrderId,
    pub(crate) price: Decimal,
    pub(crate) size: Decimal,
}

/// The side of a trade that an order is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TradeRole {
    /// The order rested in the book.
    Maker,
    /// The order met the resting one.
    Taker,
}

/// The result of matching a taker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MatchResult {
    pub(crate) matches: Vec<Match>,
    /// Resting orders removed by self-trade prevention.
    pub(crate) removed: Vec<OrderId>,
    /// Whether self-trade prevention stopped the taker.
    pub(crate) stopped: bool,
    /// The unmatched part of the quantity: base units, or quote units of a notional.
    pub(crate) unmatched: Decimal,
}

impl Book {
    // Rule: The best price trades first, at one price the oldest order. Source: simplified (the usual priority;
    // no source states it)
    /// Matches a taker against the other side, best price first and oldest order first.
    pub(crate) fn take(
        &mut self,
        side: Side,
        limit: Option<Decimal>,
        quantity: Quantity,
        account: AccountId,
        policy: SelfTradePrevention,
    ) -> MatchResult {
        let mut result = MatchResult::default();
        let mut unmatched = match quantity {
            Quantity::Size(size) => size,
            Quantity::Notional { amount, .. } => amount,
        };
        while unmatched > Decimal::ZERO && !result.stopped {
            let Some((level_place, level)) =
                self.best(side.opposite()).filter(|(_, level)| reaches(side, level.price, limit))
            else {
                break;
            };
            let price = level.price;
            let wanted_size = match quantity {
                Quantity::Size(_) => unmatched,
                Quantity::Notional { lot, .. } => whole_lots(unmatched / price, lot),
            };
            if wanted_size <= Decimal::ZERO {
                break;
            }
            let Some(place) = level.oldest else { break };
            let oldest = &mut self.orders[place];
            if oldest.account == account && policy != SelfTradePrevention::Off {
                result.stopped = policy != SelfTradePrevention::CancelMaker;
                if policy == SelfTradePrevention::CancelTaker {
                    break;
                }
                let id = oldest.id;
                result.removed.push(id);
                self.remove(id);
                continue;
            }
            let size = wanted_size.min(oldest.open_size);
            let maker = oldest.id;
            result.matches.push(Match { maker, price, size });
            oldest.open_size -= size;
            let is_filled = oldest.open_size.is_zero();
            self.levels[level_place].total -= size;
            unmatched -= match quantity {
                Quantity::Size(_) => size,
                Quantity::Notional { .. } => size * price,
            };
            if is_filled {
                self.remove(maker);
            }
        }
        result.unmatched = unmatched;
        result
    }
}

/// Whether an order of `side` may trade at a price; without a limit at any.
pub(super) fn reaches(side: Side, price: Decimal, limit: Option<Decimal>) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    })
}

// Rule: A market buy fills whole lots; the rest of its amount is released and the order ends as
// partially_canceled. Source: captured (fixtures/captured/spot-order-market-buy-partially_canceled.json)
/// Rounds a size down to a multiple of `lot`.
pub fn whole_lots(size: Decimal, lot: Decimal) -> Decimal {
    if lot.is_zero() {
        return size;
    }
    (size / lot).round_dp_with_strategy(0, RoundingStrategy::ToZero) * lot
}
