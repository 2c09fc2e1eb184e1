//! The account tracker on futures: a position is opened, and closed during a disconnect.

use std::collections::BTreeSet;
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker, Market, PositionSide};
use bitmart::rest::futures;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::{TradeId, dec, rest, ws};

/// Timeout for expected events. Only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(30);

async fn next(
    account: &mut AccountTracker,
    fills: &mut Vec<TradeId>,
) -> Result<AccountEvent, Box<dyn std::error::Error>> {
    let event = tokio::time::timeout(TIMEOUT, account.next()).await?.ok_or("an event")??;
    if let AccountEvent::Fill(fill) = &event {
        fills.push(fill.trade_id.clone());
    }
    Ok(event)
}

#[tokio::test]
async fn a_position_closed_during_a_disconnect_is_reported_closed()
-> Result<(), Box<dyn std::error::Error>> {
    let exchange = Sandbox::start(Config::new().seed(5)).await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    let mut account = AccountTracker::builder(rest.clone(), ws).futures(["USDT"]).build();
    let mut fills = Vec::new();
    while !account.is_live(Market::Futures) {
        next(&mut account, &mut fills).await?;
    }
    let before = account.state().balance(Market::Futures, &"USDT".into()).cloned();

    let open = futures::NewOrder::open_long("BTCUSDT", 3, futures::Execution::Market)
        .leverage(dec!(5))
        .margin_type(futures::MarginType::Cross);
    rest.futures().submit_order(open).await?;
    let contract = "BTCUSDT".into();
    while account.state().positions(&contract).all(|position| position.size != dec!(3)) {
        next(&mut account, &mut fills).await?;
    }
    let (key, _) = account.state().all_positions().next().ok_or("a position")?;
    assert_eq!(key.side, PositionSide::Long);
    while account.state().balance(Market::Futures, &"USDT".into()) == before.as_ref() {
        next(&mut account, &mut fills).await?;
    }

    exchange.kill_sockets();
    tokio::time::timeout(TIMEOUT, async {
        while exchange.sockets() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await?;
    rest.futures()
        .submit_order(futures::NewOrder::close_long("BTCUSDT", 3, futures::Execution::Market))
        .await?;
    loop {
        if let AccountEvent::CaughtUp(_) = next(&mut account, &mut fills).await? {
            break;
        }
    }
    assert_eq!(account.state().positions(&contract).count(), 0);
    let known: BTreeSet<TradeId> = fills.iter().cloned().collect();
    assert_eq!(known.len(), fills.len(), "a fill was reported twice");
    let ledger =
        exchange.fills().iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect();
    assert_eq!(known, ledger);
    Ok(())
}
