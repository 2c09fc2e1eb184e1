//! A private order stream that loses its connection, and how to recover the fills that it missed.
//!
//! ```sh
//! cargo run --example private_stream_recovery
//! ```

use std::collections::BTreeMap;

use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{Decimal, TradeId, dec, rest, ws};

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = Sandbox::start(Config::new()).await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let client = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let streams =
        ws::Client::builder().environment(environment).credentials(credentials).build()?;
    println!("running on the embedded sandbox");

    let mut orders = streams.subscribe(topic::spot::all_user_orders()).await?;
    // Fills by trade id, so that repeated reports count once.
    let mut fills: BTreeMap<TradeId, Decimal> = BTreeMap::new();
    let mut sent =
        vec![client.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(50))).await?];

    let mut disconnected = false;
    while let Some(update) = orders.next().await {
        match update? {
            Update::Data(order) => {
                println!("{} {} {:?}", order.symbol, order.side, order.state);
                fills.extend(order.fill().map(|fill| (fill.trade_id, fill.size)));
                if order.state.is_some_and(|state| !state.is_open()) && !disconnected {
                    disconnected = true;
                    println!("closing the connection; an order fills while disconnected");
                    exchange.kill_sockets();
                    let missed = spot::NewOrder::market_sell("ETH_USDT", dec!(0.01));
                    sent.push(client.spot().submit_order(missed).await?);
                }
            }
            Update::Reconnecting(reason) => println!("reconnecting: {reason}"),
            Update::Resynced => {
                println!("subscribed again; querying REST for the missed fills");
                for order in &sent {
                    for fill in client.spot().order_fills(order.order_id.clone()).await? {
                        fills.insert(fill.trade_id, fill.size);
                    }
                }
                break;
            }
            other => println!("{other:?}"),
        }
    }
    println!("{} fills known, {} on the exchange", fills.len(), exchange.fills().len());
    streams.shutdown().await;
    Ok(())
}
