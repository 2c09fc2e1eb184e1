//! Logs in, subscribes to one's own orders and prints them.
//!
//! ```sh
//! cargo run --example private_stream # on an embedded sandbox, where it places an order itself and ends
//! BITMART_ENVIRONMENT="$(cat ready.json)" cargo run --example private_stream # on a sandbox that printed this line
//! ```

use bitmart::ws::{Client, Update, topic};

#[tokio::main]
async fn main() -> examples::Result {
    let venue = examples::venue().await?;
    let client = Client::builder()
        .environment(venue.environment.clone())
        .credentials(venue.credentials.clone())
        .build()?;
    let mut orders = client.subscribe(topic::spot::all_user_orders()).await?;
    println!("logged in and subscribed");
    venue.place_order_if_embedded().await?;
    while let Some(update) = orders.next().await {
        match update? {
            Update::Data(order) => {
                println!("{} {} {:?}", order.symbol, order.side, order.state);
                if venue.is_embedded() {
                    break; // nothing else happens there
                }
            }
            other => println!("{other:?}"), // such as a lost connection: see private_stream_recovery
        }
    }
    client.shutdown().await;
    Ok(())
}
