//! Everything together: two bots share the limit of an account through Redis, and read market data and the account over
//! NATS. Both servers are killed while the bots trade on a sandbox that enforces its limits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitmart_account::Market;
use bitmart_fleet::account::Publisher;
use bitmart_fleet::nats::Options;
use bitmart_fleet::{Outage, RedisBudgets};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::spot::NewOrder;
use bitmart_rest::transport::{self, HyperTransport, Transport as _};
use bitmart_rest::types::{Environment, ReadyLine, dec};
use bitmart_rest::{Client, ErrorKind};
use bitmart_sandbox::{Config, Sandbox};
use bitmart_ws::Update;

use super::account::{self, Strategy};
use super::common::{LIMIT, Nats, TRADES, collector, raw};
use super::judge::{Sent, most_in_a_window};
use super::redis_server::Server;

/// The limit of `submit_order` per account, and its window in microseconds.
const ORDER_LIMIT: usize = 40;
const WINDOW: u64 = 2_000_000;
/// The longest time that a request may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Orders of each bot in each part of the test: together more than the limit of a window.
const ORDERS_OF_A_PART: usize = 30;

/// What a bot has done.
#[derive(Default)]
struct Log {
    sent: Mutex<Vec<Sent>>,
    accepted: AtomicUsize,
    rejected: AtomicUsize,
    /// Market data was away.
    gaps: AtomicUsize,
    is_over: AtomicBool,
}

fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_micros()).expect("before the year 586912")
}

/// A client with a store of its own, as in a process of its own. Notes when orders are sent and answered.
fn client(redis: &Server, sandbox: &Sandbox, log: &Arc<Log>) -> (Client, RedisBudgets) {
    let budgets = RedisBudgets::builder(redis.url(), "127.0.0.1").call_timeout(TIMEOUT);
    let budgets = budgets.outage(Outage::Wait).build().expect("valid");
    let limiter = Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(30)));
    let limiter = limiter.with_store(Arc::new(budgets.clone()));
    let http = Arc::new(HyperTransport::builder().build().expect("a transport"));
    let log = Arc::clone(log);
    let transport = transport::from_fn(move |request| {
        let (http, log) = (Arc::clone(&http), Arc::clone(&log));
        async move {
            let index = request.uri().path().ends_with("/submit_order").then(|| {
                let mut all = log.sent.lock().expect("no panic");
                all.push(Sent { at: micros(), end: None });
                all.len() - 1
            });
            let response = http.send(request).await;
            if let Some(index) = index {
                log.sent.lock().expect("no panic")[index].end = Some(micros());
            }
            if response.as_ref().is_ok_and(|response| response.status() == 429) {
                log.rejected.fetch_add(1, Ordering::Relaxed);
            }
            response
        }
    });
    let line = sandbox.ready_line();
    let ready = ReadyLine::parse(&line).expect("a ready line");
    let (key, secret, memo) = (ready.key(), ready.secret(), ready.memo());
    let credentials = bitmart_rest::auth::Credentials::new(key, secret, memo).expect("a key");
    let client = Client::builder()
        .environment(Environment::from_ready_line(&line).expect("an environment"))
        .credentials(credentials)
        .transport(transport)
        .timeout(TIMEOUT)
        .limiter(limiter)
        .build();
    (client.expect("valid"), budgets)
}

/// Trades as fast as the limit allows while there is market data.
async fn bot(rest: Client, market: bitmart_ws::Client, log: Arc<Log>) {
    let trades = tokio::time::timeout(LIMIT, market.subscribe(raw(TRADES))).await;
    let mut trades = trades.expect("in time").expect("subscribed");
    let mut has_data = false;
    while !log.is_over.load(Ordering::Relaxed) {
        let order = async {
            let buys = log.accepted.load(Ordering::Relaxed).is_multiple_of(2);
            let order = if buys {
                NewOrder::market_buy("BTC_USDT", dec!(30))
            } else {
                NewOrder::market_sell("BTC_USDT", dec!(0.0005))
            };
            let ended = rest.spot().submit_order(order).await;
            match ended {
                Ok(_) => drop(log.accepted.fetch_add(1, Ordering::Relaxed)),
                Err(error) if matches!(error.kind(), ErrorKind::Throttled(_)) => {}
                Err(error) => panic!("{error}"),
            }
        };
        if has_data {
            order.await;
        }
        // What has come since the last order, without a wait if there is data.
        let pause = Duration::from_millis(if has_data { 0 } else { 50 });
        while let Ok(update) = tokio::time::timeout(pause, trades.next()).await {
            match update.expect("a connection").expect("an update") {
                Update::Subscribed | Update::Resynced => has_data = true,
                Update::Reconnecting(_) => {
                    has_data = false;
                    log.gaps.fetch_add(1, Ordering::Relaxed);
                }
                _ => {}
            }
        }
    }
}

/// Waits until each bot had so many more orders accepted.
async fn until_traded(strategy: &mut Strategy, logs: &[Arc<Log>], more: usize) {
    let accepted = |log: &Arc<Log>| log.accepted.load(Ordering::Relaxed);
    let wanted: Vec<_> = logs.iter().map(|log| accepted(log) + more).collect();
    strategy
        .until(|_| logs.iter().zip(&wanted).all(|(log, wanted)| accepted(log) >= *wanted))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server and redis-server"]
async fn servers_are_killed_while_bots_trade_and_neither_a_limit_nor_a_fill_is_missed() {
    // With its limits.
    let sandbox = Sandbox::start(Config::new()).await.expect("a sandbox");
    let (mut nats, mut redis) = (Nats::start(), Server::start());
    let _collectors = [
        collector(&nats, &sandbox, "a", |builder| builder).await,
        collector(&nats, &sandbox, "b", |builder| builder).await,
    ];
    let logs: [Arc<Log>; 3] = Default::default();
    let [bots @ .., queries] = &logs;
    let (rest, _budgets) = client(&redis, &sandbox, queries);
    let (_, ws) = account::clients(&sandbox.ready_line());
    let publisher = Publisher::builder(Options::new(&nats.url), account::ACCOUNT, {
        let rest = rest.clone();
        move || account::tracker(rest.clone(), ws.clone(), Market::Spot)
    });
    let _publisher = publisher.id("p").start().await.expect("started");
    let mut strategy = Strategy::connect(nats.options(), Market::Spot).await;
    strategy.until_live().await;
    let mut tasks = Vec::new();
    for log in bots {
        let (rest, _) = client(&redis, &sandbox, log);
        tasks.push(tokio::spawn(bot(rest, nats.client().await, Arc::clone(log))));
    }
    until_traded(&mut strategy, bots, ORDERS_OF_A_PART).await;
    let kills = std::env::var("BITMART_FLEET_SERVER_KILLS").ok();
    let kills = kills.map_or(1, |text| text.parse().expect("a number"));
    for _ in 0..kills {
        let gaps = |log: &Arc<Log>| log.gaps.load(Ordering::Relaxed);
        let before: Vec<_> = bots.iter().map(gaps).collect();
        nats.kill();
        strategy.until(|_| bots.iter().zip(&before).all(|(log, n)| gaps(log) > *n)).await;
        nats.restart();
        until_traded(&mut strategy, bots, ORDERS_OF_A_PART).await;
        redis.kill();
        let killed = Instant::now();
        redis.restart();
        until_traded(&mut strategy, bots, ORDERS_OF_A_PART).await;
        assert!(killed.elapsed() >= Duration::from_secs(4), "permits of a server that knows none");
    }
    for log in bots {
        log.is_over.store(true, Ordering::Relaxed);
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    let sent: Vec<Sent> =
        bots.iter().flat_map(|log| log.sent.lock().expect("no panic").clone()).collect();
    let most = most_in_a_window(&sent, WINDOW, 1_000_000);
    assert!(most <= ORDER_LIMIT, "{most} in a window");
    for log in &logs {
        assert_eq!(log.rejected.load(Ordering::Relaxed), 0, "rejected by the sandbox");
    }
    strategy.is_the_same_as(&rest, &sandbox).await;
    println!(
        "fleet servers: {kills} kills of NATS and {kills} of Redis under {} orders of two bots: 0 rejected, at most \
         {most} of {ORDER_LIMIT} in a window; {} fills, each reported once",
        sent.len(),
        strategy.fills.len(),
    );
}
