//! Which subscribers a frame and an event reach.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::event::RawEvent;
use crate::queue::{Overflow, Reader, queue};
use crate::update::Update;

const PAIR: &str = "spot/user/order:BTC_USDT";
const ALL: &str = "spot/user/orders:ALL_SYMBOLS";

fn add_subscriber(router: &mut Router, id: SubscriberId, topic: &str) -> Reader<RawEvent> {
    add_with(router, id, topic, None)
}

fn add_with(
    router: &mut Router,
    id: SubscriberId,
    topic: &str,
    ack_target: Option<AckTarget>,
) -> Reader<RawEvent> {
    let (writer, reader) = queue(16, Overflow::End, Arc::default());
    router.add(Subscriber { id, topic: topic.into(), sink: writer.into(), ack_target });
    reader
}

/// Returns the symbols of the events delivered since the last call.
fn events(reader: &Reader<RawEvent>) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut events = Vec::new();
    while let Poll::Ready(Some(Ok(update))) = reader.poll_next(&mut context) {
        let Update::Data(event) = update else { panic!("{update:?}") };
        events.push(event.symbol.expect("a symbol").to_string());
    }
    events
}

fn frame(table: &str, symbols: &[&str]) -> String {
    let entries: Vec<_> =
        symbols.iter().map(|symbol| format!(r#"{{"symbol":"{symbol}"}}"#)).collect();
    format!(r#"{{"table":"{table}","data":[{}]}}"#, entries.join(","))
}

#[test]
fn an_order_of_a_pair_is_not_delivered_twice_beside_all_pairs() {
    for pairs_table in [false, true] {
        let mut router = Router::new(Market::Spot);
        let pair = add_subscriber(&mut router, 1, PAIR);
        let all = add_subscriber(&mut router, 2, ALL);
        // The server serves the pair's topic, and the topic of all pairs with one table or the other.
        let own = frame("spot/user/order", &["BTC_USDT"]);
        router.dispatch("spot/user/order", &own);
        let table = if pairs_table { "spot/user/order" } else { "spot/user/orders" };
        router.dispatch(table, &frame(table, &["ETH_USDT"]));
        assert_eq!(events(&pair), ["BTC_USDT"]);
        assert_eq!(events(&all), ["ETH_USDT"]);
        router.dispatch("spot/user/orders", &frame("spot/user/orders", &["BTC_USDT"]));
        assert_eq!((events(&pair).len(), events(&all).len()), (0, 1), "only its own table");
    }
}

#[test]
fn a_pair_whose_topic_is_not_acknowledged_takes_no_order_from_all_pairs() {
    let mut router = Router::new(Market::Spot);
    let all = add_subscriber(&mut router, 1, ALL);
    let pair = add_with(&mut router, 2, PAIR, Some(AckTarget::Stream));
    let text = frame("spot/user/order", &["BTC_USDT"]);
    router.dispatch("spot/user/order", &text);
    assert_eq!((events(&pair).len(), events(&all).len()), (0, 1));
    router.session_event(SessionEvent::Subscribed { topic: PAIR.into() });
    router.dispatch("spot/user/order", &text);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(Update::Subscribed))) = pair.poll_next(&mut context) else {
        panic!("not acknowledged")
    };
    assert_eq!((events(&pair).len(), events(&all).len()), (1, 0));
}

#[test]
fn the_topic_of_all_pairs_gets_every_order_without_pair_topics() {
    let mut router = Router::new(Market::Spot);
    let all = add_subscriber(&mut router, 2, ALL);
    let pair = add_subscriber(&mut router, 1, PAIR);
    router.remove(1);
    let text = frame("spot/user/order", &["BTC_USDT", "ETH_USDT"]);
    router.dispatch("spot/user/order", &text);
    assert_eq!(events(&all), ["BTC_USDT", "ETH_USDT"]);
    assert_eq!(events(&pair), [""; 0]);
}

#[test]
fn a_futures_group_in_another_case_or_with_another_suffix_is_delivered() {
    let mut router = Router::new(Market::Futures);
    let reader = add_subscriber(&mut router, 1, "futures/klineBin1H:BTCUSDT");
    let group = |group: &str| format!(r#"{{"group":"{group}","data":{{"symbol":"BTCUSDT"}}}}"#);
    for (channel, delivered) in [
        ("futures/klineBin1H:BTCUSDT", 1),
        ("futures/klineBin1h:BTCUSDT", 1),
        ("futures/klinebin1H:btcusdt@100ms", 1),
        ("futures/klineBin1D:BTCUSDT", 0),
        ("futures/klineBin1H:ETHUSDT", 0),
    ] {
        assert!(router.dispatch(channel, &group(channel)), "{channel}");
        assert_eq!(events(&reader).len(), delivered, "{channel}");
    }
    // On spot a minute and a month differ in case alone.
    let mut router = Router::new(Market::Spot);
    let minute = add_subscriber(&mut router, 1, "spot/kline1m:BTC_USDT");
    router.dispatch("spot/kline1M", &frame("spot/kline1M", &["BTC_USDT"]));
    assert_eq!(events(&minute).len(), 0);
}
