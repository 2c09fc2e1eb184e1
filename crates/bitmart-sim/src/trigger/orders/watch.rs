//! The waiting trigger orders of one market, by the price that triggers them.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::super::{Condition, Direction, OrderId, PriceType};

/// The waiting trigger orders of one market.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct MarketWatch {
    last: PriceWatch,
    fair: PriceWatch,
}

/// Those that watch one price of the market.
#[derive(Debug, Clone, Default)]
struct PriceWatch {
    /// By trigger price, for a price that rises.
    rising: BTreeSet<(Decimal, OrderId)>,
    /// By trigger price, for a price that falls.
    falling: BTreeSet<(Decimal, OrderId)>,
    trailing: BTreeSet<OrderId>,
    /// The latest price, when all trailing ones have followed it. To follow it again would change nothing, because a
    /// callback rate is above zero.
    followed: Option<Decimal>,
}

impl MarketWatch {
    fn of(&self, kind: PriceType) -> &PriceWatch {
        match kind {
            PriceType::Last => &self.last,
            PriceType::Fair => &self.fair,
        }
    }

    fn of_mut(&mut self, kind: PriceType) -> &mut PriceWatch {
        match kind {
            PriceType::Last => &mut self.last,
            PriceType::Fair => &mut self.fair,
        }
    }

    pub(super) fn insert(&mut self, id: OrderId, condition: &Condition) {
        let watch = self.of_mut(condition.watched());
        match condition {
            Condition::Reach { price, way: Direction::Rise, .. } => {
                watch.rising.insert((*price, id));
            }
            Condition::Reach { price, way: Direction::Fall, .. } => {
                watch.falling.insert((*price, id));
            }
            Condition::Trail(_) => {
                watch.trailing.insert(id);
                watch.followed = None;
            }
        }
    }

    pub(super) fn remove(&mut self, id: OrderId, condition: &Condition) {
        let watch = self.of_mut(condition.watched());
        match condition {
            Condition::Reach { price, way: Direction::Rise, .. } => {
                watch.rising.remove(&(*price, id));
            }
            Condition::Reach { price, way: Direction::Fall, .. } => {
                watch.falling.remove(&(*price, id));
            }
            Condition::Trail(_) => {
                watch.trailing.remove(&id);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        [&self.last, &self.fair].into_iter().all(PriceWatch::is_empty)
    }

    /// Whether a trigger order watches this price.
    pub(in super::super) fn has(&self, kind: PriceType) -> bool {
        !self.of(kind).is_empty()
    }

    /// Whether a price triggers an order, or must be followed by one.
    pub(in super::super) fn is_affected_by(&self, kind: PriceType, price: Decimal) -> bool {
        let watch = self.of(kind);
        (!watch.trailing.is_empty() && watch.followed != Some(price))
            || watch.reached(price).next().is_some()
    }

    /// Returns the trigger orders whose fixed price is reached.
    pub(super) fn reached(&self, kind: PriceType, price: Decimal) -> impl Iterator<Item = OrderId> {
        self.of(kind).reached(price)
    }

    /// Lets the trailing orders follow a price, unless they have. The function returns `None` for one that does not.
    pub(super) fn follow(
        &mut self,
        kind: PriceType,
        price: Decimal,
        mut follow: impl FnMut(OrderId) -> Option<()>,
    ) {
        let watch = self.of_mut(kind);
        if watch.followed == Some(price) {
            return;
        }
        let mut all = true;
        for id in &watch.trailing {
            all &= follow(*id).is_some();
        }
        watch.followed = all.then_some(price);
    }

    /// Returns the fixed trigger prices.
    pub(super) fn prices(&self) -> impl Iterator<Item = Decimal> {
        let both = [&self.last, &self.fair].into_iter();
        both.flat_map(|watch| watch.rising.iter().chain(&watch.falling).map(|row| row.0))
    }
}

impl PriceWatch {
    fn is_empty(&self) -> bool {
        self.rising.is_empty() && self.falling.is_empty() && self.trailing.is_empty()
    }

    fn reached(&self, price: Decimal) -> impl Iterator<Item = OrderId> {
        let rising = self.rising.iter();
        let rising = rising.take_while(move |row| Direction::Rise.is_reached(price, row.0));
        let falling = self.falling.iter().rev();
        let falling = falling.take_while(move |row| Direction::Fall.is_reached(price, row.0));
        rising.chain(falling).map(|row| row.1)
    }
}
