//! One bot, unchanged, on a sandbox over TCP and on an exchange in the same process whose clock jumps. Both runs
//! make the same trades; the second one opens no socket.
//!
//! ```sh
//! cargo run --release --example backtest_bot
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart::net::{Connect, Connector};
use bitmart::rest::{Client, spot};
use bitmart::sandbox::{self, Config, Fill, Sandbox};
use bitmart::simulation::Simulation;
use bitmart::types::Clock;
use bitmart::ws::{self, Update, topic};
use bitmart::{Credentials, Decimal, Environment, Timestamp, dec};

const START_MS: u64 = 1_700_000_000_000;
const HOURS: u32 = 24;
const HOUR: Duration = Duration::from_secs(3_600);

/// Buys after a fall, sells after a rise, and waits for the push of each order.
struct Bot {
    rest: Client,
    orders: ws::Subscription<ws::spot::OrderUpdate>,
    /// The price of the step before.
    last: Option<Decimal>,
}

impl Bot {
    async fn new(rest: Client, ws: &ws::Client) -> examples::Result<Self> {
        Ok(Self { rest, orders: ws.subscribe(topic::spot::all_user_orders()).await?, last: None })
    }

    async fn step(&mut self) -> examples::Result {
        let Some(price) = self.rest.spot().ticker("BTC_USDT").await?.last_price else {
            return Ok(());
        };
        let order = match self.last.replace(price) {
            Some(last) if price < last => spot::NewOrder::market_buy("BTC_USDT", dec!(50)),
            Some(last) if price > last => spot::NewOrder::market_sell("BTC_USDT", dec!(0.001)),
            _ => return Ok(()),
        };
        let id = self.rest.spot().submit_order(order).await?.order_id;
        while let Some(update) = self.orders.next().await {
            if matches!(update?, Update::Data(order) if order.order_id == id) {
                break;
            }
        }
        Ok(())
    }
}

/// How the bot reaches an exchange, and its clock.
struct Access<N, K> {
    environment: Environment,
    credentials: Credentials,
    connector: N,
    clock: K,
}

/// Lets the bot act every hour and returns its trades.
async fn run<N: Connect + Clone, K: Clock + Clone>(
    exchange: &Sandbox,
    access: Access<N, K>,
) -> examples::Result<Vec<Fill>> {
    let Access { environment, credentials, connector, clock } = access;
    let rest = Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .connector(connector.clone())
        .clock(clock.clone())
        .build()?;
    let ws = ws::Client::builder()
        .environment(environment)
        .credentials(credentials)
        .connector(connector)
        .clock(clock)
        .build()?;
    let mut bot = Bot::new(rest, &ws).await?;
    for _ in 0..HOURS {
        bot.step().await?;
        exchange.advance(HOUR);
        exchange.step_market(50);
    }
    ws.shutdown().await;
    Ok(exchange.fills())
}

fn config() -> Config {
    Config::new().seed(7).stepped_clock(START_MS)
}

/// The clock of a sandbox in this process.
#[derive(Debug, Clone)]
struct SandboxClock(Arc<Sandbox>);

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.now_ms()).unwrap_or(i64::MAX))
    }
}

async fn over_tcp() -> examples::Result<Vec<Fill>> {
    let exchange = Arc::new(Sandbox::start(config()).await?);
    let access = Access {
        environment: sandbox::environment(&exchange),
        credentials: sandbox::credentials(&exchange)?,
        connector: Connector::direct(),
        clock: SandboxClock(exchange.clone()),
    };
    run(&exchange, access).await
}

async fn in_process() -> examples::Result<Vec<Fill>> {
    let simulation = Simulation::start(config()).await?;
    let access = Access {
        environment: simulation.environment(),
        credentials: simulation.credentials()?,
        connector: simulation.connector(),
        clock: simulation.clock(),
    };
    run(simulation.exchange(), access).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> examples::Result {
    let begin = Instant::now();
    let tcp = over_tcp().await?;
    println!("over TCP:   {} trades, {:?}", tcp.len(), begin.elapsed());
    let begin = Instant::now();
    let memory = in_process().await?;
    println!("in process: {} trades, {:?}", memory.len(), begin.elapsed());
    for fill in &memory {
        println!("{} {} at {}", fill.time_ms, fill.size, fill.price);
    }
    if tcp.is_empty() || tcp != memory {
        return Err("the trades differ".into());
    }
    println!("the trades are the same");
    Ok(())
}
