//! Subscribes to the account's orders and prints them.
//!
//! ```sh
//! cargo run --example private_stream # on an embedded sandbox; places an order and ends
//! BITMART_ENVIRONMENT="$(cat ready.json)" cargo run --example private_stream # on a running sandbox
//! ```

use bitmart::ws::{Client, Update, topic};

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = examples::exchange().await?;
    let client = Client::builder()
        .environment(exchange.environment.clone())
        .credentials(exchange.credentials.clone())
        .build()?;
    let mut orders = client.subscribe(topic::spot::all_user_orders()).await?;
    println!("logged in and subscribed");
    exchange.place_order_if_embedded().await?;
    while let Some(update) = orders.next().await {
        match update? {
            Update::Data(order) => {
                println!("{} {} {:?}", order.symbol, order.side, order.state);
                if exchange.is_embedded() {
                    break; // there are no other orders
                }
            }
            other => println!("{other:?}"), // a lost connection, for example: see private_stream_recovery
        }
    }
    client.shutdown().await;
    Ok(())
}
