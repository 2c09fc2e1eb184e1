//! One account for several readers, with publishers that are killed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bitmart_account::{AccountTracker, Assumptions, MAX_CLOCK_SKEW, Market};
use bitmart_fleet::account::{Publisher, Reader, Update};
use bitmart_fleet::nats::Options;
use bitmart_rest::spot;
use bitmart_rest::types::{Environment, ReadyLine, Timestamp, dec};

use super::common::{LIMIT, Nats, exchange};

const ACCOUNT: &str = "main";
const CHILD: &str = "BITMART_FLEET_TEST_PUBLISHER";

/// A publisher in a process of its own: this test program, which runs [`publisher_process`].
struct PublisherProcess {
    process: Child,
    /// What it prints: `leader`, and `since` with the time from which on it knows every fill.
    lines: std::sync::mpsc::Receiver<String>,
}

impl PublisherProcess {
    fn start(nats: &Nats, exchange: &str, id: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["account::publisher_process", "--exact", "--ignored", "--nocapture"])
            .env(CHILD, [&nats.url, id, exchange].join("\n"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// Waits until it prints this word, and returns the number behind it.
    fn wait_for(&self, word: &str) -> i64 {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            let Ok(line) = self.lines.recv_timeout(Duration::from_secs(1)) else { continue };
            if let Some(rest) = line.split(&format!("{word} ")).nth(1) {
                return rest.trim().parse().expect("a number");
            }
        }
        panic!("no {word}");
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

fn clients(exchange: &str) -> (bitmart_rest::Client, bitmart_ws::Client) {
    let ready = ReadyLine::parse(exchange).expect("a ready line");
    let environment = Environment::from_ready_line(exchange).expect("an environment");
    let (key, secret, memo) = (ready.key(), ready.secret(), ready.memo());
    let credentials = bitmart_rest::auth::Credentials::new(key, secret, memo).expect("a key");
    let rest = bitmart_rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone());
    // What the account is complete until moves with what is received, which is heartbeats if nobody trades.
    let policy = bitmart_ws::ConnectionPolicy::new().heartbeat_interval(Duration::from_secs(1));
    let ws = bitmart_ws::Client::builder()
        .environment(environment)
        .credentials(credentials)
        .connection_policy(policy);
    (rest.build().expect("a client"), ws.build().expect("a client"))
}

#[tokio::test]
#[ignore = "the body of a process of other tests"]
async fn publisher_process() {
    let Ok(options) = std::env::var(CHILD) else { return };
    let options: Vec<&str> = options.lines().collect();
    let [url, id, exchange] = options[..] else { panic!("three options") };
    let (rest, ws) = clients(exchange);
    // The sandbox has no delays and the same clock.
    let assumptions = Assumptions::default()
        .max_push_delay(Duration::from_millis(200))
        .max_history_lag(Duration::from_millis(50));
    let tracker = move || {
        AccountTracker::builder(rest.clone(), ws.clone()).spot().assumptions(assumptions).build()
    };
    let builder = Publisher::builder(Options::new(url), ACCOUNT, tracker).id(id);
    let publisher = builder.start().await.expect("started");
    let (mut leader, mut since) = (false, None);
    loop {
        if !leader && publisher.is_leader() {
            leader = true;
            println!("\nleader 1");
        }
        if since.is_none() {
            since = publisher.complete_since(Market::Spot);
            if let Some(since) = since {
                println!("\nsince {}", since.as_millis());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A reader with what it has reported.
struct Strategy {
    reader: Reader,
    fills: Vec<(String, String)>,
    missed: Vec<Update>,
    lives: Vec<bool>,
}

impl Strategy {
    async fn connect(nats: &Nats) -> Self {
        let start = Instant::now();
        let reader = loop {
            match Reader::connect(nats.options(), ACCOUNT).await {
                Ok(reader) => break reader,
                Err(error) => assert!(start.elapsed() < LIMIT, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Self { reader, fills: Vec::new(), missed: Vec::new(), lives: Vec::new() }
    }

    /// Reads until a condition holds.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let read = async {
            while !done(self) {
                let pause = Duration::from_millis(50);
                let Ok(update) = tokio::time::timeout(pause, self.reader.next()).await else {
                    continue;
                };
                let update = update.expect("a connection");
                // Shown if the test fails.
                println!("{} {update:?}", Timestamp::now());
                match update {
                    Update::Fill(fill) => {
                        self.fills.push((fill.order_id.to_string(), fill.trade_id.to_string()));
                    }
                    missed @ Update::Missed { .. } => self.missed.push(missed),
                    Update::Live { live, .. } => self.lives.push(live),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(LIMIT, read).await.expect("in time");
    }

    /// Whether it is live and complete until this time.
    fn is_complete(&self, until: Timestamp) -> bool {
        self.reader.is_live(Market::Spot)
            && self.reader.complete_until(Market::Spot).is_some_and(|time| time > until)
    }

    /// Compares with the exchange, which nobody changes meanwhile.
    async fn is_the_same_as(&mut self, rest: &bitmart_rest::Client) {
        let now = rest.now();
        self.until(|strategy| strategy.is_complete(now)).await;
        let open = rest.spot().open_orders(spot::ListOpenOrders::new().limit(200)).await;
        let open: BTreeSet<String> =
            open.expect("orders").iter().map(|order| order.order_id.to_string()).collect();
        let mine = self.reader.state().open_orders(Market::Spot);
        assert_eq!(mine.map(|order| order.order_id.to_string()).collect::<BTreeSet<_>>(), open);
        let fills = rest.spot().account_trades(spot::ListAccountTrades::new().limit(200)).await;
        let fills = fills.expect("fills");
        let fills = fills.iter().map(|f| (f.order_id.to_string(), f.trade_id.to_string()));
        let mine: BTreeSet<_> = self.fills.iter().cloned().collect();
        assert_eq!(mine.len(), self.fills.len(), "each fill once");
        assert_eq!(mine, fills.collect::<BTreeSet<_>>());
        assert_eq!(self.missed, []);
    }
}

/// Places an order that rests and cancels an earlier one, and makes fills.
async fn trade(rest: &bitmart_rest::Client) {
    for round in 0..3 {
        let resting = spot::NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(20000));
        let resting = rest.spot().submit_order(resting).await.expect("accepted").order_id;
        let buy = spot::NewOrder::market_buy("BTC_USDT", dec!(20));
        rest.spot().submit_order(buy).await.expect("accepted");
        if round > 0 {
            let receipt = rest.spot().cancel_order(("BTC_USDT", resting)).await.expect("canceled");
            assert_eq!(receipt.canceled, Some(true));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn two_strategies_see_one_account_while_its_publishers_are_killed() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    let ready = sandbox.ready_line();
    let (rest, _) = clients(&ready);
    let mut leader = PublisherProcess::start(&nats, &ready, "a");
    leader.wait_for("leader");
    let mut strategies = [Strategy::connect(&nats).await, Strategy::connect(&nats).await];
    for strategy in &mut strategies {
        strategy.until(|strategy| strategy.is_complete(Timestamp::from_millis(0))).await;
    }
    for id in ["b", "c"] {
        trade(&rest).await;
        let standby = PublisherProcess::start(&nats, &ready, id);
        let since = Timestamp::from_millis(standby.wait_for("since")) + MAX_CLOCK_SKEW;
        for strategy in &mut strategies {
            // From now on nothing is missed if the standby takes over.
            strategy.until(|strategy| strategy.is_complete(since)).await;
            strategy.is_the_same_as(&rest).await;
            strategy.lives.clear();
        }
        leader.kill();
        // Nobody publishes these.
        trade(&rest).await;
        for strategy in &mut strategies {
            strategy.until(|strategy| strategy.lives.contains(&true)).await;
            assert!(!strategy.lives[0], "before the other took over");
            strategy.is_the_same_as(&rest).await;
        }
        leader = standby;
    }
    trade(&rest).await;
    let [first, second] = &mut strategies;
    first.is_the_same_as(&rest).await;
    second.is_the_same_as(&rest).await;
}
