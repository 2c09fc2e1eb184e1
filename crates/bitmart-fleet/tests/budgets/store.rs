//! The store by itself: what its calls do, to other processes as well. Each store here is a process to Redis.

mod headers;
mod outages;

use std::time::{Duration, Instant};

use bitmart_fleet::{Outage, RedisBudgets, RedisBudgetsBuilder, StoreError};
use bitmart_rest::endpoint::{Auth, Host, LimitScope, Metadata, Method};
use bitmart_rest::http::HeaderMap;
use bitmart_rest::limit::{
    Budget, BudgetStore as _, PermitId, RateLimitState, RequestEnd, ThrottleReason,
};

use crate::server::Server;

const BY_ADDRESS: Metadata =
    Metadata::new("by_address", Method::Get, Host::Spot, "/by_address").limit(5, 5, LimitScope::Ip);
const BY_KEY: Metadata = Metadata::new("by_key", Method::Post, Host::Spot, "/by_key")
    .auth(Auth::Signed)
    .limit(5, 5, LimitScope::Key);
const SLOW: Metadata =
    Metadata::new("slow", Method::Get, Host::Spot, "/slow").limit(20, 3600, LimitScope::Ip);
const UNKNOWN: Metadata = Metadata::new("unknown", Method::Get, Host::Spot, "/unknown");

const PATIENCE: Duration = Duration::from_secs(60);

/// Twelve requests in 5 s, of which the headroom leaves 11 in a longer window.
const TWELVE: Metadata =
    Metadata::new("twelve", Method::Get, Host::Spot, "/twelve").limit(12, 5, LimitScope::Ip);

fn by_address() -> Budget {
    Budget::new(&BY_ADDRESS, None, 0)
}

fn at(server: &Server, address: &str) -> RedisBudgetsBuilder {
    RedisBudgets::builder(server.url(), address)
        .call_timeout(Duration::from_millis(1))
        .reply_timeout(Duration::from_secs(2))
}

fn builder(server: &Server) -> RedisBudgetsBuilder {
    at(server, "203.0.113.7")
}

fn store(server: &Server) -> RedisBudgets {
    builder(server).build().expect("valid")
}

/// A server that grants.
async fn ready() -> Server {
    let server = Server::start();
    // All budgets wait equally long but for their window.
    let budget = by_address();
    let store = store(&server);
    let first = store.acquire(&budget, PATIENCE).await.expect("in the end");
    store.end(&budget, first, RequestEnd::NotSent);
    store.close().await;
    server
}

async fn now(store: &RedisBudgets, budget: &Budget) -> Result<PermitId, ThrottleReason> {
    store.acquire(budget, Duration::ZERO).await.map_err(|refusal| refusal.reason)
}

/// Takes all permits that are free and returns their number.
async fn take_all(store: &RedisBudgets, budget: &Budget) -> usize {
    let mut count = 0;
    while now(store, budget).await.is_ok() {
        count += 1;
        assert!(count < 100, "not limited");
    }
    count
}

fn stated(used: u32, limit: u32, window: u32) -> RateLimitState {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-bm-ratelimit-remaining", used),
        ("x-bm-ratelimit-limit", limit),
        ("x-bm-ratelimit-reset", window),
    ] {
        headers.insert(name, value.into());
    }
    RateLimitState::from_headers(&headers).expect("complete")
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn processes_share_by_address_and_by_key() {
    let server = ready().await;
    let [one, same] = [store(&server), store(&server)];
    let other = at(&server, "203.0.113.8").build().expect("valid");
    one.close().await;
    assert_eq!(take_all(&one, &by_address()).await, 5);
    assert_eq!(take_all(&same, &by_address()).await, 0);
    assert_eq!(take_all(&other, &by_address()).await, 5, "another address");

    let [mine, theirs] = ["mine", "theirs"].map(|key| Budget::new(&BY_KEY, Some(key), 0));
    assert_eq!(take_all(&one, &mine).await, 5);
    assert_eq!(take_all(&other, &mine).await, 0, "one key at two addresses");
    assert_eq!(take_all(&other, &theirs).await, 5);
    let keys = format!("{:?}", server.command(&["KEYS", "*"]).expect("a reply"));
    assert!(keys.contains("by_key") && !keys.contains("mine"), "{keys}");
}

/// All callers see the same permits and windows as a limiter without a store.
#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn headroom_lowers_permits_and_stretches_the_window_as_in_the_limiter() {
    let server = ready().await;
    let store = store(&server);
    for headroom in [0, 1, 15, 50, 92, 95] {
        server.command(&["DEL", "{bitmart}:flying:twelve:ip:203.0.113.7"]).expect("a reply");
        let budget = Budget::new(&TWELVE, None, headroom);
        let rate = budget.rate().expect("published");
        let permit = store.acquire(&budget, Duration::from_secs(600)).await.expect("in the end");
        let more = take_all(&store, &budget).await;
        assert_eq!(more + 1, usize::try_from(rate.permits).expect("small"), "{headroom} %");

        let ended = "{bitmart}:ended:twelve:ip:203.0.113.7";
        server.command(&["DEL", ended]).expect("a reply");
        let before = time(&server);
        store.end(&budget, permit, RequestEnd::Counted);
        store.close().await;
        let after = time(&server);
        let entries = server.command(&["ZRANGE", ended, "0", "-1", "WITHSCORES"]);
        let entries: Vec<(String, u128)> =
            redis::from_redis_value(entries.expect("a reply")).expect("scores");
        let window = rate.window.as_nanos().div_ceil(1000);
        let free_at = entries.first().expect("one").1;
        assert!((before + window..=after + window + 1).contains(&free_at), "{headroom} %");
        server.command(&["DEL", ended]).expect("a reply");
    }
}

/// Microseconds by the server.
fn time(server: &Server) -> u128 {
    let time = server.command(&["TIME"]).expect("a reply");
    let (seconds, micros): (u128, u128) = redis::from_redis_value(time).expect("numbers");
    seconds * 1_000_000 + micros
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn an_unsent_request_returns_its_permit_and_a_dropped_wait_leaves_nothing() {
    let server = ready().await;
    let [one, other] = [store(&server), store(&server)];
    let budget = Budget::new(&SLOW, None, 0);
    // The window is an hour: a new server would need as long.
    assert_eq!(now(&one, &budget).await, Err(ThrottleReason::BudgetUnavailable));

    let budget = by_address();
    let mut permits = Vec::new();
    for _ in 0..5 {
        permits.push(one.acquire(&budget, PATIENCE).await.expect("in the end"));
    }
    let waiting = one.acquire(&budget, PATIENCE);
    assert!(tokio::time::timeout(Duration::from_millis(50), waiting).await.is_err());
    one.end(&budget, permits.remove(0), RequestEnd::NotSent);
    one.close().await;
    let found = other.acquire(&budget, Duration::ZERO).await;
    assert!(found.is_ok(), "the dropped wait is not in front: {found:?}");
}

/// How many callers have waited for `by_address` so far.
fn arrived(server: &Server) -> usize {
    let last = server.command(&["HGET", "{bitmart}:stated:by_address:ip:203.0.113.7", "last"]);
    redis::from_redis_value(last.expect("a reply")).expect("a number")
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn callers_of_all_processes_are_served_in_order() {
    let server = ready().await;
    let stores = [store(&server), store(&server), store(&server)];
    let budget = by_address();
    let start = Instant::now();
    for _ in 0..5 {
        let permit = stores[0].acquire(&budget, PATIENCE).await.expect("in the end");
        stores[0].end(&budget, permit, RequestEnd::Counted);
    }
    let before = arrived(&server);
    let (has_permit, mut served) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..12 {
        let (store, budget, has_permit) =
            (stores[number % 3].clone(), budget.clone(), has_permit.clone());
        tokio::spawn(async move {
            let permit = store.acquire(&budget, PATIENCE).await.expect("in the end");
            has_permit.send(number).expect("open");
            store.end(&budget, permit, RequestEnd::Counted);
        });
        // The next caller comes when this one is in the queue, which numbers its callers.
        while arrived(&server) < before + number + 1 {
            assert!(start.elapsed() < PATIENCE, "{number} did not arrive");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    // Five permits of a window are free at once, and those five callers poll in any order; the others wait.
    for place in 0..12 {
        let caller = served.recv().await.expect("all are served");
        assert_eq!(place / 5, caller / 5, "caller {caller} is served at place {place}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_dead_caller_is_passed_over() {
    let server = ready().await;
    let store = store(&server);
    let budget = by_address();
    // In the front of the queue, and never polled again.
    for key in ["queue", "due"] {
        let key = format!("{{bitmart}}:{key}:by_address:ip:203.0.113.7");
        for dead in ["1", "2", "3", "4", "5"] {
            let score = if key.contains("due") { "1" } else { dead };
            server.command(&["ZADD", &key, score, dead]).expect("a reply");
        }
    }
    assert!(now(&store, &budget).await.is_ok());
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn spellings_of_one_address_share_a_budget() {
    let server = ready().await;
    let [one, same] = ["2001:db8::7", "2001:0DB8:0:0::0007"].map(|address| at(&server, address));
    assert_eq!(take_all(&one.build().expect("valid"), &by_address()).await, 5);
    assert_eq!(take_all(&same.build().expect("valid"), &by_address()).await, 0);
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn pauses_hold_for_the_budget_and_bans_for_the_address() {
    let server = ready().await;
    let [one, other] = [store(&server), store(&server)];
    let budget = by_address();
    one.pause(&budget, Duration::from_secs(600));
    one.pause(&budget, Duration::from_secs(300));
    one.close().await;
    let refusal = other.acquire(&budget, Duration::from_secs(5)).await.expect_err("paused");
    assert_eq!(refusal.reason, ThrottleReason::TooManyRequests);
    assert!(refusal.wait > Duration::from_secs(500) && refusal.wait <= Duration::from_secs(600));
    let key = Budget::new(&BY_KEY, Some("mine"), 0);
    assert!(now(&other, &key).await.is_ok(), "another budget");

    one.ban(Duration::from_secs(120));
    one.ban(Duration::from_secs(60));
    one.close().await;
    let refusal = other.acquire(&key, Duration::ZERO).await.expect_err("banned");
    assert_eq!(refusal.reason, ThrottleReason::Banned);
    assert!(refusal.wait > Duration::from_secs(100), "{:?}", refusal.wait);
    let elsewhere = at(&server, "203.0.113.8").build().expect("valid");
    assert!(now(&elsewhere, &key).await.is_ok(), "another address");
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_lease_takes_half_of_what_is_free_and_returns_what_is_unused() {
    let server = ready().await;
    let one = builder(&server).lease(32).build().expect("valid");
    let other = store(&server);
    let budget = Budget::new(&UNKNOWN, None, 0);
    one.settle(&budget, stated(0, 20, 5));
    one.close().await;
    // Known to the server from now on, and so counted.
    let flying = "{bitmart}:flying:unknown:ip:203.0.113.7";
    let in_flight = || server.command(&["ZCARD", flying]).expect("a reply");
    let leased = async || {
        let start = Instant::now();
        let first = one.acquire(&budget, PATIENCE).await.expect("in the end");
        let before = in_flight();
        let mut used = vec![first];
        for _ in 0..3 {
            used.push(now(&one, &budget).await.expect("leased"));
        }
        (used, before, in_flight(), start.elapsed())
    };
    let mut used = loop {
        let (used, before, after, time) = leased().await;
        // What nobody needs within 100 ms is returned, and then another permit is a round trip.
        if time < Duration::from_millis(90) {
            assert_eq!([before, after], [redis::Value::Int(10), redis::Value::Int(10)]);
            break used;
        }
        for permit in used {
            one.end(&budget, permit, RequestEnd::NotSent);
        }
        one.close().await;
    };
    let first = used.remove(0);
    one.end(&budget, first, RequestEnd::NotSent);
    let start = Instant::now();
    while server.command(&["ZCARD", flying]) != Ok(redis::Value::Int(3)) {
        assert!(start.elapsed() < PATIENCE, "unused permits are not returned");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(take_all(&other, &budget).await, 17);
}

#[tokio::test]
#[ignore = "needs redis-server: cargo xtask test fleet"]
async fn a_server_that_forgets_the_script_is_sent_it_again() {
    let server = ready().await;
    let store = store(&server);
    server.command(&["SCRIPT", "FLUSH"]).expect("a reply");
    let permit = now(&store, &by_address()).await.expect("granted");
    server.command(&["SCRIPT", "FLUSH"]).expect("a reply");
    store.end(&by_address(), permit, RequestEnd::NotSent);
    store.close().await;
    assert_eq!(take_all(&store, &by_address()).await, 5);
}

#[tokio::test]
async fn neither_the_password_nor_the_address_of_redis_is_shown() {
    let url = "redis://user:hunter2@127.0.0.1:1/0";
    let builder = RedisBudgets::builder(url, "203.0.113.7");
    let mut texts = vec![format!("{builder:?}")];
    let store = builder.build().expect("valid");
    let error = store.check().await.expect_err("nobody listens");
    texts.push(format!("{store:?} {error} {error:?}"));
    let error = RedisBudgets::builder("hunter2://x", "203.0.113.7").build().expect_err("invalid");
    texts.push(format!("{error} {error:?}"));
    assert!(texts.iter().all(|text| !text.contains("hunter2")), "{texts:?}");
}

#[tokio::test]
async fn settings_out_of_range_are_rejected() {
    let builder = || RedisBudgets::builder("redis://127.0.0.1:1", "203.0.113.7");
    for invalid in [
        builder().lease(0),
        builder().lease(1001),
        builder().namespace("a{b}"),
        builder().namespace(""),
        builder().reply_timeout(Duration::ZERO),
        builder().reply_timeout(Duration::from_secs(3)),
        builder().call_timeout(Duration::from_secs(3600)),
        builder().outage(Outage::Share(0)),
        builder().call_timeout(Duration::ZERO),
        RedisBudgets::builder("redis://127.0.0.1:1", ""),
        RedisBudgets::builder("redis://127.0.0.1:1", "here"),
    ] {
        assert!(invalid.build().is_err());
    }
    assert!(builder().build().is_ok());
}
