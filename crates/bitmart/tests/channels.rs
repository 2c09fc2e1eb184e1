//! Every channel, from the sandbox through the client: each delivers a typed event.

use std::fmt::Debug;
use std::time::Duration;

use bitmart::rest::{futures, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::Timestamp;
use bitmart::ws::event::{BalanceReason, DepthSide, Event};
use bitmart::ws::topic::{self, DepthLevels, DepthSpeed, FuturesInterval, SpotInterval};
use bitmart::ws::{Subscription, Topic, Update, catalog};
use bitmart::{dec, rest, ws};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// How long a test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

struct Desk {
    exchange: Sandbox,
    rest: rest::Client,
    ws: ws::Client,
    /// Patterns of the channels that delivered an event.
    seen: Vec<&'static str>,
}

impl Desk {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let exchange = Sandbox::start(Config::new().seed(3)).await?;
        let environment = sandbox::environment(&exchange)?;
        let credentials = sandbox::credentials(&exchange)?;
        let rest = rest::Client::builder()
            .environment(environment.clone())
            .credentials(credentials.clone())
            .build()?;
        let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
        Ok(Self { exchange, rest, ws, seen: Vec::new() })
    }

    fn saw<T>(&mut self, topic: &Topic<T>) {
        // Its frames do not tell it from the channel of one contract.
        let all_tickers = (topic.name() == "futures/ticker").then_some("futures/ticker");
        let channel = catalog::channel(topic.dialect(), topic.name());
        self.seen.extend(all_tickers.or(channel.map(|channel| channel.pattern)));
    }

    /// Subscribes and waits for an event for which `wanted` holds.
    async fn expect<T: Event + Debug>(
        &mut self,
        topic: Topic<T>,
        wanted: impl Fn(&T) -> bool,
    ) -> TestResult {
        let mut subscription = self.ws.subscribe(topic.clone()).await?;
        self.hear(&mut subscription, wanted).await
    }

    async fn hear<T: Event + Debug>(
        &mut self,
        subscription: &mut Subscription<T>,
        wanted: impl Fn(&T) -> bool,
    ) -> TestResult {
        let topic = subscription.topic().clone();
        let found = async {
            while let Some(update) = subscription.next().await {
                match update? {
                    Update::Data(event) if wanted(&event) => return Ok(()),
                    Update::Data(_) | Update::Subscribed | Update::Lagged(_) => {}
                    other => return Err(format!("{topic}: {other:?}").into()),
                }
            }
            Err(format!("{topic}: the subscription ended").into())
        };
        let result: TestResult =
            tokio::time::timeout(PATIENCE, found).await.map_err(|_| format!("{topic}: nothing"))?;
        self.saw(&topic);
        result
    }
}

fn is_fresh(time: Timestamp) -> bool {
    Timestamp::now().duration_since(time) < Duration::from_secs(60)
}

#[tokio::test]
async fn every_channel_delivers_a_typed_event() -> TestResult {
    let mut desk = Desk::open().await?;
    spot_market(&mut desk).await?;
    futures_market(&mut desk).await?;
    spot_account(&mut desk).await?;
    futures_account(&mut desk).await?;
    let missing: Vec<&str> = catalog::channels()
        .iter()
        .map(|channel| channel.pattern)
        .filter(|pattern| !desk.seen.contains(pattern))
        .collect();
    assert!(missing.is_empty(), "no event of {missing:?}");
    desk.exchange.shutdown().await;
    Ok(())
}

async fn spot_market(desk: &mut Desk) -> TestResult {
    desk.expect(topic::spot::ticker("BTC_USDT"), |ticker| ticker.last_price > Some(dec!(0)))
        .await?;
    for interval in SpotInterval::ALL {
        let topic = topic::spot::klines("BTC_USDT", *interval);
        desk.expect(topic, |kline| kline.candle.low <= kline.candle.high).await?;
    }
    for levels in [DepthLevels::Five, DepthLevels::Twenty, DepthLevels::Fifty] {
        desk.expect(topic::spot::depth("BTC_USDT", levels), |book| {
            book.asks.len() == levels.count()
                && book.bids.len() == levels.count()
                && book.timestamp.is_some_and(is_fresh)
        })
        .await?;
    }
    let book = topic::spot::depth_increase("BTC_USDT");
    desk.expect(book, |book| !book.asks.is_empty()).await?;
    desk.expect(topic::spot::trades("BTC_USDT"), |trade| trade.timestamp.is_some_and(is_fresh))
        .await?;
    desk.expect(topic::spot::book_ticker("BTC_USDT"), |ticker| {
        ticker.symbol() == Some("BTC_USDT") && ticker.bid_price < ticker.ask_price
    })
    .await
}

async fn futures_market(desk: &mut Desk) -> TestResult {
    desk.expect(topic::futures::ticker("BTCUSDT"), |ticker| ticker.mark_price > Some(dec!(0)))
        .await?;
    desk.expect(topic::futures::all_tickers(), |ticker| ticker.symbol() == Some("ETHUSDT")).await?;
    let mut rates = desk.ws.subscribe(topic::futures::funding_rate("BTCUSDT")).await?;
    desk.hear(&mut rates, |rate| rate.next_settlement > rate.timestamp).await?;
    rates.request().await?;
    desk.hear(&mut rates, |rate| rate.timestamp.is_some_and(is_fresh)).await?;
    let (levels, speed) = (DepthLevels::Five, DepthSpeed::Ms100);
    let mut side = desk.ws.subscribe(topic::futures::depth("BTCUSDT", levels, speed)).await?;
    for wanted in [DepthSide::Bids, DepthSide::Asks] {
        desk.hear(&mut side, |book| book.side == wanted && book.levels.len() == 5).await?;
    }
    desk.expect(topic::futures::depth_all("BTCUSDT", levels, speed), |book| {
        book.asks.len() == 5 && book.bids[0].price < book.asks[0].price
    })
    .await?;
    let book = topic::futures::depth_increase("BTCUSDT", levels, speed);
    desk.expect(book, |book| !book.asks.is_empty()).await?;
    let best = topic::futures::book_ticker("BTCUSDT");
    desk.expect(best, |ticker| ticker.bid_price < ticker.ask_price).await?;
    desk.expect(topic::futures::trades("BTCUSDT"), |trade| trade.timestamp.is_some_and(is_fresh))
        .await?;
    // They come once a second, so all are waited for at the same time.
    let (mut klines, mut marks) = (Vec::new(), Vec::new());
    for interval in FuturesInterval::ALL {
        let topic = topic::futures::klines("BTCUSDT", *interval);
        klines.push(desk.ws.subscribe(topic).await?);
        let topic = topic::futures::mark_price_klines("BTCUSDT", *interval);
        marks.push(desk.ws.subscribe(topic).await?);
    }
    for kline in klines.iter_mut().chain(&mut marks) {
        desk.hear(kline, |kline| kline.candle.low <= kline.candle.high).await?;
    }
    Ok(())
}

async fn spot_account(desk: &mut Desk) -> TestResult {
    let mut orders = desk.ws.subscribe(topic::spot::user_orders("BTC_USDT")).await?;
    let mut all_orders = desk.ws.subscribe(topic::spot::all_user_orders()).await?;
    let mut balances = desk.ws.subscribe(topic::spot::user_balances()).await?;
    desk.rest.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(100))).await?;
    desk.hear(&mut orders, |order| order.fill().is_some()).await?;
    desk.hear(&mut balances, |update| {
        update.reason == Some(BalanceReason::Trade)
            && update.balances.iter().any(|row| row.currency.as_str() == "BTC")
    })
    .await?;
    desk.rest.spot().submit_order(spot::NewOrder::market_buy("ETH_USDT", dec!(100))).await?;
    desk.hear(&mut all_orders, |order| order.symbol() == Some("ETH_USDT")).await
}

async fn futures_account(desk: &mut Desk) -> TestResult {
    let mut orders = desk.ws.subscribe(topic::futures::user_orders()).await?;
    let mut assets = desk.ws.subscribe(topic::futures::user_assets("USDT")).await?;
    let mut positions = desk.ws.subscribe(topic::futures::user_positions()).await?;
    let order = futures::NewOrder::open_long("BTCUSDT", 3, futures::Execution::Market)
        .leverage(dec!(5))
        .margin_type(futures::MarginType::Isolated);
    desk.rest.futures().submit_order(order).await?;
    desk.hear(&mut orders, |update| update.fill().is_some()).await?;
    desk.hear(&mut assets, |asset| asset.position_deposit > Some(dec!(0))).await?;
    desk.hear(&mut positions, |position| {
        position.size == dec!(3) && position.margin_type == Some(futures::MarginType::Isolated)
    })
    .await
}
