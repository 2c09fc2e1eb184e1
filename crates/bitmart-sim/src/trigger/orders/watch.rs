//! The waiting trigger orders of one market, by the price that triggers them.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::super::{Condition, Direction, OrderId, PriceType};

/// The waiting trigger orders of one market.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct MarketWatch {
    last: PriceWatch,
    mark: PriceWatch,
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
    followed_price: Option<Decimal>,
}

impl MarketWatch {
    fn of(&self, price_type: PriceType) -> &PriceWatch {
        match price_type {
            PriceType::Last => &self.last,
            PriceType::Mark => &self.mark,
        }
    }

    fn of_mut(&mut self, price_type: PriceType) -> &mut PriceWatch {
        match price_type {
            PriceType::Last => &mut self.last,
            PriceType::Mark => &mut self.mark,
        }
    }

    /// Adds a waiting trigger order.
    pub(super) fn insert(&mut self, id: OrderId, condition: &Condition) {
        let watch = self.of_mut(condition.watched());
        match condition {
            Condition::Reach { price, direction: Direction::Rise, .. } => {
                watch.rising.insert((*price, id));
            }
            Condition::Reach { price, direction: Direction::Fall, .. } => {
                watch.falling.insert((*price, id));
            }
            Condition::Trail(_) => {
                watch.trailing.insert(id);
                watch.followed_price = None;
            }
        }
    }

    /// Removes a trigger order with the condition that it was added with.
    pub(super) fn remove(&mut self, id: OrderId, condition: &Condition) {
        let watch = self.of_mut(condition.watched());
        match condition {
            Condition::Reach { price, direction: Direction::Rise, .. } => {
                watch.rising.remove(&(*price, id));
            }
            Condition::Reach { price, direction: Direction::Fall, .. } => {
                watch.falling.remove(&(*price, id));
            }
            Condition::Trail(_) => {
                watch.trailing.remove(&id);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        [&self.last, &self.mark].into_iter().all(PriceWatch::is_empty)
    }

    /// Whether a trigger order watches this price.
    pub(in super::super) fn has(&self, price_type: PriceType) -> bool {
        !self.of(price_type).is_empty()
    }

    /// Whether a price triggers an order, or must be followed by one.
    pub(in super::super) fn is_affected_by(&self, price_type: PriceType, price: Decimal) -> bool {
        let watch = self.of(price_type);
        (!watch.trailing.is_empty() && watch.followed_price != Some(price))
            || watch.reached(price).next().is_some()
    }

    /// Returns the trigger orders whose fixed price is reached.
    pub(super) fn reached(
        &self,
        price_type: PriceType,
        price: Decimal,
    ) -> impl Iterator<Item = OrderId> {
        self.of(price_type).reached(price)
    }

    /// Lets the trailing orders follow a price, unless they have. The function returns `None` for one that does not.
    pub(super) fn follow(
        &mut self,
        price_type: PriceType,
        price: Decimal,
        mut follow: impl FnMut(OrderId) -> Option<()>,
    ) {
        let watch = self.of_mut(price_type);
        if watch.followed_price == Some(price) {
            return;
        }
        let mut have_all_followed = true;
        for id in &watch.trailing {
            have_all_followed &= follow(*id).is_some();
        }
        watch.followed_price = have_all_followed.then_some(price);
    }

    /// Returns the fixed trigger prices.
    pub(super) fn prices(&self) -> impl Iterator<Item = Decimal> {
        let both = [&self.last, &self.mark].into_iter();
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
