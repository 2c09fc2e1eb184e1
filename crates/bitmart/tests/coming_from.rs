//! The Rust of docs/coming-from.md, letter by letter, run against a sandbox. What the page shows and is not here
//! fails, and so does what is no longer as the page shows it.

use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::ws::topic;
use bitmart::{Credentials, Environment, dec, rest, ws};

const PAGE: &str = include_str!("../../../docs/coming-from.md");
const HERE: &str = include_str!("coming_from.rs");

type TestResult = Result<(), Box<dyn std::error::Error>>;

async fn exchange() -> Result<Sandbox, Box<dyn std::error::Error>> {
    Ok(Sandbox::start(Config::new().seed(3)).await?)
}

fn client(exchange: &Sandbox) -> Result<rest::Client, Box<dyn std::error::Error>> {
    let environment = sandbox::environment(exchange)?;
    let credentials = sandbox::credentials(exchange)?;
    Ok(rest::Client::builder().environment(environment).credentials(credentials).build()?)
}

/// The blocks of Rust on the page, each without its blanks and line breaks.
fn shown() -> Vec<String> {
    let blocks = PAGE.split("```rust").skip(1);
    let inside = blocks.map(|rest| rest.split_once('\n').expect("a line break").1);
    inside.map(|rest| squeezed(rest.split("```").next().expect("an end"))).collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_block_on_the_page_is_run_here() {
    let here = squeezed(HERE);
    let shown = shown();
    assert_eq!(shown.len(), 8);
    for block in shown {
        assert!(here.contains(&block), "{block} is not in this file");
    }
}

#[tokio::test]
async fn an_order_is_placed_as_in_each_language() -> TestResult {
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
async fn streams_are_subscribed_to() -> TestResult {
    let exchange = exchange().await?;
    let environment = sandbox::environment(&exchange)?;
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
async fn a_ready_line_and_three_texts_make_a_client() -> TestResult {
    use bitmart::rest::Client;

    let exchange = exchange().await?;
    let line = exchange.ready_line();
    let sandbox_key = exchange.credentials();
    let (key, secret, memo) = (&*sandbox_key.key, &*sandbox_key.secret, &*sandbox_key.memo);
    let client = Client::builder()
        .environment(Environment::from_ready_line(&line)?) // or Environment::from_env()?, from BITMART_ENVIRONMENT
        .credentials(Credentials::new(key, secret, memo)?)
        .build()?;
    let order = spot::NewOrder::limit_sell("BTC_USDT", dec!(100), dec!(500000));
    println!("{}", client.spot().submit_order(order).await?.order_id);
    assert_eq!(exchange.orders().len(), 1);
    Ok(())
}
