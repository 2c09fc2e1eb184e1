//! Orders that wait for a price, from the client through the sandbox and back as events.

use std::time::Duration;

use bitmart::rest::{futures, spot};
use bitmart::sandbox::{self, Config, Permission, Sandbox};
use bitmart::ws::event::{FuturesOrderAction, FuturesOrderUpdate};
use bitmart::ws::{Subscription, Update, topic};
use bitmart::{Credentials, Decimal, OrderId, dec, rest, ws};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// How long a test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);
const SYMBOL: &str = "BTCUSDT";

/// Two customers in a market without makers.
struct Desk {
    exchange: Sandbox,
    mine: rest::Client,
    other: rest::Client,
    orders: Subscription<FuturesOrderUpdate>,
}

impl Desk {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let exchange = Sandbox::start(Config::new().market_maker(false)).await?;
        let key = exchange.create_key(exchange.create_account(), [Permission::FutureTrade])?;
        let client = |credentials| {
            let environment = sandbox::environment(&exchange)?;
            let client = rest::Client::builder().environment(environment).credentials(credentials);
            Ok::<_, Box<dyn std::error::Error>>(client.build()?)
        };
        let mine = client(sandbox::credentials(&exchange)?)?;
        let other =
            client(Credentials::new(key.key.as_str(), key.secret.as_str(), key.memo.as_str())?)?;
        let ws = ws::Client::builder()
            .environment(sandbox::environment(&exchange)?)
            .credentials(sandbox::credentials(&exchange)?)
            .build()?;
        let mut orders = ws.subscribe(topic::futures::user_orders()).await?;
        while !matches!(orders.next().await, Some(Ok(Update::Subscribed))) {}
        Ok(Self { exchange, mine, other, orders })
    }

    /// The next event of an order with this type.
    async fn next(
        &mut self,
        kind: futures::OrderType,
    ) -> Result<FuturesOrderUpdate, Box<dyn std::error::Error>> {
        let found = async {
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
        tokio::time::timeout(PATIENCE, found).await?
    }

    /// One contract changes hands at a price; I buy it.
    async fn trade(&self, price: Decimal) -> TestResult {
        let sell = futures::NewOrder::open_short(SYMBOL, 1, futures::Execution::Limit(price));
        let buy = futures::NewOrder::open_long(SYMBOL, 1, futures::Execution::Limit(price));
        for (client, order) in [(&self.other, sell), (&self.mine, buy)] {
            let order = order.leverage(dec!(10)).margin_type(futures::MarginType::Cross);
            client.futures().submit_order(order).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_plan_order_is_heard_of_when_it_comes_and_when_it_fires() -> TestResult {
    let mut desk = Desk::open().await?;
    let plan = futures::NewPlanOrder::open_long(
        SYMBOL,
        2,
        futures::Leverage::cross(dec!(10)),
        futures::Trigger::falling(dec!(59000)).by(futures::PriceType::Last),
        futures::Execution::Limit(dec!(58000)),
    );
    let id = desk.mine.futures().submit_plan_order(plan).await?.order_id;
    let told = desk.next(futures::OrderType::Plan).await?;
    assert_eq!(told.action, Some(FuturesOrderAction::Submit));
    assert_eq!((told.order.order_id, told.order.state), (id.clone(), futures::OrderState::Open));
    assert_eq!(told.order.trigger_price, Some(dec!(59000)));
    assert_eq!(told.order.trigger_price_type, Some(futures::PriceType::Last));
    assert_eq!(told.order.execution_price, Some(dec!(58000)));
    assert_eq!(told.order.activation_price, None);
    let waiting = desk.mine.futures().plan_orders(futures::ListPlanOrders::new()).await?;
    assert_eq!(waiting.iter().map(|plan| &plan.order_id).collect::<Vec<_>>(), [&id]);

    desk.trade(dec!(59000)).await?;
    let placed = loop {
        let told = desk.next(futures::OrderType::Limit).await?;
        if told.order.price == Some(dec!(58000)) {
            break told.order;
        }
    };
    assert_eq!((placed.plan_order_id.as_ref(), placed.size), (Some(&id), Some(dec!(2))));
    let told = desk.next(futures::OrderType::Plan).await?;
    assert_eq!(told.fill(), None);
    assert_eq!((told.order.order_id, told.order.state), (id, futures::OrderState::Finished));
    assert!(desk.mine.futures().plan_orders(futures::ListPlanOrders::new()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_stop_loss_fires_and_the_take_profit_is_cancelled_with_the_position() -> TestResult {
    let mut desk = Desk::open().await?;
    desk.trade(dec!(60000)).await?;
    let futures = desk.mine.futures();
    let take = futures::NewTpSlOrder::take_profit_long(SYMBOL, dec!(61000));
    let take = futures.submit_tp_sl_order(take).await?;
    assert!(take.client_order_id.is_some());
    futures
        .submit_tp_sl_order(futures::NewTpSlOrder::stop_loss_long(SYMBOL, dec!(59500)).size(1))
        .await?;
    let close = futures::NewOrder::close_short(SYMBOL, 1, futures::Execution::Limit(dec!(59400)));
    desk.other.futures().submit_order(close).await?;
    // My own order comes to the price; the stop-loss closes one, and one is left.
    desk.trade(dec!(59500)).await?;
    let told = desk.next(futures::OrderType::StopLoss).await?;
    assert_eq!(told.action, Some(FuturesOrderAction::Submit));
    let told = desk.next(futures::OrderType::Market).await?;
    let stop = told.order.plan_order_id.clone().ok_or("the stop-loss")?;
    let told = desk.next(futures::OrderType::StopLoss).await?;
    assert_eq!((told.order.order_id, told.order.state), (stop, futures::OrderState::Finished));
    let short = futures::NewOrder::close_short(SYMBOL, 1, futures::Execution::Limit(dec!(59400)));
    desk.other.futures().submit_order(short).await?;
    let close = futures::NewOrder::close_long(SYMBOL, 1, futures::Execution::Market);
    desk.mine.futures().submit_order(close).await?;
    let told = desk.next(futures::OrderType::TakeProfit).await?;
    assert_eq!(told.order.order_id, take.order_id);
    assert_eq!(told.action, Some(FuturesOrderAction::Cancel));
    assert_eq!(told.order.state, futures::OrderState::Finished);
    Ok(())
}

#[tokio::test]
async fn a_trailing_order_is_among_the_open_orders_until_it_is_cancelled() -> TestResult {
    let mut desk = Desk::open().await?;
    let trail = futures::Trail::new(dec!(59000), dec!(0.5)).by(futures::PriceType::Fair);
    let order = futures::NewTrailingOrder::open_long(
        SYMBOL,
        1,
        futures::Leverage::isolated(dec!(5)),
        trail,
    );
    let id = desk.mine.futures().submit_trailing_order(order).await?.order_id;
    let told = desk.next(futures::OrderType::Trailing).await?;
    assert_eq!((told.order.order_id, told.order.callback_rate), (id.clone(), Some(dec!(0.5))));
    assert_eq!(told.order.activation_price, Some(dec!(59000)));
    assert_eq!(told.order.activation_price_type, Some(futures::PriceType::Fair));
    assert_eq!(told.order.trigger_price, None);
    let open = desk.mine.futures().open_orders(futures::ListOpenOrders::new()).await?;
    assert_eq!(open[0].order_id, id);
    assert_eq!(open[0].order_type, Some(futures::OrderType::Trailing));
    desk.mine.futures().cancel_trailing_order((SYMBOL, id)).await?;
    let told = desk.next(futures::OrderType::Trailing).await?;
    assert_eq!(told.action, Some(FuturesOrderAction::Cancel));
    Ok(())
}

#[tokio::test]
async fn an_algo_order_is_found_by_both_ids() -> TestResult {
    let desk = Desk::open().await?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.01), dec!(58000));
    let algo = spot::SubmitAlgoOrder::trigger(order, dec!(59000));
    let mine = algo.client_order_id().cloned().ok_or("an id")?;
    let receipt =
        desk.mine.spot().submit_algo_order(algo).await?.into_value().ok_or("a receipt")?;
    let id: OrderId = receipt.order_id.ok_or("an id")?;
    let spot = desk.mine.spot();
    let by_id = spot.algo_order(id.clone()).await?.into_value().ok_or("an algo order")?;
    let by_mine = spot.algo_order_by_client_id(mine).await?.into_value().ok_or("an algo order")?;
    assert_eq!(by_id, by_mine);
    assert_eq!(by_id.order_id, Some(id));
    desk.exchange.shutdown().await;
    Ok(())
}
