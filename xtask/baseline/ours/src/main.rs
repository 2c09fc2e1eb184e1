//! Places an order and reads tickers with this SDK: what `theirs` does without one.

use bitmart::rest::spot;
use bitmart::types::Service;
use bitmart::ws::{Update, topic};
use bitmart::{Credentials, Environment, dec, rest, ws};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let environment = Environment::custom("given")
        .with(Service::SpotRest, variable("BITMART_REST")?)
        .with(Service::SpotWsPublic, variable("BITMART_WS")?);
    let client = rest::Client::builder()
        .environment(environment.clone())
        .credentials(Credentials::from_env()?)
        .build()?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(60000));
    println!("{}", client.spot().submit_order(order).await?.order_id);

    let streams = ws::Client::builder().environment(environment).build()?;
    let mut tickers = streams.subscribe(topic::spot::ticker("BTC_USDT")).await?;
    while let Some(update) = tickers.next().await {
        if let Update::Data(ticker) = update? {
            println!("{} {:?}", ticker.symbol, ticker.last_price);
        }
    }
    Ok(())
}
