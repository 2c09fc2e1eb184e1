//! What a network can do to a trader, over real sockets: whatever happens, it shows in band, and the
//! fills that are known in the end are those of the exchange's ledger, each once.

mod proxy;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker, Assumptions, Health, Market};
use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::types::Service;
use bitmart::ws::{ErrorKind, ReconnectReason, topic};
use bitmart::{Credentials, Environment, TradeId, dec, rest, ws};
use tokio::task::JoinSet;

use proxy::{BINARY, Fate, Frame, PING, Proxy, TEXT, encode};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// How long a test waits for what must happen. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The sandbox shows a fill at once, and its clock is that of this machine.
fn prompt() -> Assumptions {
    Assumptions::default()
        .history_behind(Duration::from_millis(100))
        .clocks_differ(Duration::from_millis(10))
}

/// Orders that are placed in each test.
const ORDERS: usize = 6;

struct Desk {
    exchange: Sandbox,
    proxy: Proxy,
    environment: Environment,
    rest: rest::Client,
    account: AccountTracker,
    /// What was told, in short.
    told: Vec<String>,
    fills: Vec<TradeId>,
}

/// A frame about an order without what it cannot do without.
fn broken(frame: &Frame) -> Fate {
    let text = frame.text().replace("\"side\"", "\"another name\"");
    Fate::Instead(encode(true, TEXT, text.as_bytes()))
}

/// Whether this frame tells of an order.
fn is_order(frame: &Frame) -> bool {
    frame.opcode == TEXT && frame.text().contains("\"order_id\"")
}

/// A rule that harms the first so many frames about orders.
fn first_orders(times: usize, harm: fn(&Frame) -> Fate) -> impl FnMut(&Frame) -> Fate + Send {
    let mut left = times;
    move |frame| {
        if left > 0 && is_order(frame) {
            left -= 1;
            return harm(frame);
        }
        Fate::Pass
    }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

async fn open(
    rule: impl FnMut(&Frame) -> Fate + Send + 'static,
    configure: impl FnOnce(ws::ClientBuilder) -> ws::ClientBuilder,
) -> Result<Desk, Box<dyn std::error::Error>> {
    let exchange = Sandbox::start(Config::new().seed(5)).await?;
    let proxy = Proxy::start(&exchange.spot().ws_private, rule).await?;
    let environment =
        sandbox::environment(&exchange)?.with(Service::SpotWsPrivate, proxy.address());
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment.clone()).credentials(credentials);
    let account = AccountTracker::new(rest.clone(), configure(ws).build()?).spot().assume(prompt());
    let mut desk =
        Desk { exchange, proxy, environment, rest, account, told: Vec::new(), fills: Vec::new() };
    desk.until_in_step().await?;
    Ok(desk)
}

impl Desk {
    /// The next event, noted.
    async fn next(&mut self) -> Result<AccountEvent, Box<dyn std::error::Error>> {
        let event = tokio::time::timeout(PATIENCE, self.account.next())
            .await
            .map_err(|_| format!("nothing more after {:?}", self.told))?
            .ok_or("the account ended")??;
        match &event {
            AccountEvent::Fill(fill) => self.fills.push(fill.trade_id.clone()),
            AccountEvent::Reconnecting { reason, .. } => {
                self.told.push(format!("reconnecting: {reason}"));
            }
            AccountEvent::Health { health: Health::Stale, .. } => {
                self.told.push("stale".to_owned());
            }
            AccountEvent::Overflowed { .. } => self.told.push("overflowed".to_owned()),
            AccountEvent::CaughtUp(found) => self.told.push(format!("caught up: {found:?}")),
            _ => {}
        }
        Ok(event)
    }

    async fn until_in_step(&mut self) -> TestResult {
        while !self.account.is_in_step(Market::Spot) {
            self.next().await?;
        }
        Ok(())
    }

    async fn trade(&mut self) -> TestResult {
        for _ in 0..ORDERS {
            self.rest.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(40))).await?;
        }
        Ok(())
    }

    /// Waits until every fill of the ledger is known, and checks that each is known once.
    async fn settle(&mut self) -> TestResult {
        let ledger: BTreeSet<TradeId> = self
            .exchange
            .fills()
            .iter()
            .map(|fill| TradeId::from(fill.trade_id.as_str()))
            .collect();
        assert!(ledger.len() >= ORDERS, "every order filled");
        while self.fills.len() < ledger.len()
            || !self.account.is_in_step(Market::Spot)
            || self.account.state().open_orders(Market::Spot).next().is_some()
        {
            self.next().await?;
        }
        let known: BTreeSet<TradeId> = self.fills.iter().cloned().collect();
        assert_eq!(known.len(), self.fills.len(), "a fill was told twice");
        assert_eq!(known, ledger);
        let wallet = self.rest.account().spot_wallet().await?;
        for currency in ["BTC", "USDT"] {
            let currency = currency.into();
            while self.account.state().balance(Market::Spot, &currency).map(|own| own.available)
                != wallet.find(currency.as_str()).map(|balance| balance.available)
            {
                self.next().await?;
            }
        }
        Ok(())
    }

    fn was_told(&self, what: &str) -> bool {
        self.told.iter().any(|told| told.contains(what))
    }

    /// One frame that cannot be read costs itself only, and what it held is asked for.
    fn found_without_reconnecting(&self) {
        assert!(!self.was_told("reconnecting"), "{:?}", self.told);
        assert!(self.was_told("since: Some"), "{:?}", self.told);
    }
}

/// Trades while the rule does its harm. Gives what was told.
async fn endure(
    rule: impl FnMut(&Frame) -> Fate + Send + 'static,
) -> Result<Desk, Box<dyn std::error::Error>> {
    let mut desk = open(rule, |ws| ws).await?;
    desk.trade().await?;
    desk.settle().await?;
    Ok(desk)
}

#[tokio::test]
async fn nothing_happens_and_nothing_is_said() -> TestResult {
    let desk = endure(|_| Fate::Pass).await?;
    assert_eq!(desk.told.len(), 1, "the first catching up and no more: {:?}", desk.told);
    assert_eq!(desk.proxy.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn cut_inside_a_frame() -> TestResult {
    let places: [fn(&Frame) -> Fate; 5] = [
        |_| Fate::Cut(Vec::new()),
        |frame| Fate::Cut(frame.bytes()[..1].to_vec()),
        |frame| Fate::Cut(frame.bytes()[..3].to_vec()),
        |frame| Fate::Cut(frame.bytes()[..frame.payload.len() / 2].to_vec()),
        |frame| Fate::Cut(frame.bytes()[..frame.bytes().len() - 1].to_vec()),
    ];
    for harm in places {
        let desk = endure(first_orders(1, harm)).await?;
        assert!(desk.was_told("reconnecting"), "{:?}", desk.told);
    }
    Ok(())
}

#[tokio::test]
async fn cut_again_and_again() -> TestResult {
    let desk = endure(first_orders(3, |frame| Fate::Cut(frame.bytes()))).await?;
    assert!(desk.was_told("reconnecting"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn half_open() -> TestResult {
    let desk = endure(first_orders(1, |_| Fate::Freeze)).await?;
    let silent = ReconnectReason::Silent { limit: Duration::from_secs(20) }.to_string();
    assert!(desk.was_told("stale") && desk.was_told(&silent), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn compressed_garbage() -> TestResult {
    let garbage = |_: &Frame| Fate::Instead(encode(true, BINARY, b"\xff\xfe garbage"));
    let desk = endure(first_orders(1, garbage)).await?;
    desk.found_without_reconnecting();
    Ok(())
}

#[tokio::test]
async fn zip_bomb() -> TestResult {
    static BOMB: LazyLock<Vec<u8>> =
        LazyLock::new(|| encode(true, BINARY, &deflate(&vec![b' '; 64 << 20])));
    // Before anybody waits: a busy machine takes longer to make it than a silent socket lives.
    LazyLock::force(&BOMB);
    let bomb = |_: &Frame| Fate::Instead(BOMB.clone());
    let desk = endure(first_orders(1, bomb)).await?;
    desk.found_without_reconnecting();
    Ok(())
}

#[tokio::test]
async fn ten_megabytes_in_one_frame() -> TestResult {
    let huge = |_: &Frame| Fate::Instead(encode(true, TEXT, &vec![b' '; 10 << 20]));
    let desk = endure(first_orders(1, huge)).await?;
    assert!(desk.was_told("protocol violation"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn fragments_with_pings_in_between() -> TestResult {
    let scatter = |frame: &Frame| {
        let (front, back) = frame.payload.split_at(frame.payload.len() / 3);
        let (middle, back) = back.split_at(back.len() / 2);
        let mut bytes = encode(false, frame.opcode, front);
        bytes.extend(encode(true, PING, b"now"));
        bytes.extend(encode(false, 0, middle));
        bytes.extend(encode(true, 0, back));
        Fate::Instead(bytes)
    };
    let desk = endure(first_orders(usize::MAX, scatter)).await?;
    assert!(!desk.was_told("reconnecting"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn ping_flood() -> TestResult {
    let flood = |frame: &Frame| {
        let mut bytes = encode(true, PING, b"answer me").repeat(500);
        bytes.extend(frame.bytes());
        Fate::Instead(bytes)
    };
    let desk = endure(first_orders(usize::MAX, flood)).await?;
    assert!(!desk.was_told("reconnecting"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn every_frame_about_orders_twice() -> TestResult {
    let twice = |frame: &Frame| Fate::Instead(frame.bytes().repeat(2));
    let desk = endure(first_orders(usize::MAX, twice)).await?;
    assert!(!desk.was_told("reconnecting"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn a_frame_that_does_not_decode() -> TestResult {
    let mut desk = endure(first_orders(2, broken)).await?;
    while desk.told.iter().filter(|told| told.contains("caught up")).count() < 2 {
        desk.next().await?;
    }
    assert!(!desk.was_told("reconnecting"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn acknowledgements_twice() -> TestResult {
    let twice = |frame: &Frame| {
        if frame.text().contains("\"event\":\"subscribe\"") {
            Fate::Instead(frame.bytes().repeat(2))
        } else {
            Fate::Pass
        }
    };
    let desk = endure(twice).await?;
    assert_eq!(desk.proxy.connections(), 1, "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn acknowledgement_missing() -> TestResult {
    let mut left = 1;
    let swallow = move |frame: &Frame| {
        if left > 0 && frame.text().contains("\"event\":\"subscribe\"") {
            left -= 1;
            return Fate::Instead(Vec::new());
        }
        Fate::Pass
    };
    endure(swallow).await?;
    Ok(())
}

#[tokio::test]
async fn slow_consumer() -> TestResult {
    let mut desk = open(|_| Fate::Pass, |ws| ws.queue_capacity(3)).await?;
    // Nobody reads meanwhile.
    desk.trade().await?;
    desk.settle().await?;
    assert!(desk.was_told("overflowed"), "{:?}", desk.told);
    Ok(())
}

#[tokio::test]
async fn cut_before_the_first_catching_up() -> TestResult {
    let exchange = Sandbox::start(Config::new().seed(5)).await?;
    exchange.inject(Fault::Html(502).on("/spot/v4/query/open-orders"));
    let environment = sandbox::environment(&exchange)?;
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    let mut account = AccountTracker::new(rest.clone(), ws).spot().assume(prompt());
    let mut fills = BTreeSet::new();
    loop {
        let event = tokio::time::timeout(PATIENCE, account.next()).await?.ok_or("an event")??;
        match event {
            AccountEvent::CatchUpFailed { .. } => {
                exchange.kill_sockets();
                tokio::time::timeout(PATIENCE, async {
                    while exchange.sockets() > 0 {
                        tokio::task::yield_now().await;
                    }
                })
                .await?;
                // Nobody has caught up yet, and nobody listens.
                rest.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(40))).await?;
            }
            AccountEvent::Fill(fill) => {
                fills.insert(fill.trade_id);
            }
            AccountEvent::CaughtUp(_) => break,
            _ => {}
        }
    }
    let ledger: BTreeSet<TradeId> =
        exchange.fills().iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect();
    assert!(!ledger.is_empty());
    assert_eq!(fills, ledger);
    Ok(())
}

#[tokio::test]
async fn a_push_that_is_late_and_lost_is_looked_for() -> TestResult {
    let mut desk = open(|_| Fate::Pass, |ws| ws).await?;
    let late = Fault::LatePush(Duration::from_secs(60));
    desk.exchange.inject(late.on("spot/user/orders:ALL_SYMBOLS").times(u32::MAX));
    desk.trade().await?;
    assert!(desk.fills.is_empty(), "no push has come");
    desk.exchange.kill_sockets();
    desk.told.clear();
    while !desk.was_told("caught up") {
        desk.next().await?;
    }
    assert_eq!(desk.fills.len(), desk.exchange.fills().len());
    desk.settle().await
}

#[tokio::test]
async fn an_audit_compares_and_finds_no_difference() -> TestResult {
    let mut desk = endure(first_orders(1, |frame| Fate::Cut(frame.bytes()))).await?;
    tokio::time::timeout(PATIENCE, async {
        while desk.account.audits(Market::Spot).is_none_or(|audits| audits.compared == 0) {
            desk.account.audit(Market::Spot);
            // Nothing needs to be told meanwhile.
            let wait = tokio::time::timeout(Duration::from_millis(100), desk.account.next());
            if let Ok(Some(Ok(AccountEvent::AuditFailed(report)))) = wait.await {
                return Err(format!("{report:?}"));
            }
        }
        Ok(())
    })
    .await??;
    let audits = desk.account.audits(Market::Spot).ok_or("it is followed")?;
    assert_eq!((audits.missing, audits.surplus), (0, 0));
    Ok(())
}

#[tokio::test]
async fn login_refused() -> TestResult {
    let desk = open(|_| Fate::Pass, |ws| ws).await?;
    let key = desk.exchange.credentials();
    let wrong = Credentials::new(key.key.as_str(), key.secret.as_str(), "not the memo")?;
    let ws = ws::Client::builder().environment(desk.environment.clone()).credentials(wrong);
    let before = desk.proxy.connections();
    let mut account = AccountTracker::new(desk.rest.clone(), ws.build()?).spot();
    let error = loop {
        match tokio::time::timeout(PATIENCE, account.next()).await?.ok_or("an error")? {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::LoginRefused);
    assert!(error.to_string().contains("memo"), "it says what to check: {error}");
    assert!(account.next().await.is_none(), "the error is the last item");
    assert_eq!(desk.proxy.connections(), before + 1, "it is not tried again");
    Ok(())
}

#[tokio::test]
async fn a_server_that_accepts_and_closes() -> TestResult {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("ws://{}/api", listener.local_addr()?);
    let environment = Environment::custom("rude").with(Service::SpotWsPublic, address);
    let client = ws::Client::builder()
        .environment(environment)
        .subscribe_within(Duration::from_secs(5))
        .build()?;
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            drop(socket);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let result = client.subscribe(topic::spot::ticker("BTC_USDT")).await;
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Timeout));
    let attempts = attempts.load(Ordering::Relaxed);
    assert!((2..=4).contains(&attempts), "{attempts} attempts in 5 s, 2 s apart at least");
    Ok(())
}
