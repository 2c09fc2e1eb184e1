//! The events of orders.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::{Event, OrderId, futures_order::OrderMode, spot_order::SpotOrderState, trigger};

/// The latest state of each order that an event reported.
#[derive(Debug, Default)]
pub(super) struct OrderEvents {
    spot: HashMap<OrderId, SpotOrderState>,
    futures: HashMap<OrderId, bool>,
    plans: HashMap<OrderId, trigger::TriggerState>,
    /// Orders that trigger orders have placed.
    placed: HashSet<OrderId>,
}

impl OrderEvents {
    /// States move forward, and a finished order has no further event.
    pub(super) fn check(&mut self, events: Vec<Event>) -> Result<(), TestCaseError> {
        for event in events {
            match event {
                Event::SpotOrder { order, .. } => {
                    let before =
                        self.spot.insert(order.id, order.state).unwrap_or(SpotOrderState::New);
                    let forward = before <= order.state && before.is_open();
                    prop_assert!(forward, "{before:?} became {:?}", order.state);
                }
                Event::FuturesOrder { order, .. } => {
                    let was_open = self.futures.insert(order.id, order.open).unwrap_or(true);
                    prop_assert!(was_open, "a finished futures order changed");
                    if order.request.mode == OrderMode::FillOrKill && !order.open {
                        let none_or_all = [Decimal::ZERO, order.request.size];
                        prop_assert!(none_or_all.contains(&order.filled), "{:?}", order);
                    }
                }
                Event::FuturesPlan { plan, .. } => {
                    let before = self.plans.insert(plan.id, plan.state);
                    let was_waiting =
                        before.is_none_or(|state| state == trigger::TriggerState::Waiting);
                    prop_assert!(was_waiting, "a finished trigger order changed");
                    if let trigger::TriggerState::Placed(order) = plan.state {
                        prop_assert!(
                            self.placed.insert(order),
                            "two trigger orders placed the same order"
                        );
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
