//! What an order becomes does not depend on the order in which its reports arrive.

use bitmart_types::{Decimal, Side, Timestamp, dec};
use proptest::prelude::*;

use super::{Instrument, Order, OrderProgress};
use bitmart_types::{futures, spot};

/// The kinds of orders, by what their reports contain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    SpotLimit,
    SpotMarketBuy,
    Futures,
}

const SIZE: Decimal = dec!(10);

/// A report of an order with this filled size.
fn report(kind: Kind, time: i64, filled: Decimal, is_end: bool) -> Order {
    let progress = match kind {
        Kind::SpotLimit | Kind::SpotMarketBuy => {
            let state = match is_end {
                false => spot::OrderState::New,
                true if kind == Kind::SpotLimit && filled == SIZE => spot::OrderState::Filled,
                true => spot::OrderState::PartiallyCanceled,
            };
            let order_type = match kind {
                Kind::SpotMarketBuy => spot::OrderType::Market,
                _ => spot::OrderType::Limit,
            };
            OrderProgress::from_spot(&state, Some(&order_type), &Side::Buy, filled)
        }
        Kind::Futures => {
            let state =
                if is_end { futures::OrderState::Finished } else { futures::OrderState::Open };
            OrderProgress::from_futures(&state, SIZE, filled)
        }
    };
    let is_market_buy = kind == Kind::SpotMarketBuy;
    Order {
        order_id: "1".into(),
        client_order_id: None,
        instrument: match kind {
            Kind::Futures => Instrument::Contract("BTCUSDT".into()),
            _ => Instrument::Pair("BTC_USDT".into()),
        },
        side: Side::Buy,
        progress: progress.expect("a known state"),
        price: (!is_market_buy).then_some(dec!(5)),
        size: (!is_market_buy).then_some(SIZE),
        notional: (is_market_buy && is_end).then_some(dec!(50)),
        filled_size: filled,
        filled_notional: None,
        create_time: is_end.then_some(Timestamp::from_millis(1)),
        update_time: Some(Timestamp::from_millis(time)),
    }
}

fn merged(reports: &[Order]) -> Order {
    let mut reports = reports.iter().cloned();
    let mut order = reports.next().expect("a report");
    for report in reports {
        order.advance(report);
    }
    order
}

/// Reports of one order: its filled size grows, and up to two reports of its end may disagree about the last fill. A
/// report of the end may lack price or size.
fn reports() -> impl Strategy<Value = Vec<Order>> {
    let kind = prop_oneof![Just(Kind::SpotLimit), Just(Kind::SpotMarketBuy), Just(Kind::Futures)];
    let end = (0..=10_u32, any::<bool>(), any::<bool>());
    (kind, prop::collection::vec(0..=10_u32, 0..4), prop::collection::vec(end, 1..3)).prop_map(
        |(kind, mut open, mut end)| {
            open.sort_unstable();
            end.sort_unstable();
            let last_open = open.last().copied().unwrap_or_default();
            let open = open.into_iter().zip(1..);
            let mut reports: Vec<_> =
                open.map(|(filled, time)| report(kind, time, filled.into(), false)).collect();
            for ((filled, has_price, has_size), time) in end.into_iter().zip(10..) {
                let mut end = report(kind, time, filled.max(last_open).into(), true);
                end.price = end.price.filter(|_| has_price);
                end.size = end.size.filter(|_| has_size);
                reports.push(end);
            }
            reports
        },
    )
}

proptest! {
    #[test]
    fn reports_in_any_order_give_the_same_order(
        (reports, shuffled) in reports().prop_flat_map(|reports| {
            (Just(reports.clone()), Just(reports).prop_shuffle())
        }),
    ) {
        let in_order = merged(&reports);
        prop_assert_eq!(&merged(&shuffled), &in_order);
        let last = reports.last().expect("a report");
        prop_assert_eq!(in_order.progress, last.progress, "the last report tells the whole truth");
        prop_assert_eq!(in_order.create_time, Some(Timestamp::from_millis(1)));
        prop_assert_eq!(in_order.notional, last.notional);
    }
}

#[test]
fn a_market_buy_whose_fill_is_reported_after_its_end_is_filled() {
    let reports =
        [Decimal::ZERO, dec!(1)].map(|filled| report(Kind::SpotMarketBuy, 1, filled, true));
    assert_eq!(reports[0].progress, OrderProgress::Canceled);
    assert_eq!(merged(&reports).progress, OrderProgress::Filled);
}
