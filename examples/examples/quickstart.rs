//! Starts an embedded sandbox, places an order, receives its fill on the private stream, and reads tickers and
//! an order book.
//!
//! ```sh
//! cargo run --example quickstart
//! ```

use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::{Update, topic};
use bitmart::{dec, rest, ws};

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = Sandbox::start(Config::new().tls(true)).await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    println!("This runs on an embedded sandbox with play money, not on BitMart.");
    println!("It listens on {} and {}.\n", exchange.spot().rest, exchange.futures().rest);

    let client = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let streams =
        ws::Client::builder().environment(environment).credentials(credentials).build()?;

    // Subscribe before placing the order, so that no fill is missed.
    let mut orders = streams.subscribe(topic::spot::user_orders("BTC_USDT")).await?;

    // Buy for 100 USDT at the market price. The client order id is known before anything is sent, so the
    // order can be found even if the response is lost.
    let order = spot::NewOrder::market_buy("BTC_USDT", dec!(100));
    println!("client order id  {}", order.client_order_id());
    let placed = client.spot().submit_order(order).await?;
    println!("order id         {}", placed.order_id);

    while let Some(update) = orders.next().await {
        let Update::Data(order) = update? else { continue };
        if let Some(fill) = order.fill() {
            println!(
                "fill             {} BTC at {} USDT, fee {} {}",
                fill.size,
                fill.price,
                fill.fee.unwrap_or_default(),
                fill.fee_currency.map(|currency| currency.to_string()).unwrap_or_default(),
            );
        }
        if let Some(state) = order.state.filter(|state| !state.is_open()) {
            // A market buy spends a quote amount. A remainder below the size step is returned, and BitMart
            // reports the order as partially_canceled although it is complete.
            println!("order state      {state}\n");
            break;
        }
    }

    let mut tickers = Vec::new();
    for symbol in ["BTC_USDT", "ETH_USDT", "SOL_USDT"] {
        tickers.push(streams.subscribe(topic::spot::ticker(symbol)).await?);
    }
    for subscription in &mut tickers {
        while let Some(update) = subscription.next().await {
            if let Update::Data(ticker) = update? {
                println!("ticker           {} last {:?}", ticker.symbol, ticker.last_price);
                break;
            }
        }
    }

    let mut book = streams.order_book(topic::spot::depth_updates("BTC_USDT")).await?;
    while let Some(book) = book.next().await {
        let book = book?;
        if let (Some(bid), Some(ask)) = (book.best_bid(), book.best_ask()) {
            println!("best bid         {} × {}", bid.price, bid.size);
            println!("best ask         {} × {}", ask.price, ask.size);
            break;
        }
    }

    streams.shutdown().await;
    exchange.shutdown().await;
    Ok(())
}
