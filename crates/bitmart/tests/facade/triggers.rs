//! Orders that wait for a price: plan, take-profit, stop-loss, trailing and algo orders, and their events.

use std::time::Duration;

use bitmart::rest::{futures, spot};
use bitmart::sandbox::{self, Config, Permission, Sandbox};
use bitmart::ws::futures::{OrderAction, OrderUpdate};
use bitmart::ws::{Subscription, Update, topic};
use bitmart::{Credentials, Decimal, OrderId, dec, rest, ws};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(20);
const SYMBOL: &str = "BTCUSDT";

/// A trader and a counterparty in a market without makers.
struct Harness {
    exchange: Sandbox,
    trader: rest::Client,
    counterparty: rest::Client,
    orders: Subscription<OrderUpdate>,
}

impl Harness {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let exchange = Sandbox::start(Config::new().market_maker(false)).await?;
        let key = exchange.create_key(exchange.create_account()?, [Permission::FutureTrade])?;
        let client = |credentials| {
            let environment = sandbox::environment(&exchange);
            let client = rest::Client::builder().environment(environment).credentials(credentials);
            Ok::<_, Box<dyn std::error::Error>>(client.build()?)
        };
        let trader = client(sandbox::credentials(&exchange)?)?;
        let counterparty =
            client(Credentials::new(key.key.as_str(), key.secret.as_str(), key.memo.as_str())?)?;
        let ws = ws::Client::builder()
            .environment(sandbox::environment(&exchange))
            .credentials(sandbox::credentials(&exchange)?)
            .build()?;
        let mut orders = ws.subscribe(topic::futures::user_orders()).await?;
        let first = tokio::time::timeout(TIMEOUT, orders.next()).await?;
        assert!(matches!(first, Some(Ok(Update::Subscribed))), "{first:?}");
        Ok(Self { exchange, trader, counterparty, orders })
    }

    /// Waits for the next event of an order of this type.
    async fn next(
        &mut self,
        kind: futures::OrderType,
    ) -> Result<OrderUpdate, Box<dyn std::error::Error>> {
        let reading = async {
            while let Some(update) = self.orders.next().await {
                match update? {
                    Update::Data(event) if event.order.order_type.as_ref() == Some(&kind) => {
                        return Ok(event);
                    }
                    _ => {}
                }
            }
            Err("the stream has ended".into())
        };
        tokio::time::timeout(TIMEOUT, reading).await?
    }

    /// The trader buys one contract from the counterparty.
    async fn trade(&self, price: Decimal) -> TestResult {
        let sell = futures::NewOrder::open_short(SYMBOL, 1, futures::Execution::Limit(price));
        let buy = futures::NewOrder::open_long(SYMBOL, 1, futures::Execution::Limit(price));
        for (client, order) in [(&self.counterparty, sell), (&self.trader, buy)] {
            let order = order.leverage(dec!(10)).margin_type(futures::MarginType::Cross);
            client.futures().submit_order(order).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_plan_order_is_reported_when_submitted_and_when_triggered() -> TestResult {
    let mut harness = Harness::open().await?;
    let plan = futures::NewPlanOrder::open_long(
        SYMBOL,
        2,
        futures::Leverage::cross(dec!(10)),
        futures::Trigger::falling(dec!(59000)).price_type(futures::PriceType::Last),
        futures::Execution::Limit(dec!(58000)),
    );
    let id = harness.trader.futures().submit_plan_order(plan).await?.order_id;
    let update = harness.next(futures::OrderType::Plan).await?;
    assert_eq!(update.action, Some(OrderAction::Submit));
    assert_eq!(
        (update.order.order_id, update.order.state),
        (id.clone(), Some(futures::OrderState::Open))
    );
    assert_eq!(update.order.trigger_price, Some(dec!(59000)));
    assert_eq!(update.order.trigger_price_type, Some(futures::PriceType::Last));
    assert_eq!(update.order.execution_price, Some(dec!(58000)));
    assert_eq!(update.order.activation_price, None);
    let plans = harness.trader.futures().plan_orders(futures::ListPlanOrders::new()).await?;
    assert_eq!(plans.iter().map(|plan| &plan.order_id).collect::<Vec<_>>(), [&id]);

    harness.trade(dec!(59000)).await?;
    let placed = loop {
        let update = harness.next(futures::OrderType::Limit).await?;
        if update.order.price == Some(dec!(58000)) {
            break update.order;
        }
    };
    assert_eq!((placed.plan_order_id.as_ref(), placed.size), (Some(&id), Some(dec!(2))));
    let update = harness.next(futures::OrderType::Plan).await?;
    assert_eq!(update.fill(), None);
    assert_eq!(
        (update.order.order_id, update.order.state),
        (id, Some(futures::OrderState::Finished))
    );
    assert!(harness.trader.futures().plan_orders(futures::ListPlanOrders::new()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_stop_loss_triggers_and_the_take_profit_is_canceled_with_the_position() -> TestResult {
    let mut harness = Harness::open().await?;
    harness.trade(dec!(60000)).await?;
    let futures = harness.trader.futures();
    let take = futures::NewTpSlOrder::take_profit_long(SYMBOL, dec!(61000));
    let take = futures.submit_tp_sl_order(take).await?;
    assert!(take.client_order_id.is_some());
    futures
        .submit_tp_sl_order(futures::NewTpSlOrder::stop_loss_long(SYMBOL, dec!(59500)).size(1))
        .await?;
    let close = futures::NewOrder::close_short(SYMBOL, 1, futures::Execution::Limit(dec!(59400)));
    harness.counterparty.futures().submit_order(close).await?;
    // The trade reaches the stop price. The stop-loss closes one contract of two.
    harness.trade(dec!(59500)).await?;
    let update = harness.next(futures::OrderType::StopLoss).await?;
    assert_eq!(update.action, Some(OrderAction::Submit));
    let update = harness.next(futures::OrderType::Market).await?;
    let stop = update.order.plan_order_id.clone().ok_or("the stop-loss")?;
    let update = harness.next(futures::OrderType::StopLoss).await?;
    assert_eq!(
        (update.order.order_id, update.order.state),
        (stop, Some(futures::OrderState::Finished))
    );
    let short = futures::NewOrder::close_short(SYMBOL, 1, futures::Execution::Limit(dec!(59400)));
    harness.counterparty.futures().submit_order(short).await?;
    let close = futures::NewOrder::close_long(SYMBOL, 1, futures::Execution::Market);
    harness.trader.futures().submit_order(close).await?;
    let update = harness.next(futures::OrderType::TakeProfit).await?;
    assert_eq!(update.order.order_id, take.order_id);
    assert_eq!(update.action, Some(OrderAction::Cancel));
    assert_eq!(update.order.state, Some(futures::OrderState::Finished));
    Ok(())
}

#[tokio::test]
async fn a_trailing_order_is_listed_as_open_until_canceled() -> TestResult {
    let mut harness = Harness::open().await?;
    let trail = futures::Trail::new(dec!(59000), dec!(0.5)).price_type(futures::PriceType::Mark);
    let order = futures::NewTrailingOrder::open_long(
        SYMBOL,
        1,
        futures::Leverage::isolated(dec!(5)),
        trail,
    );
    let id = harness.trader.futures().submit_trailing_order(order).await?.order_id;
    let update = harness.next(futures::OrderType::Trailing).await?;
    assert_eq!((update.order.order_id, update.order.callback_rate), (id.clone(), Some(dec!(0.5))));
    assert_eq!(update.order.activation_price, Some(dec!(59000)));
    assert_eq!(update.order.activation_price_type, Some(futures::PriceType::Mark));
    assert_eq!(update.order.trigger_price, None);
    let open = harness.trader.futures().open_orders(futures::ListOpenOrders::new()).await?;
    assert_eq!(open[0].order_id, id);
    assert_eq!(open[0].order_type, Some(futures::OrderType::Trailing));
    harness.trader.futures().cancel_trailing_order((SYMBOL, id)).await?;
    let update = harness.next(futures::OrderType::Trailing).await?;
    assert_eq!(update.action, Some(OrderAction::Cancel));
    Ok(())
}

#[tokio::test]
async fn an_algo_order_is_found_by_either_id() -> TestResult {
    let harness = Harness::open().await?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.01), dec!(58000));
    let algo = spot::SubmitAlgoOrder::trigger(order, dec!(59000));
    let client_id = algo.client_order_id().cloned().ok_or("an id")?;
    let receipt =
        harness.trader.spot().submit_algo_order(algo).await?.into_value().ok_or("a receipt")?;
    let id: OrderId = receipt.order_id.ok_or("an id")?;
    let spot = harness.trader.spot();
    let by_id = spot.algo_order(id.clone()).await?.into_value().ok_or("an algo order")?;
    let by_client_id =
        spot.algo_order_by_client_id(client_id).await?.into_value().ok_or("an algo order")?;
    assert_eq!(by_id, by_client_id);
    assert_eq!(by_id.order_id, Some(id));
    harness.exchange.shutdown().await;
    Ok(())
}
