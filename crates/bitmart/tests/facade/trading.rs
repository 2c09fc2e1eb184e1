//! Trading over TLS: orders and their fills, and lost connections and responses.

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart::rest::{Outcome, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::ws::spot::OrderUpdate;
use bitmart::ws::{Subscription, Update, topic};
use bitmart::{ClientOrderId, OrderId, TradeId, dec, rest, ws};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Harness {
    exchange: Sandbox,
    rest: rest::Client,
    ws: ws::Client,
}

async fn open() -> Result<Harness, Box<dyn std::error::Error>> {
    let exchange = Sandbox::start(Config::new().tls(true).seed(11)).await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    Ok(Harness { exchange, rest, ws })
}

/// Reads updates until `wanted` returns a value. Records all fills.
async fn until<R>(
    orders: &mut Subscription<OrderUpdate>,
    fills: &mut Vec<TradeId>,
    wanted: impl Fn(&Update<OrderUpdate>) -> Option<R>,
) -> Result<R, Box<dyn std::error::Error>> {
    tokio::time::timeout(TIMEOUT, async {
        while let Some(update) = orders.next().await {
            let update = update?;
            if let Update::Data(order) = &update {
                fills.extend(order.fill().map(|fill| fill.trade_id));
            }
            if let Some(value) = wanted(&update) {
                return Ok(value);
            }
        }
        Err("the subscription ended".into())
    })
    .await?
}

/// Matches the final update of the order with this client order id.
fn finished(id: &ClientOrderId) -> impl Fn(&Update<OrderUpdate>) -> Option<OrderUpdate> {
    move |update| match update {
        Update::Data(order)
            if order.client_order_id.as_ref() == Some(id)
                && !matches!(
                    order.state,
                    Some(spot::OrderState::New | spot::OrderState::PartiallyFilled)
                ) =>
        {
            Some(order.clone())
        }
        _ => None,
    }
}

#[tokio::test]
async fn the_fill_of_a_placed_order_arrives_with_a_fee() -> TestResult {
    let harness = open().await?;
    let mut orders = harness.ws.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    let order = spot::NewOrder::market_buy("BTC_USDT", dec!(100));
    let id = order.client_order_id().clone();
    let placed = harness.rest.spot().submit_order(order).await?;

    let mut seen = Vec::new();
    let last = until(&mut orders, &mut seen, finished(&id)).await?;
    assert_eq!(last.order_id, placed.order_id);
    let fills = harness.rest.spot().order_fills(placed.order_id.clone()).await?;
    assert!(!fills.is_empty());
    assert!(fills.iter().all(|fill| fill.fee > Some(dec!(0))), "{fills:?}");
    let reported: BTreeSet<_> = fills.iter().map(|fill| fill.trade_id.clone()).collect();
    assert_eq!(reported, seen.into_iter().collect());
    harness.exchange.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn disconnects_lose_and_duplicate_no_fill() -> TestResult {
    let harness = open().await?;
    let mut orders = harness.ws.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    let mut streamed = Vec::new();
    let mut watched = BTreeSet::new();
    let mut missed = Vec::new();
    for round in 0..3 {
        let order = spot::NewOrder::market_buy("BTC_USDT", dec!(50));
        let id = order.client_order_id().clone();
        watched.insert(harness.rest.spot().submit_order(order).await?.order_id);
        until(&mut orders, &mut streamed, finished(&id)).await?;

        harness.exchange.kill_sockets();
        tokio::time::timeout(TIMEOUT, async {
            while harness.exchange.sockets() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await?;
        // This order fills while disconnected: only REST returns its fills.
        let order = spot::NewOrder::market_sell("BTC_USDT", dec!(0.001));
        missed.push(harness.rest.spot().submit_order(order).await?.order_id);
        until(&mut orders, &mut streamed, |update| {
            matches!(update, Update::Reconnecting(_)).then_some(())
        })
        .await
        .map_err(|error| format!("round {round}: {error}"))?;
        until(&mut orders, &mut streamed, |update| {
            matches!(update, Update::Resynced).then_some(())
        })
        .await?;
    }
    let unique: BTreeSet<_> = streamed.iter().cloned().collect();
    assert_eq!(unique.len(), streamed.len(), "a fill was reported twice");
    // The stream reported every fill while it was subscribed.
    let ledger = harness.exchange.fills();
    let of_watched: BTreeSet<TradeId> = ledger
        .iter()
        .filter(|fill| watched.contains(&OrderId::from(fill.order_id.as_str())))
        .map(|fill| TradeId::from(fill.trade_id.as_str()))
        .collect();
    assert_eq!(unique, of_watched);
    // With REST for the missed orders, every fill is known.
    let mut known = unique;
    for order_id in missed {
        let fills = harness.rest.spot().order_fills(order_id).await?;
        known.extend(fills.into_iter().map(|fill| fill.trade_id));
    }
    assert_eq!(known, ledger.iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect());
    Ok(())
}

#[tokio::test]
async fn an_order_with_a_lost_response_is_found_by_its_client_order_id() -> TestResult {
    let harness = open().await?;
    harness.exchange.inject(Fault::DropAfter.on("/spot/v2/submit_order"));
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
    let id = order.client_order_id().clone();
    let error =
        harness.rest.spot().submit_order(order).await.expect_err("the response was dropped");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");

    let order =
        harness.rest.spot().order_by_client_id(spot::QueryOrderByClientId::new(id.clone())).await?;
    assert_eq!(order.client_order_id, Some(id));
    assert_eq!(order.state, spot::OrderState::New);
    assert_eq!(harness.exchange.orders().len(), 1, "nothing was sent twice");
    Ok(())
}

#[tokio::test]
async fn a_request_dropped_before_processing_has_an_unknown_outcome() -> TestResult {
    let harness = open().await?;
    harness.exchange.inject(Fault::DropBefore.on("/spot/v2/submit_order"));
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
    let id = order.client_order_id().clone();
    let error = harness.rest.spot().submit_order(order).await.expect_err("the request was dropped");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");

    let query = spot::QueryOrderByClientId::new(id);
    let error = harness.rest.spot().order_by_client_id(query).await.expect_err("there is no order");
    assert_eq!(error.outcome(), Outcome::Rejected, "{error}");
    assert!(harness.exchange.orders().is_empty());
    Ok(())
}
