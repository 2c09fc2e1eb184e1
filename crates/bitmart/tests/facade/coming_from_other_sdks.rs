//! Runs the Rust code of docs/coming-from.md against a sandbox. A test checks that every block of the page is
//! in this file.

use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::topic;
use bitmart::{Credentials, Environment, dec, rest, ws};

const PAGE: &str = include_str!("../../../../docs/coming-from.md");
const THIS_FILE: &str = include_str!("coming_from_other_sdks.rs");

type TestResult = Result<(), Box<dyn std::error::Error>>;

async fn exchange() -> Result<Sandbox, Box<dyn std::error::Error>> {
    Ok(Sandbox::start(Config::new().seed(3)).await?)
}

fn client(exchange: &Sandbox) -> Result<rest::Client, Box<dyn std::error::Error>> {
    let environment = sandbox::environment(exchange);
    let credentials = sandbox::credentials(exchange)?;
    Ok(rest::Client::builder().environment(environment).credentials(credentials).build()?)
}

/// Returns the Rust blocks of the page without whitespace.
fn page_blocks() -> Vec<String> {
    let blocks = PAGE.split("```rust").skip(1);
    let contents = blocks.map(|rest| rest.split_once('\n').expect("a line break").1);
    contents.map(|rest| without_whitespace(rest.split("```").next().expect("an end"))).collect()
}

fn without_whitespace(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_block_of_the_page_is_in_this_file() {
    let this_file = without_whitespace(THIS_FILE);
    let blocks = page_blocks();
    assert_eq!(blocks.len(), 8);
    for block in blocks {
        assert!(this_file.contains(&block), "{block} is not in this file");
    }
}

#[tokio::test]
async fn the_orders_of_the_page_are_placed() -> TestResult {
    let exchange = exchange().await?;
    let client = client(&exchange)?;
    let order = spot::NewOrder::limit_sell("BTC_USDT", dec!(100), dec!(500000));
    let placed = client.spot().submit_order(order).await?;
    println!("{}", placed.order_id);
    // Python, Go, Node, Java and PHP.
    client
        .spot()
        .submit_order(spot::NewOrder::limit_buy("BTC_USDT", dec!(0.01), dec!(8800)))
        .await?;
    client
        .spot()
        .submit_order(spot::NewOrder::limit_sell("BTC_USDT", dec!(0.1), dec!(10000000)))
        .await?;
    client
        .spot()
        .submit_order(spot::NewOrder::limit_sell("BTC_USDT", dec!(10000), dec!(500000)))
        .await?;
    client
        .spot()
        .submit_order(spot::NewOrder::limit_sell("BTC_USDT", dec!(100), dec!(80000)))
        .await?;
    client
        .spot()
        .submit_order(spot::NewOrder::limit_buy("BTC_USDT", dec!(0.1), dec!(8800)))
        .await?;
    assert_eq!(exchange.orders().len(), 6);
    Ok(())
}

#[tokio::test]
async fn the_streams_of_the_page_are_subscribed() -> TestResult {
    let exchange = exchange().await?;
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let client = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    let mut ticker = client.subscribe(topic::spot::ticker("BTC_USDT")).await?;
    let mut orders = client.subscribe(topic::spot::user_orders("BTC_USDT")).await?; // logs in first
    let order = spot::NewOrder::limit_sell("BTC_USDT", dec!(100), dec!(500000));
    self::client(&exchange)?.spot().submit_order(order).await?;
    assert!(orders.next().await.is_some() && ticker.next().await.is_some());
    Ok(())
}

#[tokio::test]
async fn the_client_of_the_page_places_an_order() -> TestResult {
    let exchange = exchange().await?;
    let line = exchange.ready_line();
    let sandbox_key = exchange.credentials();
    let (key, secret, memo) = (&*sandbox_key.key, &*sandbox_key.secret, &*sandbox_key.memo);
    let client = rest::Client::builder()
        .environment(Environment::from_ready_line(&line)?) // or Environment::from_env()?, from BITMART_ENVIRONMENT
        .credentials(Credentials::new(key, secret, memo)?)
        .build()?;
    let order = spot::NewOrder::limit_sell("BTC_USDT", dec!(100), dec!(500000));
    println!("{}", client.spot().submit_order(order).await?.order_id);
    assert_eq!(exchange.orders().len(), 1);
    Ok(())
}
