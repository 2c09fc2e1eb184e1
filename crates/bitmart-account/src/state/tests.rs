//! Properties that hold after any sequence of updates.

use std::collections::HashSet;

use bitmart_types::{Side, Timestamp, dec};
use proptest::prelude::*;

use super::{AccountState, OrderKey};
use crate::{Fill, Instrument, Market, Order, OrderProgress, test_support};

const IDS: [&str; 5] = ["1", "2", "3", "4", "5"];

fn order(id: &str, client_id: &str, created: i64, progress: OrderProgress) -> Order {
    Order {
        order_id: id.into(),
        client_order_id: Some(client_id.parse().expect("a client order id")),
        instrument: Instrument::Pair("BTC_USDT".into()),
        side: Side::Buy,
        progress,
        price: Some(dec!(5)),
        size: Some(dec!(2)),
        notional: None,
        filled_size: if progress == OrderProgress::Filled { dec!(2) } else { dec!(0) },
        filled_notional: None,
        create_time: Some(Timestamp::from_millis(created)),
        update_time: None,
    }
}

fn fill(id: &str, trade: usize) -> Fill {
    test_support::fill(id, &trade.to_string(), None)
}

#[derive(Clone, Debug)]
enum Step {
    Order { at: usize, progress: OrderProgress },
    Fill { at: usize },
    Remove { at: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0..IDS.len();
    let progress = prop_oneof![
        Just(OrderProgress::Open),
        Just(OrderProgress::Filled),
        Just(OrderProgress::Canceled)
    ];
    prop_oneof![
        3 => (at.clone(), progress)
            .prop_map(|(at, progress)| Step::Order { at, progress }),
        2 => at.clone().prop_map(|at| Step::Fill { at }),
        1 => at.prop_map(|at| Step::Remove { at }),
    ]
}

/// The client order id of an order. The first two share one, as when it is used again.
fn client_id(at: usize) -> String {
    format!("client{}", at.max(1))
}

fn apply(state: &mut AccountState, step: &Step, trade: usize) {
    match *step {
        Step::Order { at, progress } => {
            let created = i64::try_from(at).expect("a small number");
            state.apply_order(order(IDS[at], &client_id(at), created, progress));
        }
        Step::Fill { at } => {
            state.apply_fill(fill(IDS[at], trade));
        }
        Step::Remove { at } => {
            state.remove_order(Market::Spot, &IDS[at].into());
        }
    }
}

proptest! {
    #[test]
    fn a_finished_order_is_never_open_again(
        limit in 0_usize..4,
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut state = AccountState::new().max_finished_orders(limit);
        let mut finished = HashSet::new();
        for (trade, step) in steps.iter().enumerate() {
            apply(&mut state, step, trade);
            for id in IDS {
                let known = state.order(Market::Spot, &id.into());
                let is_final = known.map(|order| order.progress.is_final());
                prop_assert!(is_final != Some(false) || !finished.contains(id), "{id} is open again");
                if is_final == Some(true) {
                    finished.insert(id);
                }
            }
        }
    }

    #[test]
    fn orders_with_fills_only_are_queued_once_and_others_never(
        limit in 0_usize..4,
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut state = AccountState::new().max_finished_orders(limit);
        for (trade, step) in steps.iter().enumerate() {
            apply(&mut state, step, trade);
            let queued: HashSet<&OrderKey> = state.fills_only_orders.iter().collect();
            prop_assert_eq!(queued.len(), state.fills_only_orders.len(), "one is queued twice");
            let unknown = state.fills.keys().filter(|key| !state.orders.contains_key(*key));
            prop_assert_eq!(queued, unknown.collect::<HashSet<_>>());
            prop_assert!(state.fills_only_orders.len() <= limit.max(1));

            let stored: HashSet<&OrderKey> = state.finished.iter().collect();
            prop_assert_eq!(stored.len(), state.finished.len(), "one is listed twice");
            let known = state.orders.iter().filter(|(_, order)| order.progress.is_final());
            prop_assert_eq!(stored, known.map(|(key, _)| key).collect::<HashSet<_>>());
            prop_assert!(state.finished.len() <= limit.max(1));
        }
    }

    #[test]
    fn a_client_order_id_finds_the_last_created_order_with_it(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut state = AccountState::new();
        for (trade, step) in steps.iter().enumerate() {
            apply(&mut state, step, trade);
            for ((market, client_id), id) in &state.by_client_id {
                let found = state.order(*market, id).expect("the id of a stored order");
                prop_assert_eq!(found.client_order_id.as_ref(), Some(client_id));
            }
            let shared = client_id(1).parse().expect("a client order id");
            let found = state.order_by_client_id(Market::Spot, &shared);
            let later = state.order(Market::Spot, &IDS[1].into());
            if later.is_some() {
                prop_assert_eq!(found, later, "the order of a stale update is found");
            }
        }
    }
}

#[test]
fn a_limit_of_0_counts_as_1() {
    let mut state = AccountState::new().max_finished_orders(0);
    for (at, id) in ["1", "2"].into_iter().enumerate() {
        let created = i64::try_from(at).expect("a small number");
        let update = order(id, id, created, OrderProgress::Filled);
        assert!(state.apply_order(update).is_some(), "{id}");
    }
    assert!(state.order(Market::Spot, &"1".into()).is_none());
    assert!(state.order(Market::Spot, &"2".into()).is_some());
}

#[test]
fn a_late_fill_of_a_dropped_order_is_reported_and_does_not_bring_it_back() {
    let mut state = AccountState::new().max_finished_orders(1);
    state.apply_fill(fill("1", 1));
    for (at, id) in ["1", "2"].into_iter().enumerate() {
        let created = i64::try_from(at).expect("a small number");
        state.apply_order(order(id, id, created, OrderProgress::Filled));
    }
    assert!(state.apply_fill(fill("1", 2)), "it is new");
    assert!(!state.apply_fill(fill("1", 2)), "and reported once");
    assert_eq!(state.fills(Market::Spot, &"1".into()), []);
}

#[test]
fn the_ids_of_dropped_orders_are_limited() {
    let mut dropped = super::DroppedOrders::default();
    let key = |at: usize| (Market::Spot, at.to_string().as_str().into());
    for at in 0..=super::MAX_DROPPED_IDS {
        dropped.insert(key(at));
        dropped.insert(key(at));
    }
    assert!(!dropped.contains(&key(0)) && dropped.contains(&key(1)));
    assert_eq!(
        (dropped.ids.len(), dropped.oldest_first.len()),
        (super::MAX_DROPPED_IDS, super::MAX_DROPPED_IDS)
    );
}
