//! Candles over REST: a year back, over days in which nothing happened, and from page to page.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Contract, Decimal, Sandbox, SpotPair};
use common::{Client, start};
use serde_json::Value;

const START_S: u64 = 1_700_000_000;
const DAY_S: u64 = 86_400;

async fn one_pair_and_contract() -> Sandbox {
    let price = Decimal::from(60_000);
    let pairs = [SpotPair::new("BTC", "USDT", 2, 5, price)];
    let contracts = [Contract::new("BTC", "USDT", Decimal::new(1, 3), 1, price)];
    let config = Config::new().pairs(pairs).contracts(contracts).seed(4).rate_limits(false);
    start(config.stepped_clock(START_S * 1_000)).await
}

fn spot_times(data: &Value) -> Vec<u64> {
    let rows = data.as_array().expect("rows").iter();
    rows.map(|row| row[0].as_str().expect("text").parse().expect("seconds")).collect()
}

fn futures_times(data: &Value) -> Vec<u64> {
    let rows = data.as_array().expect("rows").iter();
    rows.map(|row| row["timestamp"].as_u64().expect("seconds")).collect()
}

/// Requests the newest pages before a time, oldest row first, until one begins before `from_s`.
async fn spot_pages(client: &Client<'_>, from_s: u64, to_s: u64, step: u64) -> Vec<u64> {
    let mut all: Vec<u64> = Vec::new();
    let mut before = to_s;
    while before > from_s {
        let path = format!(
            "/spot/quotation/v3/klines?symbol=BTC_USDT&step={step}&limit=200&before={before}"
        );
        let mut page = spot_times(&client.get(&path).await.data());
        page.reverse();
        before = page[0];
        all.splice(0..0, page);
    }
    all.retain(|time| *time >= from_s);
    all
}

fn check_gapless(times: &[u64], width_s: u64, from_s: u64, to_s: u64) {
    let expected: Vec<u64> =
        (from_s.div_ceil(width_s)..to_s.div_ceil(width_s)).map(|at| at * width_s).collect();
    assert!(times == expected, "{} of {} rows of {width_s} s", times.len(), expected.len());
}

#[tokio::test]
async fn candles_a_year_back_are_given_on_both_hosts() {
    let sandbox = one_pair_and_contract().await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let from_s = START_S - 360 * DAY_S;
    for step in [1, 60, 1_440] {
        let to_s = from_s + 90 * step * 60;
        let (before, after) = (to_s, from_s - 1);
        let path = format!(
            "/spot/quotation/v3/klines?symbol=BTC_USDT&step={step}&limit=200&before={before}&after={after}"
        );
        let mut times = spot_times(&spot.get(&path).await.data());
        times.reverse();
        check_gapless(&times, step * 60, from_s, to_s);
        let path =
            format!("/spot/quotation/v3/klines?symbol=BTC_USDT&step={step}&limit=20&after={after}");
        let mut first = spot_times(&spot.get(&path).await.data());
        first.reverse();
        assert_eq!(first, times[..20], "paging forward");
        for kind in ["kline", "markprice-kline"] {
            let path = format!(
                "/contract/public/{kind}?symbol=BTCUSDT&step={step}&start_time={from_s}&end_time={}",
                to_s - 1
            );
            let times = futures_times(&futures.get(&path).await.data());
            check_gapless(&times, step * 60, from_s, to_s);
        }
    }
}

#[tokio::test]
async fn candles_over_a_jump_of_three_days_have_no_gap() {
    let sandbox = one_pair_and_contract().await;
    sandbox.step_market(50);
    sandbox.advance(Duration::from_secs(3 * DAY_S));
    // Orders of the market come at random: after some steps there was a trade.
    sandbox.step_market(600);
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let (from_s, to_s) = (START_S - 2 * DAY_S, START_S + 3 * DAY_S);
    for step in [15, 60, 240] {
        check_gapless(&spot_pages(&spot, from_s, to_s, step).await, step * 60, from_s, to_s);
        let mut all = Vec::new();
        let mut start_s = from_s;
        while start_s < to_s {
            let end_s = to_s.min(start_s + 400 * step * 60);
            let path = format!(
                "/contract/public/kline?symbol=BTCUSDT&step={step}&start_time={start_s}&end_time={}",
                end_s - 1
            );
            all.extend(futures_times(&futures.get(&path).await.data()));
            start_s = end_s;
        }
        check_gapless(&all, step * 60, from_s, to_s);
    }
}
