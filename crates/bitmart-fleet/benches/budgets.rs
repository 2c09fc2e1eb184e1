//! What a permit costs: counted in this process, in Redis one by one and by leases, and against a bare PING of
//! the same Redis; and what that adds to an order on the sandbox. Prints tables in Markdown.
//!
//! `cargo bench -p bitmart-fleet --features redis` measures; without `--bench` everything runs a few times to
//! check that it works. All candidates take turns in one run, on a `redis-server` that is started for it.

#[path = "../tests/support/redis.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod server;

use std::env;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart_fleet::RedisBudgets;
use bitmart_rest::auth::Credentials;
use bitmart_rest::endpoint::{
    Auth, Effect, EncodeError, Endpoint, Host, LimitScope, Metadata, Method, Payload,
};
use bitmart_rest::limit::{Budget, BudgetStore, LimitPolicy, Limiter, LocalBudgets, RequestEnd};
use bitmart_rest::transport::{self, HyperTransport, Transport as _};
use bitmart_rest::types::{Decimal, Environment, Service};
use bitmart_rest::{Client, spot};
use bitmart_sandbox::{Config, Sandbox};

use self::server::Server;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const WAIT: Duration = Duration::from_secs(60);
/// Timeout of orders.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Where only permits are counted.
const NO_CALL: Duration = Duration::from_millis(1);

/// An order with a limit that it never reaches.
#[derive(Clone)]
struct Order(spot::SubmitOrder);

const ORDER: Metadata = Metadata::new("order", Method::Post, Host::Spot, "/spot/v2/submit_order")
    .auth(Auth::Signed)
    .effect(Effect::Trade)
    .limit(10_000, 1, LimitScope::Key);

impl Endpoint for Order {
    type Response = <spot::SubmitOrder as Endpoint>::Response;
    const METADATA: Metadata = ORDER;
    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
        self.0.encode(payload)
    }
}

/// Times of one candidate.
struct Times {
    name: String,
    nanos: Vec<u128>,
}

impl Times {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), nanos: Vec::new() }
    }

    fn percentile(&mut self, percent: usize) -> u128 {
        self.nanos.sort_unstable();
        self.nanos[(self.nanos.len() - 1) * percent / 100]
    }

    /// Microseconds with one digit, without floats.
    fn micros(nanos: u128) -> String {
        format!("{}.{}", nanos / 1000, nanos % 1000 / 100)
    }

    /// A row: middle, high, number in a second, and what the first two add to a baseline.
    fn print(&mut self, baseline: Option<(u128, u128)>) {
        let per_second =
            self.nanos.len() as u128 * 1_000_000_000 / self.nanos.iter().sum::<u128>().max(1);
        let [middle, high] = [self.percentile(50), self.percentile(99)];
        let added = baseline.map(|(base_middle, base_high)| {
            let added = [middle.saturating_sub(base_middle), high.saturating_sub(base_high)];
            format!(" {} |", added.map(Self::micros).join(" | "))
        });
        let [middle, high] = [middle, high].map(Self::micros);
        let (name, added) = (&self.name, added.unwrap_or_default());
        println!("| {name} | {middle} | {high} | {per_second} |{added}");
    }
}

fn main() -> Result<(), BoxError> {
    if Command::new("redis-server").arg("--version").output().is_err() {
        println!("skipped: redis-server is not installed");
        return Ok(());
    }
    let measures = env::args().any(|argument| argument == "--bench");
    let (rounds, calls, orders) = if measures { (20, 500, 1000) } else { (1, 5, 5) };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(async {
        let server = Server::start();
        println!("### Permits\n\nOne caller at a time, over a Unix socket:\n");
        println!("| | p50 µs | p99 µs | permits/s |\n|---|---:|---:|---:|");
        permits(&server, rounds, calls).await?;
        println!("\n16 callers at a time:\n\n| | permits/s |\n|---|---:|");
        at_once(&server, rounds, calls).await?;
        println!("\n### An order on the sandbox\n");
        println!("| | p50 µs | p99 µs | orders/s | added p50 µs | added p99 µs |");
        println!("|---|---:|---:|---:|---:|---:|");
        added(&server, orders).await
    })
}

/// A store whose permits are for calls of at most `timeout`. Stores with another one do not share.
fn store(server: &Server, timeout: Duration, lease: u32) -> Result<RedisBudgets, BoxError> {
    Ok(RedisBudgets::builder(server.url(), "127.0.0.1")
        .namespace(format!("bench{}", timeout.as_millis()))
        .call_timeout(timeout)
        .reply_timeout(Duration::from_secs(2))
        .lease(lease)
        .build()?)
}

/// Waits until a new server grants.
async fn ready(store: &impl BudgetStore) -> Result<(), BoxError> {
    let budget = Budget::new(&ORDER, Some("first"), 0);
    let permit = store.acquire(&budget, WAIT).await.map_err(|refusal| format!("{refusal:?}"))?;
    store.end(&budget, permit, RequestEnd::Counted);
    Ok(())
}

/// Names and stores.
type Candidates = Vec<(String, Arc<dyn BudgetStore>)>;

fn candidates(server: &Server, timeout: Duration) -> Result<Candidates, BoxError> {
    let mut all: Candidates =
        vec![("counted in this process".to_owned(), Arc::new(LocalBudgets::new()))];
    for lease in [1, 8, 32] {
        all.push((format!("Redis, lease of {lease}"), Arc::new(store(server, timeout, lease)?)));
    }
    Ok(all)
}

async fn permits(server: &Server, rounds: usize, calls: usize) -> Result<(), BoxError> {
    let client = redis::Client::open(server.url())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    ready(&store(server, NO_CALL, 1)?).await?;
    let candidates = candidates(server, NO_CALL)?;
    let mut ping = Times::new("PING");
    let mut times: Vec<_> = candidates.iter().map(|(name, _)| Times::new(name)).collect();
    for round in 0..rounds {
        for _ in 0..calls {
            let start = Instant::now();
            redis::cmd("PING").exec_async(&mut connection).await?;
            ping.nanos.push(start.elapsed().as_nanos());
        }
        for (index, (_, store)) in candidates.iter().enumerate() {
            let budget = Budget::new(&ORDER, Some(&format!("{round} {index}")), 0);
            for _ in 0..calls {
                let start = Instant::now();
                let permit = store.acquire(&budget, WAIT).await;
                let permit = permit.map_err(|refusal| format!("{refusal:?}"))?;
                times[index].nanos.push(start.elapsed().as_nanos());
                store.end(&budget, permit, RequestEnd::Counted);
            }
        }
    }
    for times in std::iter::once(&mut ping).chain(&mut times) {
        times.print(None);
    }
    Ok(())
}

/// Permits per second with several callers.
async fn at_once(server: &Server, rounds: usize, calls: usize) -> Result<(), BoxError> {
    const CALLERS: usize = 16;
    let client = redis::Client::open(server.url())?;
    let connection = client.get_multiplexed_async_connection().await?;
    let candidates = candidates(server, NO_CALL)?;
    let mut ping = Duration::ZERO;
    let mut times = vec![Duration::ZERO; candidates.len()];
    let each = calls.div_ceil(CALLERS);
    for round in 0..rounds {
        let start = Instant::now();
        let tasks: Vec<_> = (0..CALLERS)
            .map(|_| {
                let mut connection = connection.clone();
                tokio::spawn(async move {
                    for _ in 0..each {
                        redis::cmd("PING").exec_async(&mut connection).await?;
                    }
                    Ok::<_, BoxError>(())
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        ping += start.elapsed();
        for (index, (_, store)) in candidates.iter().enumerate() {
            let budget = Budget::new(&ORDER, Some(&format!("at once {round} {index}")), 0);
            let start = Instant::now();
            let tasks: Vec<_> = (0..CALLERS)
                .map(|_| {
                    let (store, budget) = (Arc::clone(store), budget.clone());
                    tokio::spawn(async move {
                        for _ in 0..each {
                            let permit = store.acquire(&budget, WAIT).await;
                            let permit = permit.map_err(|refusal| format!("{refusal:?}"))?;
                            store.end(&budget, permit, RequestEnd::Counted);
                        }
                        Ok::<_, BoxError>(())
                    })
                })
                .collect();
            for task in tasks {
                task.await??;
            }
            times[index] += start.elapsed();
        }
    }
    let count = (each * CALLERS * rounds) as u128;
    let names = candidates.iter().map(|(name, _)| name.as_str());
    for (name, time) in std::iter::once("PING").chain(names).zip([ping].iter().chain(&times)) {
        println!("| {name} | {} |", count * 1_000_000_000 / time.as_nanos().max(1));
    }
    Ok(())
}

/// The time of an order with each candidate, from the call to the decoded response.
async fn added(server: &Server, orders: usize) -> Result<(), BoxError> {
    ready(&store(server, TIMEOUT, 1)?).await?;
    let sandbox = Sandbox::start(
        Config::new()
            .rate_limits(false)
            .market_maker(false)
            .spot_balance("USDT", Decimal::from(1_000_000_000)),
    )
    .await?;
    let key = sandbox.credentials();
    let environment =
        Environment::custom("sandbox").with(Service::SpotRest, sandbox.spot().rest.clone());
    let http = Arc::new(HyperTransport::builder().build()?);
    let mut clients = Vec::new();
    for (name, store) in candidates(server, TIMEOUT)? {
        let http = Arc::clone(&http);
        let transport = transport::from_fn(move |request| {
            let http = Arc::clone(&http);
            async move {
                let mut response = http.send(request).await?;
                // The real limit of orders would be adopted.
                response.headers_mut().remove("x-bm-ratelimit-remaining");
                Ok(response)
            }
        });
        // The first counts in the limiter itself.
        let limiter = Limiter::new(LimitPolicy::WaitUpTo(WAIT)).headroom(0);
        let limiter = if clients.is_empty() { limiter } else { limiter.with_store(store) };
        let client = Client::builder()
            .environment(environment.clone())
            .credentials(Credentials::new(
                key.key.as_str(),
                key.secret.as_str(),
                key.memo.as_str(),
            )?)
            .timeout(TIMEOUT)
            .transport(transport);
        clients.push((Times::new(name), client, limiter));
    }
    let mut built = Vec::new();
    for (times, client, limiter) in clients {
        built.push((times, client.limiter(limiter).build()?));
    }
    for _ in 0..orders {
        for (times, client) in &mut built {
            let order =
                spot::NewOrder::limit_buy("BTC_USDT", Decimal::new(1, 3), Decimal::from(30_000));
            let order = Order(spot::SubmitOrder::from(order));
            let start = Instant::now();
            client.send(order).await?;
            times.nanos.push(start.elapsed().as_nanos());
        }
    }
    let (local, _) = &mut built[0];
    let baseline = (local.percentile(50), local.percentile(99));
    for (index, (times, _)) in built.iter_mut().enumerate() {
        times.print(Some(if index > 0 { baseline } else { (u128::MAX, u128::MAX) }));
    }
    sandbox.shutdown().await;
    Ok(())
}
