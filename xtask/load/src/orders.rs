//! Measures signed orders over keep-alive connections.

#![allow(clippy::float_arithmetic, reason = "a number of cores is no money")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitmart_auth::Credentials;
use serde_json::{Value, json};

use crate::{
    Failure, Options,
    connection::Connection,
    program::{Memory, Program},
};

pub(crate) const SUBMIT: &str = "/spot/v2/submit_order";
const CANCEL: &str = "/spot/v3/cancel_order";
/// Samples of the memory during a measurement.
const SAMPLES: u32 = 10;

/// The throughput of the sandbox at its limit.
pub(crate) struct Limit {
    /// Orders a second.
    pub(crate) orders: u128,
    /// Cancels a second.
    pub(crate) cancels: u128,
    /// Processor time of the sandbox, as a number of cores; `None` if it is not known.
    pub(crate) cores: Option<f64>,
}

/// Results of one connection.
#[derive(Debug, Default)]
struct Totals {
    /// The latency of each order.
    orders: Vec<Duration>,
    /// Orders that were canceled.
    cancels: usize,
}

/// Pairs of measurements without and with the console.
const PAIRS: usize = 3;

/// Prints how many percent of the orders a second remain when the console records every request.
pub(crate) async fn compare_console(path: &str, options: Options) -> Result<(), Failure> {
    let options = Options { time: options.time / 2, ..options };
    let mut percents = Vec::new();
    for _ in 0..PAIRS {
        let off = measure(path, options, &[]).await?.orders;
        let on = measure(path, options, &["--console"]).await?.orders;
        percents.push(on * 100 / off.max(1));
    }
    percents.sort_unstable();
    let median = percents[PAIRS / 2];
    println!("console: {median} % of the orders a second while it records, of {percents:?}");
    Ok(())
}

/// Starts a sandbox with these further arguments, and sends orders on all connections as fast as it accepts them.
/// Prints orders per second and latencies.
pub(crate) async fn measure(
    path: &str,
    options: Options,
    more_arguments: &[&str],
) -> Result<Limit, Failure> {
    let program =
        Program::start(path, &[&["--admin", "127.0.0.1:0"], more_arguments].concat()).await?;
    fund(&program).await?;
    let credentials = credentials(&program)?;
    let authority = program.authority("/spot/rest")?.to_owned();
    let mut memory = Memory::new();
    memory.sample(&program);
    let before = program.processor();
    let started = Instant::now();
    let tasks: Vec<_> = (0..options.connections)
        .map(|_| {
            let (credentials, authority) = (credentials.clone(), authority.clone());
            let until = started + options.time;
            tokio::spawn(async move { trade(&credentials, &authority, until).await })
        })
        .collect();
    for _ in 0..SAMPLES {
        tokio::time::sleep(options.time / SAMPLES).await;
        memory.sample(&program);
    }
    let mut sum = Totals::default();
    for task in tasks {
        let totals = task.await??;
        sum.orders.extend(totals.orders);
        sum.cancels += totals.cancels;
    }
    let used = program.processor().zip(before).map(|(after, before)| after.saturating_sub(before));
    let cores = used.map(|used| used.as_secs_f64() / started.elapsed().as_secs_f64());
    sum.orders.sort_unstable();
    let percentile =
        |percent: usize| sum.orders[(sum.orders.len() - 1) * percent / 100].as_micros();
    let per_second = |count: usize| count as u128 * 1_000 / started.elapsed().as_millis().max(1);
    println!(
        "orders: {} signed orders a second and {} cancels, over {} connections; \
         p50 {} us, p99 {} us",
        per_second(sum.orders.len()),
        per_second(sum.cancels),
        options.connections,
        percentile(50),
        percentile(99),
    );
    println!("        {}", memory.report());
    Ok(Limit { orders: per_second(sum.orders.len()), cancels: per_second(sum.cancels), cores })
}

/// The key of the ready line.
pub(crate) fn credentials(program: &Program) -> Result<Credentials, Failure> {
    let text = |field: &str| program.text(&format!("/credentials/{field}"));
    Ok(Credentials::new(text("key")?, text("secret")?, text("memo")?)?)
}

/// Deposits enough for hours of fees.
pub(crate) async fn fund(program: &Program) -> Result<(), Failure> {
    let mut connection = Connection::connect(program.authority("/admin")?).await?;
    let token = program.text("/admin_token")?;
    for currency in ["USDT", "BTC"] {
        let body =
            json!({ "account": 1, "wallet": "spot", "currency": currency, "amount": "1000000000" });
        let body = body.to_string();
        let length = body.len();
        let response = connection
            .request(
                format!(
                    "POST /balances HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
                     content-length: {length}\r\n\r\n{body}"
                )
                .as_bytes(),
            )
            .await?;
        if response.windows(7).any(|part| part == b"\"error\"") {
            return Err(String::from_utf8_lossy(&response).into());
        }
    }
    Ok(())
}

/// Buys and sells alternately. Every fifth order rests far from the market and is canceled.
async fn trade(
    credentials: &Credentials,
    authority: &str,
    until: Instant,
) -> Result<Totals, Failure> {
    let mut connection = Connection::connect(authority).await?;
    let mut totals = Totals::default();
    let resting = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001" });
    for body in [buy(), sell()].iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let rests = totals.orders.len() % 5 == 4;
        let body = if rests { &resting } else { body };
        let started = Instant::now();
        let response = connection.request(&signed(credentials, SUBMIT, body)?).await?;
        totals.orders.push(started.elapsed());
        let response: Value = serde_json::from_slice(&response)?;
        let id = response["data"]["order_id"].as_str().ok_or_else(|| response.to_string())?;
        if rests {
            let body = json!({ "symbol": "BTC_USDT", "order_id": id });
            let response = connection.request(&signed(credentials, CANCEL, &body)?).await?;
            if !response.windows(11).any(|part| part == b"\"code\":1000") {
                return Err(String::from_utf8_lossy(&response).into());
            }
            totals.cancels += 1;
        }
    }
    Ok(totals)
}

pub(crate) fn buy() -> Value {
    json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "12" })
}

/// The sale of what [`buy`] bought, at about the start price.
pub(crate) fn sell() -> Value {
    json!({ "symbol": "BTC_USDT", "side": "sell", "type": "market", "size": "0.0002" })
}

pub(crate) fn signed(
    credentials: &Credentials,
    path: &str,
    body: &Value,
) -> Result<Vec<u8>, Failure> {
    let body = body.to_string();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let signature = credentials.sign_request(i64::try_from(now_ms)?, body.as_bytes());
    Ok(format!(
        "POST {path} HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nx-bm-key: {}\r\nx-bm-sign: {}\r\nx-bm-timestamp: {now_ms}\r\n\r\n{body}",
        body.len(),
        credentials.key(),
        signature.as_str(),
    )
    .into_bytes())
}
