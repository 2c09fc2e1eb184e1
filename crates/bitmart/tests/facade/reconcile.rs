//! Reconciliation of orders whose responses were lost.

use bitmart::rest::reconcile::Reconciled;
use bitmart::rest::{Client, Outcome, futures, spot};
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::{ClientOrderId, OrderId, dec};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const SPOT: &str = "/spot/v2/submit_order";
const FUTURES: &str = "/contract/private/submit-order";

async fn open() -> Result<(Sandbox, Client), Box<dyn std::error::Error>> {
    let exchange = Sandbox::start(Config::new().seed(5)).await?;
    let client = Client::builder()
        .environment(sandbox::environment(&exchange))
        .credentials(sandbox::credentials(&exchange)?)
        .build()?;
    Ok((exchange, client))
}

async fn spot(
    client: &Client,
    order: spot::NewOrder,
) -> Result<(OrderId, spot::OrderState), String> {
    let id = order.client_order_id().clone();
    let error = client.spot().submit_order(order).await.expect_err("the response is lost");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    match client.spot().reconcile(&id).await.map_err(|error| error.to_string())? {
        Reconciled::Placed(order) => Ok((order.order_id, order.state)),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn reconciles_open_canceled_and_filled_spot_orders() -> TestResult {
    let (exchange, client) = open().await?;
    for fault in [Fault::DropAfter, Fault::HtmlAfter(502), Fault::TruncatedJson] {
        exchange.inject(fault.on(SPOT));
        let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(30000));
        let id = order.client_order_id().clone();
        let (order_id, state) = spot(&client, order).await?;
        assert_eq!(state, spot::OrderState::New);
        let cancel = spot::CancelOrder::new("BTC_USDT", order_id);
        assert!(client.spot().cancel_order(cancel).await?.canceled == Some(true));
        let Reconciled::Placed(order) = client.spot().reconcile(&id).await? else {
            return Err("it was placed".into());
        };
        assert_eq!(order.state, spot::OrderState::Canceled);
    }
    exchange.inject(Fault::DropAfter.on(SPOT));
    let (_, state) = spot(&client, spot::NewOrder::market_sell("BTC_USDT", dec!(0.001))).await?;
    assert_eq!(state, spot::OrderState::Filled);
    Ok(())
}

fn long(execution: futures::Execution) -> futures::NewOrder {
    futures::NewOrder::open_long("BTCUSDT", 1, execution)
        .leverage(dec!(10))
        .margin_type(futures::MarginType::Cross)
}

async fn futures(
    client: &Client,
    id: &ClientOrderId,
) -> Result<(OrderId, futures::OrderState), String> {
    match client.futures().reconcile("BTCUSDT", id).await.map_err(|error| error.to_string())? {
        Reconciled::Placed(order) => Ok((order.order_id, order.state)),
        other => Err(format!("{other:?}")),
    }
}

#[tokio::test]
async fn reconciles_open_canceled_and_filled_futures_orders() -> TestResult {
    let (exchange, client) = open().await?;
    exchange.inject(Fault::DropAfter.on(FUTURES));
    let order = long(futures::Execution::Limit(dec!(30000)));
    let id = order.client_order_id().clone();
    let error = client.futures().submit_order(order).await.expect_err("the response is lost");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    let (order_id, state) = futures(&client, &id).await?;
    assert_eq!(state, futures::OrderState::Open);
    client.futures().cancel_order(futures::CancelOrder::new("BTCUSDT", order_id)).await?;
    assert_eq!(futures(&client, &id).await?.1, futures::OrderState::Finished);

    exchange.inject(Fault::HtmlAfter(502).on(FUTURES));
    let order = long(futures::Execution::Market);
    let id = order.client_order_id().clone();
    client.futures().submit_order(order).await.expect_err("the response is lost");
    assert_eq!(futures(&client, &id).await?.1, futures::OrderState::Finished);
    Ok(())
}
