//! This SDK as its README shows it, with the limiter off: the sandbox has no limits.

use std::env;
use std::sync::Arc;

use bitmart::rest;
use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::spot;
use bitmart::types::Service;
use bitmart::ws::{self, Update, spot::Depth, topic};
use bitmart::{Credentials, Environment, dec};
use peers::{Failure, Peer, SYMBOL, Settings, Values};

#[derive(Clone)]
struct Ours {
    plain: rest::Client,
    tls: rest::Client,
    market: rest::Client,
}

struct Ticker(spot::Ticker);
struct Book(Arc<Depth>);

impl Ours {
    fn new() -> Result<Self, Failure> {
        let keys = Settings::from_env()?.keys;
        let credentials = Credentials::new(keys.key, keys.secret, keys.memo)?;
        let client = |name: &str| {
            Ok::<_, Failure>(
                rest::Client::builder()
                    .environment(Environment::from_ready_line(&env::var(name)?)?)
                    .credentials(credentials.clone())
                    .limiter(Limiter::new(LimitPolicy::Off))
                    .build()?,
            )
        };
        Ok(Self {
            plain: client("PEER_PLAIN")?,
            tls: client("PEER_TLS")?,
            market: client("PEER_MARKET")?,
        })
    }
}

impl Peer for Ours {
    type Ticker = Ticker;
    type Book = Book;

    async fn order(&self, tls: bool) -> Result<(), Failure> {
        let client = if tls { &self.tls } else { &self.plain };
        let order = spot::NewOrder::limit_buy(SYMBOL, dec!(0.001), dec!(50000));
        client.spot().submit_order(order).await?;
        Ok(())
    }

    async fn ticker(&self) -> Result<Ticker, Failure> {
        Ok(Ticker(self.market.spot().ticker(SYMBOL).await?))
    }

    async fn books(
        &self,
        url: &str,
        count: usize,
        mut each: impl FnMut(Book) + Send,
    ) -> Result<(), Failure> {
        let environment = Environment::custom("replay").with(Service::SpotWsPublic, url);
        let client =
            ws::Client::builder().environment(environment).queue_capacity(1 << 14).build()?;
        let topic = topic::spot::depth(SYMBOL, ws::topic::DepthLevels::Fifty);
        let mut books = client.subscribe(topic).await?;
        let mut received = 0;
        while received < count {
            match books.next().await.ok_or("the stream ended")?? {
                Update::Data(book) => {
                    each(Book(book.into()));
                    received += 1;
                }
                Update::Subscribed => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
        client.shutdown().await;
        Ok(())
    }

    async fn clean(&self) -> Result<(), Failure> {
        for client in [&self.plain, &self.tls] {
            client.spot().cancel_all_orders(spot::CancelAllOrders::new()).await?;
        }
        Ok(())
    }
}

impl Values for Ticker {
    fn values(&self) -> Vec<String> {
        let Self(ticker) = self;
        let numbers = [
            ticker.last_price,
            ticker.base_volume,
            ticker.quote_volume,
            ticker.open,
            ticker.high,
            ticker.low,
            ticker.change,
            ticker.bid_price,
            ticker.bid_size,
            ticker.ask_price,
            ticker.ask_size,
        ];
        let numbers =
            numbers.map(|number| number.map(|number| number.to_string()).unwrap_or_default());
        let time = ticker.timestamp.map(|time| time.as_millis().to_string()).unwrap_or_default();
        [ticker.symbol.to_string()].into_iter().chain(numbers).chain([time]).collect()
    }
}

impl Values for Book {
    fn values(&self) -> Vec<String> {
        let Self(book) = self;
        let time = book.timestamp.map(|time| time.as_millis().to_string()).unwrap_or_default();
        let levels = book.asks.iter().chain(&book.bids);
        let levels = levels.flat_map(|level| [level.price.to_string(), level.size.to_string()]);
        [book.symbol.to_string(), time].into_iter().chain(levels).collect()
    }
}

fn main() -> Result<(), Failure> {
    peers::run(Ours::new)
}
