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

/// One trade between the taker and a resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) maker: OrderId,
    pub(crate) price: Decimal,
    pub(crate) size: Decimal,
}

/// The result of matching a taker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MatchResult {
    pub(crate) matches: Vec<Match>,
    /// Resting orders removed by self-trade prevention.
    pub(crate) removed: Vec<OrderId>,
    /// Whether self-trade prevention stopped the taker.
    pub(crate) stopped: bool,
    /// The unmatched part of the quantity.
    pub(crate) left: Decimal,
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
        let mut left = match quantity {
            Quantity::Size(size) => size,
            Quantity::Notional { amount, .. } => amount,
        };
        while left > Decimal::ZERO && !result.stopped {
            let Some((at, level)) =
                self.best(side.opposite()).filter(|(_, level)| reaches(side, level.price, limit))
            else {
                break;
            };
            let price = level.price;
            let wanted = match quantity {
                Quantity::Size(_) => left,
                Quantity::Notional { lot, .. } => whole_lots(left / price, lot),
            };
            if wanted <= Decimal::ZERO {
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
            let size = wanted.min(oldest.open);
            let maker = oldest.id;
            result.matches.push(Match { maker, price, size });
            oldest.open -= size;
            let done = oldest.open.is_zero();
            self.levels[at].total -= size;
            left -= match quantity {
                Quantity::Size(_) => size,
                Quantity::Notional { .. } => size * price,
            };
            if done {
                self.remove(maker);
            }
        }
        result.left = left;
        result
    }
}

pub(super) fn reaches(side: Side, best: Decimal, limit: Option<Decimal>) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Buy => best <= limit,
        Side::Sell => best >= limit,
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
