//! One account for several readers: publishers as processes, and strategies that read.

mod futures;
mod networks;
mod spot;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bitmart_account::{AccountTracker, Assumptions, MAX_CLOCK_SKEW, Market};
use bitmart_fleet::account::{Publisher, Reader, Update};
use bitmart_fleet::nats::Options;
use bitmart_rest::Client;
use bitmart_rest::types::{Decimal, Environment, ReadyLine, Timestamp};
use bitmart_sandbox::Sandbox;

use super::common::LIMIT;

pub(super) const ACCOUNT: &str = "main";
const CHILD: &str = "BITMART_FLEET_TEST_PUBLISHER";

/// A publisher in a process of its own: this test program, which runs [`publisher_process`].
struct PublisherProcess {
    process: Child,
    /// What it prints: `leader`, and `since` with the time from which on it knows every fill.
    lines: Arc<Mutex<Vec<String>>>,
}

impl PublisherProcess {
    /// Publishes the account of the sandbox to NATS at `url`.
    fn start(url: &str, sandbox: &Sandbox, id: &str, market: Market) -> Self {
        Self::start_with_timeout(url, sandbox, id, market, Duration::from_millis(1_500))
    }

    fn start_with_timeout(
        url: &str,
        sandbox: &Sandbox,
        id: &str,
        market: Market,
        lease_timeout: Duration,
    ) -> Self {
        let market = if market == Market::Spot { "spot" } else { "futures" };
        let (exchange, timeout) = (sandbox.ready_line(), lease_timeout.as_millis().to_string());
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["account::publisher_process", "--exact", "--ignored", "--nocapture"])
            .env(CHILD, [url, id, market, &timeout, &exchange].join("\n"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let printed = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                printed.lock().expect("no panic").push(line);
            }
        });
        Self { process, lines }
    }

    /// The number that it has printed behind a word.
    fn printed(&self, word: &str) -> Option<i64> {
        let word = format!("{word} ");
        let lines = self.lines.lock().expect("no panic");
        let rest = lines.iter().find_map(|line| line.split(&word).nth(1))?;
        Some(rest.trim().parse().expect("a number"))
    }

    fn is_leader(&self) -> bool {
        self.printed("leader").is_some()
    }

    async fn until_leader(&self) {
        let start = Instant::now();
        while !self.is_leader() {
            assert!(start.elapsed() < LIMIT, "it does not lead");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
    }
}

impl Drop for PublisherProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn clients(exchange: &str) -> (Client, bitmart_ws::Client) {
    let ready = ReadyLine::parse(exchange).expect("a ready line");
    let environment = Environment::from_ready_line(exchange).expect("an environment");
    let (key, secret, memo) = (ready.key(), ready.secret(), ready.memo());
    let credentials = bitmart_rest::auth::Credentials::new(key, secret, memo).expect("a key");
    let rest = Client::builder().environment(environment.clone()).credentials(credentials.clone());
    // What the account is complete until moves with what is received, which is heartbeats if nobody trades.
    // A publisher knows every fill from one idle timeout after its start on.
    let policy = bitmart_ws::ConnectionPolicy::new()
        .heartbeat_interval(Duration::from_secs(1))
        .idle_timeout(Duration::from_secs(3));
    let ws = bitmart_ws::Client::builder()
        .environment(environment)
        .credentials(credentials)
        .connection_policy(policy);
    (rest.build().expect("a client"), ws.build().expect("a client"))
}

pub(super) fn tracker(rest: Client, ws: bitmart_ws::Client, market: Market) -> AccountTracker {
    // The sandbox has no delays and the same clock.
    let assumptions = Assumptions::default()
        .max_push_delay(Duration::from_millis(200))
        .max_history_lag(Duration::from_millis(50));
    let builder = AccountTracker::builder(rest, ws).assumptions(assumptions);
    match market {
        Market::Futures => builder.futures(["USDT"]).build(),
        Market::Spot => builder.spot().build(),
    }
}

#[tokio::test]
#[ignore = "the body of a process of other tests"]
async fn publisher_process() {
    let Ok(options) = std::env::var(CHILD) else { return };
    let options: Vec<&str> = options.lines().collect();
    let [url, id, market, timeout, exchange] = options[..] else { panic!("five options") };
    let (rest, ws) = clients(exchange);
    let market = if market == "spot" { Market::Spot } else { Market::Futures };
    let tracker = move || tracker(rest.clone(), ws.clone(), market);
    let timeout = Duration::from_millis(timeout.parse().expect("a number"));
    let builder = Publisher::builder(Options::new(url), ACCOUNT, tracker).id(id);
    let publisher = builder.lease_timeout(timeout).start().await.expect("started");
    let (mut leader, mut since) = (false, None);
    loop {
        if !leader && publisher.is_leader() {
            leader = true;
            println!("\nleader 1");
        }
        if since.is_none() {
            since = publisher.complete_since(market);
            if let Some(since) = since {
                println!("\nsince {}", since.as_millis());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A reader with what it has reported.
pub(super) struct Strategy {
    pub(super) reader: Reader,
    market: Market,
    /// Order and trade.
    pub(super) fills: Vec<(String, String)>,
    pub(super) missed: Vec<Update>,
    pub(super) lives: Vec<bool>,
}

impl Strategy {
    pub(super) async fn connect(nats: Options, market: Market) -> Self {
        let start = Instant::now();
        let reader = loop {
            match Reader::connect(nats.clone(), ACCOUNT).await {
                Ok(reader) => break reader,
                Err(error) => assert!(start.elapsed() < LIMIT, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Self { reader, market, fills: Vec::new(), missed: Vec::new(), lives: Vec::new() }
    }

    /// Reads until a condition holds, and what is there by then: the state is ahead of updates that were not read.
    pub(super) async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let read = async {
            loop {
                let pause = Duration::from_millis(if done(self) { 0 } else { 50 });
                match tokio::time::timeout(pause, self.reader.next()).await {
                    Ok(update) => self.add(update.expect("a connection")),
                    Err(_) if pause.is_zero() => return,
                    Err(_) => {}
                }
            }
        };
        tokio::time::timeout(LIMIT, read).await.expect("in time");
    }

    fn add(&mut self, update: Update) {
        // Shown if the test fails; a long run prints its result alone.
        if std::env::var_os("BITMART_FLEET_SERVER_KILLS").is_none() {
            println!("{} {update:?}", Timestamp::now());
        }
        match update {
            Update::Fill(fill) => {
                self.fills.push((fill.order_id.to_string(), fill.trade_id.to_string()));
            }
            missed @ Update::Missed { .. } => self.missed.push(missed),
            Update::Live { live, .. } => self.lives.push(live),
            _ => {}
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.reader.is_live(self.market)
    }

    /// Whether it is live and complete until this time.
    fn is_complete(&self, until: Timestamp) -> bool {
        let complete = self.reader.complete_until(self.market);
        self.is_live() && complete.is_some_and(|time| time > until)
    }

    /// Waits until nothing is missed if this publisher takes over.
    async fn until_covered_by(&mut self, standby: &PublisherProcess) {
        self.until(|strategy| {
            let since = standby.printed("since").map(Timestamp::from_millis);
            since.is_some_and(|since| strategy.is_complete(since + MAX_CLOCK_SKEW))
        })
        .await;
    }

    pub(super) async fn until_live(&mut self) {
        self.until(|strategy| strategy.is_complete(Timestamp::from_millis(0))).await;
    }

    /// Compares with the exchange, which nobody changes meanwhile.
    pub(super) async fn is_the_same_as(&mut self, rest: &Client, sandbox: &Sandbox) {
        let now = rest.now();
        self.until(|strategy| strategy.is_complete(now)).await;
        self.is_now_the_same_as(rest, sandbox).await;
    }

    async fn is_now_the_same_as(&self, rest: &Client, sandbox: &Sandbox) {
        let mine = self.reader.state().open_orders(self.market);
        let mine = mine.map(|order| order.order_id.to_string()).collect::<BTreeSet<_>>();
        assert_eq!(mine, self.orders_at(rest).await);
        if self.market == Market::Futures {
            assert_eq!(self.positions(), positions_at(rest).await);
        }
        let is_spot = self.market == Market::Spot;
        let all = sandbox.fills();
        let all = all.iter().filter(|fill| fill.symbol.contains('_') == is_spot);
        let all = all.map(|fill| (fill.order_id.clone(), fill.trade_id.clone()));
        let mine: BTreeSet<_> = self.fills.iter().cloned().collect();
        assert_eq!(mine.len(), self.fills.len(), "each fill once");
        assert_eq!(mine, all.collect::<BTreeSet<_>>());
        assert_eq!(self.missed, []);
    }

    async fn orders_at(&self, rest: &Client) -> BTreeSet<String> {
        if self.market == Market::Spot {
            let all = bitmart_rest::spot::ListOpenOrders::new().limit(200);
            let open = rest.spot().open_orders(all).await.expect("orders");
            return open.iter().map(|order| order.order_id.to_string()).collect();
        }
        let open = rest.futures().open_orders(()).await.expect("orders");
        open.iter().map(|order| order.order_id.to_string()).collect()
    }

    fn positions(&self) -> BTreeMap<String, Decimal> {
        let all = self.reader.state().all_positions();
        let named = |side| format!("{side:?}").to_lowercase();
        all.map(|(key, position)| (named(key.side), position.size)).collect()
    }
}

/// The sizes of open positions by their side.
async fn positions_at(rest: &Client) -> BTreeMap<String, Decimal> {
    let all = rest.futures().positions(()).await.expect("positions");
    let open = all.iter().filter(|position| !position.size.is_zero());
    let side = |side| format!("{side:?}").to_lowercase();
    open.map(|p| (side(p.position_side.as_ref().expect("a side")), p.size)).collect()
}

/// Publishers die while two strategies read and `trade` changes the account.
async fn publishers_are_killed(
    market: Market,
    nats: &super::common::Nats,
    sandbox: &Sandbox,
    trade: impl AsyncFn(&Client),
) {
    let (rest, _) = clients(&sandbox.ready_line());
    let mut leader = PublisherProcess::start(&nats.url, sandbox, "a", market);
    leader.until_leader().await;
    let mut strategies = [
        Strategy::connect(nats.options(), market).await,
        Strategy::connect(nats.options(), market).await,
    ];
    for strategy in &mut strategies {
        strategy.until_live().await;
    }
    trade(&rest).await;
    let start = |id| PublisherProcess::start(&nats.url, sandbox, id, market);
    let mut standby = vec![start("b"), start("c")];
    for strategy in &mut strategies {
        for publisher in &standby {
            strategy.until_covered_by(publisher).await;
        }
    }
    while !standby.is_empty() {
        are_the_same(&mut strategies, &rest, sandbox).await;
        leader.kill();
        // Nobody publishes these.
        trade(&rest).await;
        for strategy in &mut strategies {
            strategy.lives.clear();
            strategy.until(|strategy| strategy.lives.contains(&true)).await;
            assert!(!strategy.lives[0], "before the other took over");
        }
        are_the_same(&mut strategies, &rest, sandbox).await;
        trade(&rest).await;
        let index = standby.iter().position(PublisherProcess::is_leader).expect("one leads");
        leader = standby.swap_remove(index);
    }
    are_the_same(&mut strategies, &rest, sandbox).await;
}

async fn are_the_same(strategies: &mut [Strategy], rest: &Client, sandbox: &Sandbox) {
    let now = rest.now();
    for strategy in strategies {
        strategy.until(|strategy| strategy.is_complete(now)).await;
        strategy.is_now_the_same_as(rest, sandbox).await;
    }
}
