//! Public market data over REST and WebSocket, spot and futures. Needs no credentials.
//!
//! ```sh
//! cargo run --example market_data            # from the embedded sandbox
//! cargo run --example market_data -- live    # from BitMart, as long as it responds
//! ```

use bitmart::rest::{futures, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{Environment, rest, ws};

#[tokio::main]
async fn main() -> examples::Result {
    let live = std::env::args().any(|argument| argument == "live");
    let exchange = if live { None } else { Some(Sandbox::start(Config::new()).await?) };
    let environment = match &exchange {
        Some(exchange) => sandbox::environment(exchange),
        None => Environment::live(),
    };
    println!("market data from: {}", environment.name);

    let client = rest::Client::builder().environment(environment.clone()).build()?;
    let ticker = client.spot().ticker("BTC_USDT").await?;
    // `None` if the exchange does not send a value.
    println!("{}: last {:?}, 24 h change {:?}", ticker.symbol, ticker.last_price, ticker.change);

    let candles = spot::ListKlines::new("BTC_USDT").step(spot::KlineStep::Minutes5).limit(3);
    for candle in client.spot().klines(candles).await? {
        println!("{} open {} close {}", candle.timestamp, candle.open, candle.close);
    }
    for contract in
        client.futures().contracts(futures::ListContracts::new().symbol("BTCUSDT")).await?.contracts
    {
        println!("{}: one contract is {} BTC", contract.symbol, contract.contract_size);
    }

    let streams = ws::Client::builder().environment(environment).build()?;
    let mut trades = streams.subscribe(topic::spot::trades("BTC_USDT")).await?;
    let mut remaining = 3;
    while remaining > 0 {
        match trades.next().await {
            Some(Ok(Update::Data(trade))) => {
                println!("trade: {} {} at {}", trade.side, trade.size, trade.price);
                remaining -= 1;
            }
            // Lost connections are reported, so that no gap goes unnoticed.
            Some(Ok(other)) => println!("{other:?}"),
            Some(Err(error)) => return Err(error.into()),
            None => break,
        }
    }
    let mut contracts = streams.subscribe(topic::futures::ticker("BTCUSDT")).await?;
    while let Some(update) = contracts.next().await {
        if let Update::Data(ticker) = update? {
            println!("{}: mark price {:?}", ticker.symbol, ticker.mark_price);
            break;
        }
    }
    streams.shutdown().await;
    Ok(())
}
