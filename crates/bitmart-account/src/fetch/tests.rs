//! Fetches from an exchange that truncates its lists, rejects some queries, and changes between two of them.

mod exchange_model;

use bitmart_rest::history::Gap;

use self::exchange_model::{ExchangeModel, OrderModel};
use super::*;

const NOW: i64 = 1_790_000_000_000;
/// The most rows of a list, except that of one spot order.
const PAGE: usize = 200;

/// The results of a fetch of the last minute.
struct Fetched {
    snapshot: Snapshot,
    trade_ids: HashSet<String>,
    /// The reports for which the fetch counts as failed.
    malformed: Vec<String>,
}

async fn fetch(exchange: ExchangeModel, market: Market, open_orders: &[OrderModel]) -> Fetched {
    try_fetch(&Arc::new(Mutex::new(exchange)), market, open_orders).await.expect("fetched")
}

async fn try_fetch(
    exchange: &Arc<Mutex<ExchangeModel>>,
    market: Market,
    open_orders: &[OrderModel],
) -> Result<Fetched, HistoryError> {
    let instrument = |order: &OrderModel| match market {
        Market::Spot => Instrument::Pair(order.symbol.into()),
        Market::Futures => Instrument::Contract(order.symbol.into()),
    };
    let ids =
        open_orders.iter().map(|order| (order.id.to_string().as_str().into(), instrument(order)));
    let from = Some(Timestamp::from_millis(NOW - 60_000));
    let plan = FetchPlan { market, from, open_orders: ids.collect() };
    let pages = PageBuffer::default();
    let client = ExchangeModel::client(exchange.clone());
    let snapshot = plan.run(client, pages.clone()).await?;
    let mut fetched = Fetched { snapshot, trade_ids: HashSet::new(), malformed: Vec::new() };
    for page in pages.take() {
        fetched.trade_ids.extend(page.fills.iter().map(|fill| fill.trade_id.to_string()));
        fetched.malformed.extend(page.malformed.iter().map(ToString::to_string));
    }
    Ok(fetched)
}

/// Asserts that the fetch counts as failed, with one report that begins with this text.
#[track_caller]
fn assert_report(fetched: &Fetched, begin: &str) {
    assert_eq!(fetched.malformed.len(), 1, "{:?}", fetched.malformed);
    assert!(fetched.malformed[0].starts_with(begin), "{:?}", fetched.malformed);
}

/// An order that was placed 30 s ago and filled at once.
fn filled_order(id: usize, symbol: &'static str, fills: usize) -> OrderModel {
    let created = NOW - 30_000;
    OrderModel { id, symbol, created, is_open: false, fill_times: vec![created; fills] }
}

#[tokio::test(start_paused = true)]
async fn more_spot_fills_at_one_millisecond_than_a_page_are_read_order_by_order() {
    // 150 + 90 + 260 = 500 fills; the last order is from before the fetch and still open.
    let mut open = filled_order(3, "BTC_USDT", 260);
    (open.created, open.is_open) = (NOW - 90_000, true);
    let orders =
        vec![filled_order(1, "BTC_USDT", 150), filled_order(2, "ETH_USDT", 90), open.clone()];
    let fetched = fetch(ExchangeModel::new(orders), Market::Spot, &[open]).await;
    assert_eq!(fetched.malformed, Vec::<String>::new());
    assert_eq!(fetched.trade_ids.len(), 500);
}

#[tokio::test(start_paused = true)]
async fn an_order_with_more_fills_than_its_own_list_is_reported_and_the_rest_is_read() {
    let orders = vec![filled_order(1, "BTC_USDT", 450), filled_order(2, "ETH_USDT", 90)];
    let exchange = ExchangeModel { max_order_fills: 300, ..ExchangeModel::new(orders) };
    let fetched = fetch(exchange, Market::Spot, &[]).await;
    assert_report(&fetched, "order 1 of BTC_USDT: ");
    assert!(fetched.malformed[0].contains("start a new tracker"), "{:?}", fetched.malformed);
    assert_eq!(fetched.trade_ids.len(), 300 + 90);
}

#[tokio::test(start_paused = true)]
async fn more_futures_fills_in_a_second_than_a_page_are_read_by_contract_and_order() {
    // 150 + 120 = 270 fills of one contract, 190 of another, and one after a page of others.
    let orders = vec![
        filled_order(1, "BTCUSDT", 150),
        filled_order(2, "BTCUSDT", 120),
        filled_order(3, "ETHUSDT", 190),
        filled_order(4, "LTCUSDT", 1),
    ];
    let fetched = fetch(ExchangeModel::new(orders), Market::Futures, &[]).await;
    assert_eq!(fetched.malformed, Vec::<String>::new());
    assert_eq!(fetched.trade_ids.len(), 150 + 120 + 190 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_futures_order_with_more_than_a_page_of_fills_in_a_second_is_reported() {
    let orders = vec![filled_order(1, "BTCUSDT", 201), filled_order(2, "BTCUSDT", 120)];
    let fetched = fetch(ExchangeModel::new(orders), Market::Futures, &[]).await;
    assert_report(&fetched, "order 1 of BTCUSDT: ");
    assert_eq!(fetched.trade_ids.len(), 200 + 120);
}

#[tokio::test(start_paused = true)]
async fn an_open_order_of_a_delisted_contract_does_not_fail_the_fetch_and_is_named() {
    let mut open = filled_order(1, "OLDUSDT", 0);
    open.is_open = true;
    let orders = vec![open.clone(), filled_order(2, "BTCUSDT", 3)];
    let exchange = ExchangeModel { delisted: "OLDUSDT", ..ExchangeModel::new(orders) };
    let fetched = fetch(exchange, Market::Futures, &[open]).await;
    assert_eq!(fetched.trade_ids.len(), 3, "the other contract is read");
    assert_eq!(fetched.malformed, Vec::<String>::new(), "no reason to repeat the fetch");
    let unknown: Vec<_> = fetched.snapshot.unknown_instruments.iter().collect();
    assert_eq!(unknown, [&Instrument::Contract("OLDUSDT".into())]);
    let reports: Vec<_> = fetched.snapshot.malformed.iter().map(ToString::to_string).collect();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].starts_with("order 1: the exchange does not know OLDUSDT"), "{reports:?}");
    assert!(fetched.snapshot.orders_not_found.is_empty(), "it is not taken for finished");
}

/// Adds 60 fills to the only order after the list of open orders was read.
fn fill_60_more(exchange: &mut ExchangeModel, path: &str) {
    if path.ends_with("/open-orders") || path.ends_with("/get-open-orders") {
        exchange.orders[0].fill_times.extend([NOW - 20_000; 60]);
    }
}

fn open_order(id: usize, symbol: &'static str, fills: usize) -> OrderModel {
    OrderModel { is_open: true, ..filled_order(id, symbol, fills) }
}

#[tokio::test(start_paused = true)]
async fn fills_after_the_row_of_a_spot_order_do_not_hide_that_others_are_missing() {
    // The row says 250. The lists return 200 of these and 60 newer ones: more than 250, and 50 are missing.
    let order = open_order(1, "BTC_USDT", 250);
    let exchange = ExchangeModel { after: fill_60_more, ..ExchangeModel::new(vec![order.clone()]) };
    let fetched = fetch(exchange, Market::Spot, std::slice::from_ref(&order)).await;
    assert_eq!(fetched.malformed, Vec::<String>::new());
    assert_eq!(fetched.trade_ids.len(), 250 + 60);
    // Its own list is truncated to 255 of 310, also more than 250.
    let exchange = ExchangeModel::new(vec![order.clone()]);
    let exchange = ExchangeModel { after: fill_60_more, max_order_fills: 255, ..exchange };
    assert_report(&fetch(exchange, Market::Spot, &[order]).await, "order 1 of BTC_USDT: ");
}

#[tokio::test(start_paused = true)]
async fn fills_after_the_row_of_a_futures_order_do_not_hide_that_others_are_missing() {
    let order = open_order(1, "BTCUSDT", 250);
    let exchange = ExchangeModel { after: fill_60_more, ..ExchangeModel::new(vec![order.clone()]) };
    let fetched = fetch(exchange, Market::Futures, &[order]).await;
    assert_report(&fetched, "order 1 of BTCUSDT: ");
    assert_eq!(fetched.trade_ids.len(), 200 + 60);
}

#[tokio::test(start_paused = true)]
async fn a_listed_contract_that_the_exchange_does_not_know_fails_only_the_fetch_of_a_burst() {
    let orders = vec![filled_order(1, "BTCUSDT", 150), filled_order(2, "BTCUSDT", 120)];
    let exchange = ExchangeModel { delisted: "ETHUSDT", ..ExchangeModel::new(orders) };
    let fetched = fetch(exchange, Market::Futures, &[]).await;
    assert_report(&fetched, "ETHUSDT: the exchange does not know it");
    assert_eq!(fetched.trade_ids.len(), 150 + 120, "the other contract is read");
    let unknown: Vec<_> = fetched.snapshot.unknown_instruments.iter().collect();
    assert_eq!(unknown, [&Instrument::Contract("ETHUSDT".into())]);
}

#[tokio::test(start_paused = true)]
async fn fills_of_a_delisted_contract_may_be_missing_in_a_burst() {
    let open = open_order(3, "OLDUSDT", 10);
    let orders =
        vec![filled_order(1, "BTCUSDT", 150), filled_order(2, "BTCUSDT", 120), open.clone()];
    let exchange = ExchangeModel { delisted: "OLDUSDT", ..ExchangeModel::new(orders) };
    let fetched = fetch(exchange, Market::Futures, &[open]).await;
    assert_report(&fetched, "OLDUSDT: the exchange does not know it");
    assert_eq!(fetched.trade_ids.len(), 150 + 120, "the other contract is read");
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_a_contract_is_not_complete_if_the_list_of_open_futures_orders_is_truncated() {
    let mut orders: Vec<_> = (1_000..1_099).map(|id| open_order(id, "ETHUSDT", 0)).collect();
    orders.extend([filled_order(1, "BTCUSDT", 150), filled_order(2, "BTCUSDT", 120)]);
    let fetched = fetch(ExchangeModel::new(orders.clone()), Market::Futures, &[]).await;
    assert_eq!(fetched.malformed, Vec::<String>::new(), "99 open orders");
    orders.push(open_order(1_099, "ETHUSDT", 0));
    let fetched = fetch(ExchangeModel::new(orders), Market::Futures, &[]).await;
    assert_report(&fetched, "open futures orders: ");
}

#[tokio::test(start_paused = true)]
async fn a_spot_order_that_the_exchange_does_not_know_may_have_fills_in_a_burst() {
    let forgotten = open_order(3, "BTC_USDT", 10);
    let orders =
        vec![filled_order(1, "BTC_USDT", 150), filled_order(2, "ETH_USDT", 90), forgotten.clone()];
    let exchange = ExchangeModel { forgotten: 3, ..ExchangeModel::new(orders) };
    let fetched = fetch(exchange, Market::Spot, &[forgotten]).await;
    assert_report(&fetched, "order 3 of BTC_USDT: ");
    assert_eq!(
        fetched.snapshot.orders_not_found,
        [OrderId::from("3")],
        "the next fetch does not query it"
    );
}

#[tokio::test(start_paused = true)]
async fn an_old_spot_order_whose_list_lacks_its_old_fills_is_not_reported() {
    let mut old = open_order(1, "BTC_USDT", 40);
    old.created = NOW - 90_000;
    old.fill_times.extend([NOW - 85_000; 50]);
    let orders = vec![old.clone(), filled_order(2, "ETH_USDT", 190)];
    let exchange = ExchangeModel { first_fill: NOW - 80_000, ..ExchangeModel::new(orders) };
    let fetched = fetch(exchange, Market::Spot, &[old]).await;
    assert_eq!(fetched.malformed, Vec::<String>::new());
    assert_eq!(fetched.trade_ids.len(), 40 + 190);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_full_whatever_its_times_ends_the_fetch_after_few_requests() {
    let fills = vec![filled_order(1, "BTC_USDT", 200)];
    let orders = (0..200).map(|id| open_order(id, "BTC_USDT", 0)).collect();
    // Of each burst about two requests; down to the first one, the binary logarithm of 70 s or a week in ms.
    for (orders, max_requests) in [(fills, 300), (orders, 50)] {
        let exchange = ExchangeModel { ignores_times: true, ..ExchangeModel::new(orders) };
        let exchange = Arc::new(Mutex::new(exchange));
        let result = try_fetch(&exchange, Market::Spot, &[]).await;
        assert!(matches!(result, Err(HistoryError::Gap(Gap::TooManyRows { .. }))));
        let requests = exchange.lock().expect("no test panicked").requests;
        assert!(requests < max_requests, "{requests}");
    }
}
