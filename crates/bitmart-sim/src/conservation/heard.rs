//! What is told of orders.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::{Event, OrderId, futures_order::Mode, order::State, trigger};

/// What was last heard of each order.
#[derive(Debug, Default)]
pub(super) struct Heard {
    spot: HashMap<OrderId, State>,
    futures: HashMap<OrderId, bool>,
    plans: HashMap<OrderId, trigger::State>,
    /// Orders that a trigger placed.
    placed: HashSet<OrderId>,
}

impl Heard {
    /// States move forward, and nothing is heard of a finished order.
    pub(super) fn hear(&mut self, events: Vec<Event>) -> Result<(), TestCaseError> {
        for event in events {
            match event {
                Event::SpotOrder { order, .. } => {
                    let before = self.spot.insert(order.id, order.state).unwrap_or(State::New);
                    let forward = before <= order.state && before.is_open();
                    prop_assert!(forward, "{before:?} became {:?}", order.state);
                }
                Event::FuturesOrder { order, .. } => {
                    let was_open = self.futures.insert(order.id, order.open).unwrap_or(true);
                    prop_assert!(was_open, "a finished futures order moved");
                    if order.request.mode == Mode::FillOrKill && !order.open {
                        let none_or_all = [Decimal::ZERO, order.request.size];
                        prop_assert!(none_or_all.contains(&order.filled), "{:?}", order);
                    }
                }
                Event::FuturesPlan { plan, .. } => {
                    let before = self.plans.insert(plan.id, plan.state);
                    let waited = before.is_none_or(|state| state == trigger::State::Waiting);
                    prop_assert!(waited, "a trigger that had ended moved");
                    if let trigger::State::Placed(order) = plan.state {
                        prop_assert!(self.placed.insert(order), "two triggers placed one order");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
