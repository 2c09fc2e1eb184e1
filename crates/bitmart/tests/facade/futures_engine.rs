//! The futures engine of the sandbox through the typed client: leverage, both margin modes, one-way mode,
//! funding, and a liquidation on the private stream.

use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::{Client, futures};
use bitmart::sandbox::{self, Config, Permission, Sandbox};
use bitmart::ws::futures::OrderAction;
use bitmart::ws::{Update, topic};
use bitmart::{Credentials, Decimal, dec, ws};

use crate::exchange_clock::ExchangeClock;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const BEGIN_MS: u64 = 1_700_000_000_000;
/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(20);

fn client(
    exchange: &Arc<Sandbox>,
    credentials: Credentials,
) -> Result<Client, Box<dyn std::error::Error>> {
    Ok(Client::builder()
        .environment(sandbox::environment(exchange))
        .credentials(credentials)
        .clock(ExchangeClock(exchange.clone()))
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()?)
}

/// Creates a client for a new account.
fn new_account_client(exchange: &Arc<Sandbox>) -> Result<Client, Box<dyn std::error::Error>> {
    let key = exchange.create_key(exchange.create_account()?, Permission::ALL)?;
    client(exchange, Credentials::new(key.key, key.secret, key.memo)?)
}

/// A trader and a counterparty, in a market without makers.
struct Harness {
    exchange: Arc<Sandbox>,
    trader: Client,
    counterparty: Client,
}

impl Harness {
    async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        let config = Config::new().stepped_clock(BEGIN_MS).rate_limits(false).market_maker(false);
        let exchange = Arc::new(Sandbox::start(config).await?);
        let counterparty = new_account_client(&exchange)?;
        let trader = client(&exchange, sandbox::credentials(&exchange)?)?;
        Ok(Self { exchange, trader, counterparty })
    }

    async fn buy(&self, price: Decimal, size: u64, margin: futures::MarginType) -> TestResult {
        let at = futures::Execution::Limit(price);
        self.submit_counter_order(futures::NewOrder::open_short("BTCUSDT", size, at)).await?;
        // Without a leverage, the one set before applies.
        let order = futures::NewOrder::open_long("BTCUSDT", size, at).margin_type(margin);
        self.trader.futures().submit_order(order).await?;
        Ok(())
    }

    /// The counterparty submits an order, which meets one of the trader.
    async fn submit_counter_order(&self, order: futures::NewOrder) -> TestResult {
        let order = order.leverage(dec!(10)).margin_type(futures::MarginType::Cross);
        self.counterparty.futures().submit_order(order).await?;
        Ok(())
    }

    async fn set_leverage(&self, margin: futures::MarginType, leverage: Decimal) -> TestResult {
        let request = futures::SetLeverage::new("BTCUSDT", margin.clone()).leverage(leverage);
        let set = self.trader.futures().set_leverage(request).await?;
        assert_eq!((set.leverage, set.margin_type), (Some(leverage), Some(margin)));
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

    async fn amounts(
        &self,
        kind: futures::TransactionType,
    ) -> Result<Vec<Decimal>, Box<dyn std::error::Error>> {
        let request = futures::ListTransactions::new().transaction_type(kind);
        let rows = self.trader.futures().transactions(request).await?;
        Ok(rows.into_iter().map(|row| row.amount).collect())
    }
}

#[tokio::test]
async fn isolated_positions_use_their_own_margin_and_cross_positions_the_wallet() -> TestResult {
    let harness = Harness::open().await?;
    let brackets =
        harness.trader.futures().leverage_brackets(futures::ListLeverageBrackets::new()).await?;
    let first = &brackets.rules.first().ok_or("no contract")?.brackets[0];
    assert_eq!((first.max_leverage, first.maintenance_margin_ratio), (100, Some(dec!(0.005))));

    harness.set_leverage(futures::MarginType::Isolated, dec!(20)).await?;
    harness.buy(dec!(60000), 100, futures::MarginType::Isolated).await?;
    let isolated = harness.position().await?;
    assert_eq!((isolated.leverage, isolated.initial_margin), (Some(dec!(20)), Some(dec!(300))));
    assert_eq!(isolated.maintenance_margin, Some(dec!(30)));
    // At price p, margin and loss together are the maintenance margin: 300 + 0.1 (p - 60,000) = 0.005 * 0.1 p.
    assert_eq!(isolated.liquidation_price, Some(dec!(57286.4)));
    let rejected =
        futures::SetLeverage::new("BTCUSDT", futures::MarginType::Isolated).leverage(dec!(5));
    let rejected =
        harness.trader.futures().set_leverage(rejected).await.expect_err("a position is open");
    assert_eq!(rejected.code(), Some(40040));

    let close =
        futures::NewOrder::close_long("BTCUSDT", 100, futures::Execution::Limit(dec!(61000)));
    harness.trader.futures().submit_order(close).await?;
    harness
        .submit_counter_order(futures::NewOrder::close_short(
            "BTCUSDT",
            100,
            futures::Execution::Market,
        ))
        .await?;
    assert_eq!(harness.amounts(futures::TransactionType::RealizedProfit).await?, [dec!(100)]);
    assert_eq!(
        harness.amounts(futures::TransactionType::Commission).await?,
        [dec!(-1.22), dec!(-3.6)]
    );

    harness.set_leverage(futures::MarginType::Cross, dec!(50)).await?;
    harness.buy(dec!(60000), 100, futures::MarginType::Cross).await?;
    let cross = harness.position().await?;
    assert_eq!(
        (cross.margin_type, cross.leverage),
        (Some(futures::MarginType::Cross), Some(dec!(50)))
    );
    assert_eq!(cross.liquidation_price, Some(dec!(0)), "100,000 of collateral for 6,000");
    assert_eq!(cross.max_notional_value, Some(dec!(5000000)));
    let risk = harness.trader.futures().position_risk(futures::ListPositionRisk::new()).await?;
    assert_eq!((risk.len(), risk[0].size, risk[0].isolated_margin), (1, dec!(100), Some(dec!(0))));

    harness.buy(dec!(61000), 1, futures::MarginType::Cross).await?;
    harness.exchange.advance(Duration::from_secs(3600));
    let profit = harness.position().await?.unrealized_profit;
    assert_eq!(profit.map(|profit| profit.round()), Some(dec!(100)));
    let balances = harness.trader.futures().balances().await?;
    let usdt = balances.find("USDT").ok_or("no balance")?;
    assert_eq!(usdt.unrealized_profit, profit);
    let in_use = usdt.frozen.zip(usdt.position_deposit).map(|(frozen, margin)| frozen + margin);
    assert_eq!(usdt.equity, in_use.zip(usdt.available).map(|(in_use, free)| free + in_use));
    Ok(())
}

#[tokio::test]
async fn one_way_mode_nets_and_reverses_positions() -> TestResult {
    let harness = Harness::open().await?;
    let futures = harness.trader.futures();
    let set = futures.set_position_mode(futures::PositionMode::OneWay).await?;
    assert_eq!(set.position_mode, Some(futures::PositionMode::OneWay));
    harness.buy(dec!(60000), 10, futures::MarginType::Cross).await?;
    let rejected = futures
        .set_position_mode(futures::PositionMode::Hedge)
        .await
        .expect_err("a position is open");
    assert_eq!(rejected.code(), Some(40059));

    harness
        .submit_counter_order(futures::NewOrder::open_long(
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
    assert_eq!(harness.amounts(futures::TransactionType::RealizedProfit).await?, [dec!(1)]);
    Ok(())
}

#[tokio::test]
async fn funding_is_paid_at_the_funding_time() -> TestResult {
    let harness = Harness::open().await?;
    harness.buy(dec!(60000), 100, futures::MarginType::Cross).await?;
    let futures = harness.trader.futures();
    let rate = futures.funding_rate("BTCUSDT").await?;
    let next = rate.funding_time.ok_or("no time")?;
    let due = next.as_millis() - i64::try_from(BEGIN_MS)?;
    harness.exchange.advance(Duration::from_millis(u64::try_from(due)? - 1));
    assert_eq!(harness.amounts(futures::TransactionType::Funding).await?, []);
    harness.exchange.advance(Duration::from_millis(1));
    // 0.01 % of 6,000: the mark price equals the index price.
    assert_eq!(harness.amounts(futures::TransactionType::Funding).await?, [dec!(-0.6)]);
    let past =
        futures.funding_rate_history(futures::ListFundingRateHistory::new("BTCUSDT")).await?;
    assert_eq!(past.rates[0].funding_time, next);
    assert_eq!(past.rates[0].rate, dec!(0.0001));
    Ok(())
}

#[tokio::test]
async fn a_liquidation_is_reported_on_the_private_stream() -> TestResult {
    use OrderAction::{Bankruptcy, Cancel, LiquidationCancel, PartialLiquidation, Submit};

    let harness = Harness::open().await?;
    let ws = ws::Client::builder()
        .environment(sandbox::environment(&harness.exchange))
        .credentials(sandbox::credentials(&harness.exchange)?)
        .clock(ExchangeClock(harness.exchange.clone()))
        .build()?;
    let mut orders = ws.subscribe(topic::futures::user_orders()).await?;
    let mut positions = ws.subscribe(topic::futures::user_positions()).await?;
    harness.set_leverage(futures::MarginType::Isolated, dec!(100)).await?;
    harness.buy(dec!(60000), 100, futures::MarginType::Isolated).await?;
    let close =
        futures::NewOrder::close_long("BTCUSDT", 40, futures::Execution::Limit(dec!(70000)));
    let resting = harness.trader.futures().submit_order(close).await?;

    // Others trade 5 % lower, and the mark price follows. Of the bid for 51 contracts, one is
    // filled by another account, which leaves 50 for the position of 100.
    let bid = |size, price| {
        futures::NewOrder::open_long("BTCUSDT", size, futures::Execution::Limit(price))
    };
    harness.submit_counter_order(bid(51, dec!(57000))).await?;
    let sell = futures::NewOrder::open_short("BTCUSDT", 1, futures::Execution::Market);
    let sell = sell.leverage(dec!(10)).margin_type(futures::MarginType::Cross);
    new_account_client(&harness.exchange)?.futures().submit_order(sell).await?;
    harness.exchange.advance(Duration::from_secs(600));

    let mut actions = Vec::new();
    while actions.last() != Some(&OrderAction::Bankruptcy) {
        let update = tokio::time::timeout(TIMEOUT, orders.next()).await?.ok_or("an event")??;
        if let Update::Data(update) = update {
            if update.action == Some(OrderAction::LiquidationCancel) {
                assert_eq!(update.order.order_id, resting.order_id);
            }
            actions.extend(update.action);
        }
    }
    let expected = [LiquidationCancel, Submit, PartialLiquidation, Cancel, Submit, Bankruptcy];
    assert!(actions.ends_with(&expected), "{actions:?}");
    loop {
        let update = tokio::time::timeout(TIMEOUT, positions.next()).await?.ok_or("an event")??;
        if matches!(update, Update::Data(row) if row.size == dec!(0)) {
            break;
        }
    }
    let history = futures::ListOrderHistory::new("BTCUSDT");
    let orders = harness.trader.futures().order_history(history).await?;
    let kinds: Vec<_> = orders.iter().filter_map(|order| order.order_type.clone()).collect();
    assert_eq!(kinds[..2], [futures::OrderType::Bankruptcy, futures::OrderType::Liquidation]);
    assert_eq!(harness.amounts(futures::TransactionType::Liquidation).await?.len(), 2);
    let balances = harness.trader.futures().balances().await?;
    let equity = balances.find("USDT").and_then(|usdt| usdt.equity).ok_or("no balance")?;
    let lost = dec!(100000) - equity;
    // Closing it at the price of the bid would lose more than the margin of the whole position.
    assert_eq!(lost, dec!(63.6), "margin and fee, no more");
    let sum: Decimal = harness.amounts(futures::TransactionType::All).await?.iter().sum();
    assert_eq!(equity, dec!(100000) + sum);
    Ok(())
}

#[tokio::test]
async fn a_modified_order_is_canceled_by_the_countdown() -> TestResult {
    let harness = Harness::open().await?;
    let futures = harness.trader.futures();
    let order = futures::NewOrder::open_long("BTCUSDT", 5, futures::Execution::Limit(dec!(50000)));
    let placed = futures.submit_order(order.margin_type(futures::MarginType::Cross)).await?;
    let change = futures::ModifyLimitOrder::price_and_size(
        "BTCUSDT",
        placed.order_id.clone(),
        dec!(51000),
        7,
    );
    let changed = futures.modify_limit_order(change).await?;
    assert_eq!(changed.order_id.as_ref(), Some(&placed.order_id));
    let query = || futures::QueryOrder::new("BTCUSDT", placed.order_id.clone());
    let row = futures.order(query()).await?;
    assert_eq!((row.price, row.size), (Some(dec!(51000)), Some(dec!(7))));

    let timer = futures
        .cancel_all_after(futures::CancelAllAfter::new("BTCUSDT", Duration::from_secs(10)))
        .await?;
    assert!(timer.accepted == Some(true) && timer.cancel_time.is_some());
    harness.exchange.advance(Duration::from_secs(9));
    assert_eq!(futures.order(query()).await?.state, futures::OrderState::Open);
    harness.exchange.advance(Duration::from_secs(1));
    assert_eq!(futures.order(query()).await?.state, futures::OrderState::Finished);
    Ok(())
}
