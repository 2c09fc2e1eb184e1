use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::event::RawEvent;
use crate::queue::{Overflow, Reader, queue};
use crate::update::Update;

const PAIR: &str = "spot/user/order:BTC_USDT";
const ALL: &str = "spot/user/orders:ALL_SYMBOLS";

fn join(router: &mut Router, id: MemberId, topic: &str) -> Reader<RawEvent> {
    let (writer, reader) = queue(16, Overflow::End, Arc::default());
    let symbol = topic::split(topic).1.filter(|symbol| *symbol != "ALL_SYMBOLS").map(Arc::from);
    router.join(Member { id, topic: topic.into(), symbol, writer: writer.into(), ready: None });
    reader
}

/// What was handed out since the last look.
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
fn an_order_of_a_pair_that_is_subscribed_twice_over_is_not_doubled() {
    for pairs_table in [false, true] {
        let mut router = Router::new(Dialect::Spot);
        let pair = join(&mut router, 1, PAIR);
        let all = join(&mut router, 2, ALL);
        // The venue serves the pair's topic, and the topic of all pairs with one table or the other.
        let own = frame("spot/user/order", &["BTC_USDT"]);
        router.dispatch("spot/user/order", &own);
        let table = if pairs_table { "spot/user/order" } else { "spot/user/orders" };
        router.dispatch(table, &frame(table, &["ETH_USDT"]));
        assert_eq!(events(&pair), ["BTC_USDT"]);
        assert_eq!(events(&all), ["ETH_USDT"]);
        router.dispatch("spot/user/orders", &frame("spot/user/orders", &["BTC_USDT"]));
        assert_eq!((events(&pair).len(), events(&all).len()), (0, 1), "its own table alone");
    }
}

#[test]
fn all_pairs_get_every_order_while_no_pair_is_subscribed() {
    let mut router = Router::new(Dialect::Spot);
    let all = join(&mut router, 2, ALL);
    let pair = join(&mut router, 1, PAIR);
    router.leave(1);
    let text = frame("spot/user/order", &["BTC_USDT", "ETH_USDT"]);
    router.dispatch("spot/user/order", &text);
    assert_eq!(events(&all), ["BTC_USDT", "ETH_USDT"]);
    assert_eq!(events(&pair), [""; 0]);
}
