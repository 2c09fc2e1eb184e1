//! A strategy that does not leave its orders behind: ctrl-c, a hang, an error and the normal end
//! all cancel what is open, and the exchange's own timer does it for futures when this program
//! dies.
//!
//! ```sh
//! cargo run --example dead_man_switch         # two seconds
//! cargo run --example dead_man_switch -- 60   # a minute: press ctrl-c
//! ```

use std::time::Duration;

use bitmart::dec;
use bitmart::rest::dead_man::DeadManSwitch;
use bitmart::rest::{Client, futures, spot};

#[tokio::main]
async fn main() -> examples::Result {
    let seconds = std::env::args().nth(1).map_or(Ok(2), |text| text.parse())?;
    let venue = examples::venue().await?;
    let client = Client::builder()
        .environment(venue.environment.clone())
        .credentials(venue.credentials.clone())
        .build()?;

    let switch = DeadManSwitch::builder(client.clone())
        .contract("BTCUSDT")
        .pair("BTC_USDT")
        .timeout(Duration::from_secs(30)) // The exchange's, if this machine dies.
        .stale_after(Duration::from_secs(10)) // Ours, if the loop below hangs.
        .cancel_on(tokio::signal::ctrl_c())
        .start()?;
    switch.armed().await?; // Before the first order.

    if venue.is_embedded() {
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
            println!("tripped: no more orders");
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await; // One step of the strategy.
    }

    // Dropping the switch would cancel as well, but nobody would wait for it or hear of it.
    let timers = switch.timers();
    let report = switch.shutdown().await;
    println!("timers before the end: {timers:?}");
    for one in &report.markets {
        println!("{}: {:?}", one.market, one.cleared);
    }
    if report.is_clear() { Ok(()) } else { Err("orders may be open".into()) }
}
