//! What the futures engine of the sandbox computes, through the typed client: leverage, both margin modes,
//! one-way mode, funding on the stepped clock, and a liquidation as the private stream tells it.

use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::{Client, LimitPolicy, Limiter, futures};
use bitmart::sandbox::{self, Config, Permission, Sandbox};
use bitmart::types::Clock;
use bitmart::ws::event::FuturesOrderAction;
use bitmart::ws::{Update, topic};
use bitmart::{Credentials, Decimal, Timestamp, dec, ws};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const BEGIN: u64 = 1_700_000_000_000;
/// How long the test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The clients live in the exchange's time.
#[derive(Debug)]
struct ExchangeTime(Arc<Sandbox>);

impl Clock for ExchangeTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.now_ms()).expect("a time"))
    }
}

fn client(
    exchange: &Arc<Sandbox>,
    credentials: Credentials,
) -> Result<Client, Box<dyn std::error::Error>> {
    Ok(Client::builder()
        .environment(sandbox::environment(exchange)?)
        .credentials(credentials)
        .clock(ExchangeTime(exchange.clone()))
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()?)
}

/// A client of a new account.
fn stranger(exchange: &Arc<Sandbox>) -> Result<Client, Box<dyn std::error::Error>> {
    let key = exchange.create_key(exchange.create_account(), Permission::ALL)?;
    client(exchange, Credentials::new(key.key, key.secret, key.memo)?)
}

/// A trader, and another one who takes the other side of every trade. Nobody else makes the market.
struct Desk {
    exchange: Arc<Sandbox>,
    trader: Client,
    other: Client,
}

impl Desk {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let config = Config::new().stepped_clock(BEGIN).rate_limits(false).market_maker(false);
        let exchange = Arc::new(Sandbox::start(config).await?);
        let other = stranger(&exchange)?;
        let trader = client(&exchange, sandbox::credentials(&exchange)?)?;
        Ok(Self { exchange, trader, other })
    }

    async fn buy(&self, price: Decimal, size: u64, margin: futures::MarginType) -> TestResult {
        let at = futures::Execution::Limit(price);
        self.answer(futures::NewOrder::open_short("BTCUSDT", size, at)).await?;
        // Without a leverage: the one that was set.
        let order = futures::NewOrder::open_long("BTCUSDT", size, at).margin_type(margin);
        self.trader.futures().submit_order(order).await?;
        Ok(())
    }

    /// The other one places the order that the trader is to meet.
    async fn answer(&self, order: futures::NewOrder) -> TestResult {
        let order = order.leverage(dec!(10)).margin_type(futures::MarginType::Cross);
        self.other.futures().submit_order(order).await?;
        Ok(())
    }

    async fn set_leverage(&self, margin: futures::MarginType, leverage: Decimal) -> TestResult {
        let request = futures::SetLeverage::new("BTCUSDT", margin.clone()).leverage(leverage);
        let set = self.trader.futures().set_leverage(request).await?;
        assert_eq!((set.leverage, set.margin_type), (leverage, Some(margin)));
        Ok(())
    }

    async fn position(&self) -> Result<futures::Position, Box<dyn std::error::Error>> {
        let rows = self
            .trader
            .futures()
            .positions(futures::ListPositions::new().symbol("BTCUSDT"))
            .await?;
        Ok(rows.into_iter().next().ok_or("no row")?)
    }

    async fn flows(
        &self,
        kind: futures::FlowType,
    ) -> Result<Vec<Decimal>, Box<dyn std::error::Error>> {
        let request = futures::ListTransactions::new().flow_type(kind);
        let rows = self.trader.futures().transactions(request).await?;
        Ok(rows.into_iter().map(|row| row.amount).collect())
    }
}

#[tokio::test]
async fn an_isolated_position_has_its_own_margin_and_a_cross_one_the_wallet() -> TestResult {
    let desk = Desk::open().await?;
    let brackets =
        desk.trader.futures().leverage_brackets(futures::ListLeverageBrackets::new()).await?;
    let first = &brackets.rules.first().ok_or("no contract")?.brackets[0];
    assert_eq!((first.initial_leverage, first.maintenance_margin_ratio), (100, Some(dec!(0.005))));

    desk.set_leverage(futures::MarginType::Isolated, dec!(20)).await?;
    desk.buy(dec!(60000), 100, futures::MarginType::Isolated).await?;
    let isolated = desk.position().await?;
    assert_eq!((isolated.leverage, isolated.initial_margin), (Some(dec!(20)), Some(dec!(300))));
    assert_eq!(isolated.maintenance_margin, Some(dec!(30)));
    // 6,000 - 300 of margin is 0.5 % less than what is left: 5,700 / 0.995 / 0.1 coins.
    assert_eq!(isolated.liquidation_price, Some(dec!(57286.4)));
    let refused =
        futures::SetLeverage::new("BTCUSDT", futures::MarginType::Isolated).leverage(dec!(5));
    let refused =
        desk.trader.futures().set_leverage(refused).await.expect_err("a position is open");
    assert_eq!(refused.code(), Some(40040));

    let close =
        futures::NewOrder::close_long("BTCUSDT", 100, futures::Execution::Limit(dec!(61000)));
    desk.trader.futures().submit_order(close).await?;
    desk.answer(futures::NewOrder::close_short("BTCUSDT", 100, futures::Execution::Market)).await?;
    assert_eq!(desk.flows(futures::FlowType::RealizedProfit).await?, [dec!(100)]);
    assert_eq!(desk.flows(futures::FlowType::Commission).await?, [dec!(-1.22), dec!(-3.6)]);

    desk.set_leverage(futures::MarginType::Cross, dec!(50)).await?;
    desk.buy(dec!(60000), 100, futures::MarginType::Cross).await?;
    let cross = desk.position().await?;
    assert_eq!(
        (cross.margin_type, cross.leverage),
        (Some(futures::MarginType::Cross), Some(dec!(50)))
    );
    assert_eq!(cross.liquidation_price, Some(dec!(0)), "100,000 stand behind 6,000");
    assert_eq!(cross.max_notional_value, Some(dec!(5000000)));
    let risk = desk.trader.futures().position_risk(futures::ListPositionRisk::new()).await?;
    assert_eq!((risk.len(), risk[0].size, risk[0].isolated_margin), (1, dec!(100), Some(dec!(0))));

    desk.buy(dec!(61000), 1, futures::MarginType::Cross).await?;
    desk.exchange.advance(Duration::from_secs(3600));
    let profit = desk.position().await?.unrealized_profit;
    assert_eq!(profit.map(|profit| profit.round()), Some(dec!(100)));
    let assets = desk.trader.futures().assets().await?;
    let usdt = assets.find("USDT").ok_or("no balance")?;
    assert_eq!(usdt.unrealized_profit, profit);
    let bound = usdt.frozen.zip(usdt.position_deposit).map(|(frozen, margin)| frozen + margin);
    assert_eq!(usdt.equity, bound.map(|bound| usdt.available + bound));
    Ok(())
}

#[tokio::test]
async fn one_way_mode_nets_and_flips() -> TestResult {
    let desk = Desk::open().await?;
    let futures = desk.trader.futures();
    let set = futures.set_position_mode(futures::PositionMode::OneWay).await?;
    assert_eq!(set.position_mode, futures::PositionMode::OneWay);
    desk.buy(dec!(60000), 10, futures::MarginType::Cross).await?;
    let refused =
        futures.set_position_mode(futures::PositionMode::Hedge).await.expect_err("one is open");
    assert_eq!(refused.code(), Some(40059));

    desk.answer(futures::NewOrder::open_long(
        "BTCUSDT",
        25,
        futures::Execution::Limit(dec!(60100)),
    ))
    .await?;
    let sell = futures::NewOrder::sell("BTCUSDT", 25, futures::Execution::Limit(dec!(60100)));
    futures.submit_order(sell.margin_type(futures::MarginType::Cross)).await?;
    let rows = futures.positions(futures::ListPositions::new()).await?;
    let row = &rows[0];
    assert_eq!((rows.len(), row.signed_size, row.size), (1, Some(dec!(-15)), dec!(15)));
    assert_eq!(row.position_side, Some(futures::PositionSide::Both));
    assert_eq!(desk.flows(futures::FlowType::RealizedProfit).await?, [dec!(1)]);
    Ok(())
}

#[tokio::test]
async fn funding_is_paid_when_its_hour_has_come() -> TestResult {
    let desk = Desk::open().await?;
    desk.buy(dec!(60000), 100, futures::MarginType::Cross).await?;
    let futures = desk.trader.futures();
    let rate = futures.funding_rate("BTCUSDT").await?;
    let next = rate.funding_time.ok_or("no time")?;
    let due = next.as_millis() - i64::try_from(BEGIN)?;
    desk.exchange.advance(Duration::from_millis(u64::try_from(due)? - 1));
    assert_eq!(desk.flows(futures::FlowType::Funding).await?, []);
    desk.exchange.advance(Duration::from_millis(1));
    // 0.01 % of 6,000: the contract is worth what its index is.
    assert_eq!(desk.flows(futures::FlowType::Funding).await?, [dec!(-0.6)]);
    let past =
        futures.funding_rate_history(futures::ListFundingRateHistory::new("BTCUSDT")).await?;
    assert_eq!(past.list[0].funding_time, next);
    assert_eq!(past.list[0].rate, dec!(0.0001));
    Ok(())
}

#[tokio::test]
async fn a_liquidation_is_told_on_the_private_stream() -> TestResult {
    use FuturesOrderAction::{Bankruptcy, Cancel, LiquidationCancel, PartialLiquidation, Submit};

    let desk = Desk::open().await?;
    let ws = ws::Client::builder()
        .environment(sandbox::environment(&desk.exchange)?)
        .credentials(sandbox::credentials(&desk.exchange)?)
        .clock(ExchangeTime(desk.exchange.clone()))
        .build()?;
    let mut orders = ws.subscribe(topic::futures::user_orders()).await?;
    let mut positions = ws.subscribe(topic::futures::user_positions()).await?;
    desk.set_leverage(futures::MarginType::Isolated, dec!(100)).await?;
    desk.buy(dec!(60000), 100, futures::MarginType::Isolated).await?;
    let close =
        futures::NewOrder::close_long("BTCUSDT", 40, futures::Execution::Limit(dec!(70000)));
    let resting = desk.trader.futures().submit_order(close).await?;

    // Others trade 5 % lower, and the mark price goes there; half of the position finds a bid.
    let bid = |size, price| {
        futures::NewOrder::open_long("BTCUSDT", size, futures::Execution::Limit(price))
    };
    desk.answer(bid(51, dec!(57000))).await?;
    let sell = futures::NewOrder::open_short("BTCUSDT", 1, futures::Execution::Market);
    let sell = sell.leverage(dec!(10)).margin_type(futures::MarginType::Cross);
    stranger(&desk.exchange)?.futures().submit_order(sell).await?;
    desk.exchange.advance(Duration::from_secs(600));

    let mut told = Vec::new();
    while told.last() != Some(&FuturesOrderAction::Bankruptcy) {
        let update = tokio::time::timeout(PATIENCE, orders.next()).await?.ok_or("an event")??;
        if let Update::Data(update) = update {
            if update.action == Some(FuturesOrderAction::LiquidationCancel) {
                assert_eq!(update.order.order_id, resting.order_id);
            }
            told.extend(update.action);
        }
    }
    let end = [LiquidationCancel, Submit, PartialLiquidation, Cancel, Submit, Bankruptcy];
    assert!(told.ends_with(&end), "{told:?}");
    loop {
        let update =
            tokio::time::timeout(PATIENCE, positions.next()).await?.ok_or("an event")??;
        if matches!(update, Update::Data(row) if row.size == dec!(0)) {
            break;
        }
    }
    let history = futures::ListOrderHistory::new("BTCUSDT");
    let forced = desk.trader.futures().order_history(history).await?;
    let kinds: Vec<_> = forced.iter().filter_map(|order| order.order_type.clone()).collect();
    assert_eq!(kinds[..2], [futures::OrderType::Bankruptcy, futures::OrderType::Liquidation]);
    assert_eq!(desk.flows(futures::FlowType::Liquidation).await?.len(), 2);
    let assets = desk.trader.futures().assets().await?;
    let equity = assets.find("USDT").and_then(|usdt| usdt.equity).ok_or("no balance")?;
    let lost = dec!(100000) - equity;
    // Half of the margin went with the bid, some of the other half is left.
    assert!(lost > dec!(33.6) && lost < dec!(63.6), "margin and fee, no more: {lost}");
    let flows: Decimal = desk.flows(futures::FlowType::All).await?.iter().sum();
    assert_eq!(equity, dec!(100000) + flows);
    Ok(())
}

#[tokio::test]
async fn an_order_is_changed_and_cancelled_by_the_countdown() -> TestResult {
    let desk = Desk::open().await?;
    let futures = desk.trader.futures();
    let order = futures::NewOrder::open_long("BTCUSDT", 5, futures::Execution::Limit(dec!(50000)));
    let placed = futures.submit_order(order.margin_type(futures::MarginType::Cross)).await?;
    let change = futures::ModifyLimitOrder::price_and_size(
        "BTCUSDT",
        placed.order_id.clone(),
        dec!(51000),
        7,
    );
    assert_eq!(futures.modify_limit_order(change).await?.order_id, placed.order_id);
    let query = || futures::QueryOrder::new("BTCUSDT", placed.order_id.clone());
    let row = futures.order(query()).await?;
    assert_eq!((row.price, row.size), (Some(dec!(51000)), dec!(7)));

    let timer = futures.cancel_all_after(futures::CancelAllAfter::new("BTCUSDT", 10)).await?;
    assert!(timer.accepted && timer.cancel_time.is_some());
    desk.exchange.advance(Duration::from_secs(9));
    assert_eq!(futures.order(query()).await?.state, futures::OrderState::Open);
    desk.exchange.advance(Duration::from_secs(1));
    assert_eq!(futures.order(query()).await?.state, futures::OrderState::Finished);
    Ok(())
}
