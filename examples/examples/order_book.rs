//! A maintained order book. One update is dropped on purpose, and the book resynchronizes on the same
//! connection.
//!
//! ```sh
//! cargo run --example order_book
//! ```

use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::ws::{self, topic};

#[tokio::main]
async fn main() -> examples::Result {
    let exchange = Sandbox::start(Config::new()).await?;
    let streams = ws::Client::builder().environment(sandbox::environment(&exchange)).build()?;
    let topic = topic::spot::depth_updates("ETH_USDT");
    let name = topic.name().to_owned();
    let mut books = streams.order_book(topic).await?;
    println!("running on the embedded sandbox; following {name}");

    let mut changes = 0;
    while let Some(book) = books.next().await {
        let book = book?;
        changes += 1;
        match (book.best_bid(), book.best_ask()) {
            (Some(bid), Some(ask)) => println!(
                "version {:?}: {} × {} | {} × {}",
                book.version(),
                bid.price,
                bid.size,
                ask.price,
                ask.size
            ),
            _ if book.is_synchronized() => println!("one side of the book is empty"),
            _ => println!("resynchronizing: no prices available"),
        }
        if changes == 5 {
            println!("dropping an update");
            exchange.inject(Fault::VersionGap.on(name.as_str()));
        }
        if changes == 12 {
            break;
        }
    }
    streams.shutdown().await;
    Ok(())
}
