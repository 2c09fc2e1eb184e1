//! A dead-man switch: open orders are canceled on ctrl-c, when the strategy hangs, on errors and at the end.
//! For futures, the exchange's own timer cancels them if this program is killed.
//!
//! ```sh
//! cargo run --example dead_man_switch         # 2 seconds
//! cargo run --example dead_man_switch -- 60   # 1 minute: press ctrl-c
//! ```

use std::time::Duration;

use bitmart::dec;
use bitmart::rest::dead_man::DeadManSwitch;
use bitmart::rest::{Client, futures, spot};

#[tokio::main]
async fn main() -> examples::Result {
    let seconds = std::env::args().nth(1).map_or(Ok(2), |text| text.parse())?;
    let exchange = examples::exchange().await?;
    let client = Client::builder()
        .environment(exchange.environment.clone())
        .credentials(exchange.credentials.clone())
        .build()?;

    let switch = DeadManSwitch::builder(client.clone())
        .contract("BTCUSDT")
        .pair("BTC_USDT")
        .timeout(Duration::from_secs(30)) // The exchange's timer, if this machine fails.
        .stale_after(Duration::from_secs(10)) // If the loop below hangs.
        .cancel_on(tokio::signal::ctrl_c())
        .start()?;
    switch.wait_until_armed().await?; // Before the first order.

    if exchange.is_embedded() {
        client
            .spot()
            .submit_order(spot::NewOrder::limit_buy("BTC_USDT", dec!(0.01), dec!(50000)))
            .await?;
        let order =
            futures::NewOrder::open_long("BTCUSDT", 1, futures::Execution::Limit(dec!(50000)));
        client
            .futures()
            .submit_order(order.leverage(dec!(5)).margin_type(futures::MarginType::Isolated))
            .await?;
        println!("two orders are open");
    }
    for _ in 0..seconds {
        if !switch.beat() {
            println!("the switch has tripped: place no more orders");
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await; // One step of the strategy.
    }

    // Dropping the switch would cancel as well, but without waiting for the result.
    let timers = switch.timers();
    let report = switch.shutdown().await;
    println!("timers before the end: {timers:?}");
    for market in &report.markets {
        println!("{}: {:?}", market.market, market.result);
    }
    if report.is_clear() { Ok(()) } else { Err("orders may be open".into()) }
}
