//! How the snapshot of a fetch changes open orders and balances.

use bitmart_types::{Side, Timestamp, dec};
use bitmart_ws::ReconnectReason;

use super::{AccountSync, Change, LossCause, Request, Snapshot};
use crate::{
    AccountEvent, AccountState, Assumptions, Balance, Health, Instrument, MAX_HISTORY_LAG,
    MalformedItem, Market, Order, OrderProgress,
};

const SPOT: Market = Market::Spot;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// A tracker whose market has a stream and is live from second 10 on.
fn live() -> AccountSync {
    let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
    sync.set_audit_interval(at(0), None);
    sync.follow(at(0), SPOT);
    assert_eq!(sync.poll_request(at(0)), Some(Request::Open { market: SPOT }));
    sync.streams_opened(at(0), SPOT, 1);
    fetch(&mut sync, at(10), Snapshot::default());
    sync
}

fn fetch(sync: &mut AccountSync, now: Timestamp, snapshot: Snapshot) {
    let Some(Request::Fetch { id, .. }) = sync.poll_request(now) else { panic!("a fetch") };
    sync.fetch_completed(now, SPOT, id, snapshot);
}

/// The stream is down from second 20 to 22.
fn lose(sync: &mut AccountSync) {
    let cause = LossCause::Reconnecting(ReconnectReason::Closed { code: None, text: None });
    sync.stream_lost(at(20), SPOT, 0, Some(at(20)), cause);
    sync.stream_up(at(22), SPOT, 0, at(22));
    while sync.poll_event().is_some() {}
}

fn events(sync: &mut AccountSync) -> Vec<AccountEvent> {
    std::iter::from_fn(|| sync.poll_event()).collect()
}

fn open_order(update_time: Option<Timestamp>) -> Order {
    Order {
        order_id: "7".into(),
        client_order_id: None,
        instrument: Instrument::Pair("BTC_USDT".into()),
        side: Side::Buy,
        progress: OrderProgress::Open,
        price: Some(dec!(1)),
        size: Some(dec!(1)),
        notional: None,
        filled_size: dec!(0),
        filled_notional: None,
        create_time: None,
        update_time,
    }
}

fn is_open(sync: &AccountSync) -> bool {
    sync.state().order(SPOT, &"7".into()).is_some()
}

fn removals(sync: &mut AccountSync) -> usize {
    let is_removal = |event: &AccountEvent| matches!(event, AccountEvent::OrderNotFound { .. });
    events(sync).iter().filter(|event| is_removal(event)).count()
}

#[test]
fn an_open_order_that_the_exchange_does_not_know_is_removed_before_the_market_is_live() {
    // With a time, without one, and with one that is ahead by the clock of the exchange.
    for time in [Some(at(19)), None, Some(at(25))] {
        let mut sync = live();
        sync.apply(at(19), SPOT, 0, Change::Order(open_order(time)));
        lose(&mut sync);
        let unknown = || Snapshot { orders_not_found: vec!["7".into()], ..Snapshot::default() };
        fetch(&mut sync, at(22), unknown());
        assert!(is_open(&sync), "{time:?}: the query may lag behind");
        let due = sync.deadline().expect("a fetch is due");
        assert!(due > at(22) + MAX_HISTORY_LAG);
        fetch(&mut sync, due, unknown());
        assert!(!is_open(&sync), "{time:?}");
        assert_eq!(removals(&mut sync), 1, "{time:?}");
    }
}

#[test]
fn an_open_order_that_the_stream_reported_since_the_loss_stays() {
    let mut sync = live();
    lose(&mut sync);
    sync.apply(at(24), SPOT, 0, Change::Order(open_order(None)));
    let orders_not_found = vec!["7".into()];
    fetch(&mut sync, at(28), Snapshot { orders_not_found, ..Snapshot::default() });
    assert!(is_open(&sync) && removals(&mut sync) == 0);
}

#[test]
fn an_order_that_the_exchange_calls_finished_is_removed_at_once() {
    let mut sync = live();
    sync.apply(at(19), SPOT, 0, Change::Order(open_order(Some(at(19)))));
    lose(&mut sync);
    let finished_orders = vec!["7".into()];
    fetch(&mut sync, at(22), Snapshot { finished_orders, ..Snapshot::default() });
    assert!(!is_open(&sync) && removals(&mut sync) == 1);
}

fn held() -> Balance {
    Balance { frozen: Some(dec!(2)), ..Balance::new(dec!(1)) }
}

#[test]
fn a_balance_that_a_complete_list_lacks_is_0_and_reported() {
    for (received, incomplete, expected) in [
        // Before the loss.
        (19, false, Balance { frozen: Some(dec!(0)), ..Balance::new(dec!(0)) }),
        (19, true, held()),
        // After it, so that the list may be older.
        (24, false, held()),
    ] {
        let mut sync = live();
        let change = || Change::Balance("BTC".into(), held());
        sync.apply(at(19), SPOT, 0, change());
        lose(&mut sync);
        if received > 20 {
            sync.apply(at(received), SPOT, 0, change());
        }
        events(&mut sync);
        let snapshot = Snapshot { balances_incomplete: incomplete, ..Snapshot::default() };
        fetch(&mut sync, at(28), snapshot);
        let balance = sync.state().balance(SPOT, &"BTC".into());
        assert_eq!(balance, Some(&expected), "{received} {incomplete}");
        let of_btc = |event: &AccountEvent| match event {
            AccountEvent::Balance { currency, .. } => currency.as_str() == "BTC",
            _ => false,
        };
        let reported = events(&mut sync).iter().filter(|event| of_btc(event)).count();
        assert_eq!(reported, usize::from(expected != held()), "{received} {incomplete}");
    }
}

#[test]
fn an_unknown_instrument_is_named_and_does_not_keep_the_market_from_being_live() {
    let mut sync = live();
    sync.apply(at(19), SPOT, 0, Change::Order(open_order(None)));
    lose(&mut sync);
    let instrument = Instrument::Pair("BTC_USDT".into());
    let unknown = || Snapshot {
        unknown_instruments: [instrument.clone()].into(),
        malformed: vec![MalformedItem::UnknownInstrument {
            order_id: "7".into(),
            instrument: instrument.clone(),
        }],
        ..Snapshot::default()
    };
    for _ in 0..2 {
        let due = sync.deadline().expect("a fetch is due");
        fetch(&mut sync, due, unknown());
        let is_report = |event: &AccountEvent| matches!(event, AccountEvent::Malformed { .. });
        assert!(events(&mut sync).iter().any(is_report), "each fetch reports the order");
    }
    assert_eq!(sync.health(SPOT), Some(Health::Live));
    assert_eq!(sync.unknown_instruments(SPOT).collect::<Vec<_>>(), [&instrument]);
    assert!(is_open(&sync), "nothing says that it is finished");
    lose_again(&mut sync);
    fetch(&mut sync, at(32), Snapshot::default());
    assert_eq!(sync.unknown_instruments(SPOT).count(), 0, "the exchange knows it again");
}

/// The stream is down from second 30 to 32.
fn lose_again(sync: &mut AccountSync) {
    let cause = LossCause::Reconnecting(ReconnectReason::Closed { code: None, text: None });
    sync.stream_lost(at(30), SPOT, 0, Some(at(30)), cause);
    sync.stream_up(at(32), SPOT, 0, at(32));
}
