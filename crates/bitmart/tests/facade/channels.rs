//! Every channel of the sandbox delivers typed events through the client.

use std::fmt::Debug;
use std::time::Duration;

use bitmart::rest::{futures, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::Timestamp;
use bitmart::ws::event::Event;
use bitmart::ws::futures::DepthSide;
use bitmart::ws::spot::BalanceReason;
use bitmart::ws::topic::Topic;
use bitmart::ws::topic::{self, DepthLevels, DepthSpeed, FuturesInterval, SpotInterval};
use bitmart::ws::{Subscription, Update, catalog};
use bitmart::{dec, rest, ws};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Harness {
    exchange: Sandbox,
    rest: rest::Client,
    ws: ws::Client,
    /// Patterns of the channels that have delivered an event.
    seen: Vec<&'static str>,
}

impl Harness {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let exchange = Sandbox::start(Config::new().seed(3)).await?;
        let environment = sandbox::environment(&exchange);
        let credentials = sandbox::credentials(&exchange)?;
        let rest = rest::Client::builder()
            .environment(environment.clone())
            .credentials(credentials.clone())
            .build()?;
        let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
        Ok(Self { exchange, rest, ws, seen: Vec::new() })
    }

    fn mark_seen<T>(&mut self, topic: &Topic<T>) {
        // The frames of this topic are the same as those of a single contract's channel.
        let all_tickers = (topic.name() == "futures/ticker").then_some("futures/ticker");
        let channel = catalog::channel(topic.market(), topic.name());
        self.seen.extend(all_tickers.or(channel.map(|channel| channel.pattern)));
    }

    /// Subscribes and waits for an event that matches `wanted`.
    async fn expect<T: Event + Debug>(
        &mut self,
        topic: Topic<T>,
        wanted: impl Fn(&T) -> bool,
    ) -> TestResult {
        let mut subscription = self.ws.subscribe(topic.clone()).await?;
        self.wait_for(&mut subscription, wanted).await
    }

    async fn wait_for<T: Event + Debug>(
        &mut self,
        subscription: &mut Subscription<T>,
        wanted: impl Fn(&T) -> bool,
    ) -> TestResult {
        let topic = subscription.topic().clone();
        let reading = async {
            while let Some(update) = subscription.next().await {
                match update? {
                    Update::Data(event) if wanted(&event) => return Ok(()),
                    Update::Data(_) | Update::Subscribed | Update::Lagged(_) => {}
                    other => return Err(format!("{topic}: {other:?}").into()),
                }
            }
            Err(format!("{topic}: the subscription ended").into())
        };
        let result: TestResult = tokio::time::timeout(TIMEOUT, reading)
            .await
            .map_err(|_| format!("{topic}: nothing"))?;
        self.mark_seen(&topic);
        result
    }
}

fn is_fresh(time: Timestamp) -> bool {
    Timestamp::now().duration_since(time) < Duration::from_secs(60)
}

#[tokio::test]
async fn every_channel_delivers_a_typed_event() -> TestResult {
    let mut harness = Harness::open().await?;
    spot_market(&mut harness).await?;
    futures_market(&mut harness).await?;
    spot_account(&mut harness).await?;
    futures_account(&mut harness).await?;
    let missing: Vec<&str> = catalog::channels()
        .iter()
        .map(|channel| channel.pattern)
        .filter(|pattern| !harness.seen.contains(pattern))
        .collect();
    assert!(missing.is_empty(), "no event of {missing:?}");
    harness.exchange.shutdown().await;
    Ok(())
}

async fn spot_market(harness: &mut Harness) -> TestResult {
    harness
        .expect(topic::spot::ticker("BTC_USDT"), |ticker| ticker.last_price > Some(dec!(0)))
        .await?;
    for interval in SpotInterval::ALL {
        let topic = topic::spot::klines("BTC_USDT", *interval);
        harness.expect(topic, |kline| kline.low <= kline.high).await?;
    }
    for levels in [DepthLevels::Five, DepthLevels::Twenty, DepthLevels::Fifty] {
        harness
            .expect(topic::spot::depth("BTC_USDT", levels), |book| {
                book.asks.len() == levels.count()
                    && book.bids.len() == levels.count()
                    && book.timestamp.is_some_and(is_fresh)
            })
            .await?;
    }
    let book = topic::spot::depth_updates("BTC_USDT");
    harness.expect(book, |book| !book.asks.is_empty()).await?;
    harness
        .expect(topic::spot::trades("BTC_USDT"), |trade| trade.timestamp.is_some_and(is_fresh))
        .await?;
    harness
        .expect(topic::spot::book_ticker("BTC_USDT"), |ticker| {
            ticker.symbol() == Some("BTC_USDT") && ticker.bid_price < ticker.ask_price
        })
        .await
}

async fn futures_market(harness: &mut Harness) -> TestResult {
    harness
        .expect(topic::futures::ticker("BTCUSDT"), |ticker| ticker.mark_price > Some(dec!(0)))
        .await?;
    harness
        .expect(topic::futures::all_tickers(), |ticker| ticker.symbol() == Some("ETHUSDT"))
        .await?;
    let mut rates = harness.ws.subscribe(topic::futures::funding_rate("BTCUSDT")).await?;
    harness.wait_for(&mut rates, |rate| rate.next_funding_time > rate.timestamp).await?;
    rates.request_snapshot().await?;
    harness.wait_for(&mut rates, |rate| rate.timestamp.is_some_and(is_fresh)).await?;
    let (levels, speed) = (DepthLevels::Five, DepthSpeed::Ms100);
    let mut side =
        harness.ws.subscribe(topic::futures::side_depth("BTCUSDT", levels, speed)).await?;
    for wanted in [DepthSide::Bids, DepthSide::Asks] {
        harness.wait_for(&mut side, |book| book.side == wanted && book.levels.len() == 5).await?;
    }
    harness
        .expect(topic::futures::depth("BTCUSDT", levels, speed), |book| {
            book.asks.len() == 5 && book.bids[0].price < book.asks[0].price
        })
        .await?;
    let book = topic::futures::depth_updates("BTCUSDT", levels, speed);
    harness.expect(book, |book| !book.asks.is_empty()).await?;
    let best = topic::futures::book_ticker("BTCUSDT");
    harness.expect(best, |ticker| ticker.bid_price < ticker.ask_price).await?;
    harness
        .expect(topic::futures::trades("BTCUSDT"), |trade| trade.timestamp.is_some_and(is_fresh))
        .await?;
    // They are sent once a second, so all are subscribed at once.
    let (mut klines, mut marks) = (Vec::new(), Vec::new());
    for interval in FuturesInterval::ALL {
        let topic = topic::futures::klines("BTCUSDT", *interval);
        klines.push(harness.ws.subscribe(topic).await?);
        let topic = topic::futures::mark_price_klines("BTCUSDT", *interval);
        marks.push(harness.ws.subscribe(topic).await?);
    }
    for kline in klines.iter_mut().chain(&mut marks) {
        harness.wait_for(kline, |kline| kline.low <= kline.high).await?;
    }
    Ok(())
}

async fn spot_account(harness: &mut Harness) -> TestResult {
    let mut orders = harness.ws.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    let mut all_orders = harness.ws.subscribe(topic::spot::all_user_orders()).await?;
    let mut balances = harness.ws.subscribe(topic::spot::user_balances()).await?;
    harness.rest.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(100))).await?;
    harness.wait_for(&mut orders, |order| order.fill().is_some()).await?;
    harness
        .wait_for(&mut balances, |update| {
            update.reason == Some(BalanceReason::Trade)
                && update.balances.iter().any(|row| row.currency.as_str() == "BTC")
        })
        .await?;
    harness.rest.spot().submit_order(spot::NewOrder::market_buy("ETH_USDT", dec!(100))).await?;
    harness.wait_for(&mut all_orders, |order| order.symbol() == Some("ETH_USDT")).await
}

async fn futures_account(harness: &mut Harness) -> TestResult {
    let mut orders = harness.ws.subscribe(topic::futures::user_orders()).await?;
    let mut balances = harness.ws.subscribe(topic::futures::user_balances("USDT")).await?;
    let mut positions = harness.ws.subscribe(topic::futures::user_positions()).await?;
    let order = futures::NewOrder::open_long("BTCUSDT", 3, futures::Execution::Market)
        .leverage(dec!(5))
        .margin_type(futures::MarginType::Isolated);
    harness.rest.futures().submit_order(order).await?;
    harness.wait_for(&mut orders, |update| update.fill().is_some()).await?;
    harness.wait_for(&mut balances, |balance| balance.position_deposit > Some(dec!(0))).await?;
    harness
        .wait_for(&mut positions, |position| {
            position.size == dec!(3) && position.margin_type == Some(futures::MarginType::Isolated)
        })
        .await
}
