//! Histories from the sandbox are complete and without duplicates, for any distances between orders and
//! with interruptions after every page.

use std::sync::Arc;
use std::time::Duration;

use bitmart::rest::history::{Cursor, History};
use bitmart::rest::{Client, futures, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::{Timestamp, dec};
use proptest::prelude::*;

use crate::exchange_clock::ExchangeClock;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const BEGIN_MS: u64 = 1_700_000_000_000;

async fn open() -> Result<(Arc<Sandbox>, Client), Box<dyn std::error::Error>> {
    let config = Config::new().stepped_clock(BEGIN_MS).rate_limits(false);
    let exchange = Arc::new(Sandbox::start(config).await?);
    let client = Client::builder()
        .environment(sandbox::environment(&exchange))
        .credentials(sandbox::credentials(&exchange)?)
        .clock(ExchangeClock(exchange.clone()))
        .limiter(bitmart::rest::limit::Limiter::new(bitmart::rest::limit::LimitPolicy::Off))
        .build()?;
    Ok((exchange, client))
}

/// Places and cancels an order after each pause.
async fn trade(exchange: &Sandbox, client: &Client, pauses: &[u64]) -> TestResult {
    for pause in pauses {
        exchange.advance(Duration::from_millis(*pause));
        let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(10000));
        let placed = client.spot().submit_order(order).await?;
        let cancel = spot::CancelOrder::new("BTC_USDT", placed.order_id);
        assert!(client.spot().cancel_order(cancel).await?.canceled == Some(true));
    }
    exchange.advance(Duration::from_secs(1));
    Ok(())
}

/// Like [`trade`], on futures.
async fn trade_futures(exchange: &Sandbox, client: &Client, pauses: &[u64]) -> TestResult {
    for pause in pauses {
        exchange.advance(Duration::from_millis(*pause));
        let order =
            futures::NewOrder::open_long("BTCUSDT", 1, futures::Execution::Limit(dec!(30000)))
                .leverage(dec!(10))
                .margin_type(futures::MarginType::Cross);
        let placed = client.futures().submit_order(order).await?;
        client
            .futures()
            .cancel_order(futures::CancelOrder::new("BTCUSDT", placed.order_id))
            .await?;
    }
    exchange.advance(Duration::from_secs(1));
    Ok(())
}

/// Returns the ids of a history, resuming from the cursor after every page.
async fn history_ids<H: History>(
    exchange: &Sandbox,
    client: &Client,
    request: H,
) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let from = Timestamp::from_millis(i64::try_from(BEGIN_MS)? - 1);
    let to = Timestamp::from_millis(i64::try_from(exchange.now_ms())?);
    let mut pages = client.history(request.clone(), from, to);
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        assert!(page.is_sorted_by_key(|row| H::key(row).time));
        ids.extend(page.iter().map(|row| H::key(row).id));
        let cursor: Cursor = serde_json::from_str(&serde_json::to_string(pages.cursor())?)?;
        pages = client.resume_history(request.clone(), cursor);
    }
    ids.sort();
    Ok(ids)
}

async fn compare(pauses: &[u64]) -> TestResult {
    let (exchange, client) = open().await?;
    trade(&exchange, &client, pauses).await?;
    let mut ledger: Vec<_> = exchange.orders().into_iter().map(|order| order.order_id).collect();
    ledger.sort();
    assert_eq!(history_ids(&exchange, &client, spot::ListOrderHistory::new()).await?, ledger);

    let (exchange, client) = open().await?;
    trade_futures(&exchange, &client, pauses).await?;
    let ids = history_ids(&exchange, &client, futures::ListOrderHistory::new("BTCUSDT")).await?;
    assert!(ids.is_sorted_by(|left, right| left < right), "no duplicates");
    assert_eq!(ids.len(), pauses.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn a_history_contains_every_order_once(
        // Bursts within a second, and pauses of up to ten days.
        pauses in proptest::collection::vec(
            prop_oneof![4 => 1_u64..20, 1 => 0_u64..864_000_000],
            0..260,
        ),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(compare(&pauses)).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[tokio::test]
async fn the_history_of_fills_equals_the_fills_of_the_exchange() -> TestResult {
    let (exchange, client) = open().await?;
    exchange.step_market(50);
    for _ in 0..5 {
        exchange.advance(Duration::from_secs(86_400));
        exchange.step_market(1);
        client.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(50))).await?;
    }
    let from = Timestamp::from_millis(i64::try_from(BEGIN_MS)?);
    let to = Timestamp::from_millis(i64::try_from(exchange.now_ms())? + 1_000);
    let mut pages = client.history(spot::ListFills::new(), from, to);
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        ids.extend(page?.into_iter().map(|fill| fill.trade_id.to_string()));
    }
    let ledger: Vec<_> = exchange.fills().into_iter().map(|fill| fill.trade_id).collect();
    assert_eq!(ids, ledger);
    Ok(())
}
