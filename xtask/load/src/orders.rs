//! Signed order entry over keep-alive connections.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitmart_auth::Credentials;
use serde_json::{Value, json};

use crate::{
    Asked, Failure,
    program::{Memory, Program},
    wire::Wire,
};

const SUBMIT: &str = "/spot/v2/submit_order";
const CANCEL: &str = "/spot/v3/cancel_order";
/// Times at which the memory is noted.
const NOTES: u32 = 10;

/// What came of the orders of one connection.
#[derive(Debug, Default)]
struct Tally {
    orders: Vec<Duration>,
    cancels: usize,
}

/// Sends orders on all connections and reports how many a second, and how long they took.
pub(crate) async fn measure(path: &str, asked: Asked) -> Result<(), Failure> {
    let program = Program::start(path, &["--admin", "127.0.0.1:0"]).await?;
    fund(&program).await?;
    let text = |field: &str| program.text(&format!("/credentials/{field}"));
    let credentials = Credentials::new(text("key")?, text("secret")?, text("memo")?)?;
    let authority = program.authority("/spot/rest")?.to_owned();
    let mut memory = Memory::new();
    memory.note(&program);
    let begun = Instant::now();
    let tasks: Vec<_> = (0..asked.connections)
        .map(|_| {
            let (credentials, authority) = (credentials.clone(), authority.clone());
            let until = begun + asked.time;
            tokio::spawn(async move { trade(&credentials, &authority, until).await })
        })
        .collect();
    for _ in 0..NOTES {
        tokio::time::sleep(asked.time / NOTES).await;
        memory.note(&program);
    }
    let mut sum = Tally::default();
    for task in tasks {
        let tally = task.await??;
        sum.orders.extend(tally.orders);
        sum.cancels += tally.cancels;
    }
    sum.orders.sort_unstable();
    let at = |percent: usize| sum.orders[(sum.orders.len() - 1) * percent / 100].as_micros();
    let per_second = |count: usize| count as u128 * 1_000 / begun.elapsed().as_millis().max(1);
    println!(
        "orders: {} signed orders a second and {} cancels, over {} connections; \
         p50 {} us, p99 {} us",
        per_second(sum.orders.len()),
        per_second(sum.cancels),
        asked.connections,
        at(50),
        at(99),
    );
    println!("        {}", memory.report());
    Ok(())
}

/// Gives the account enough for hours of fees.
async fn fund(program: &Program) -> Result<(), Failure> {
    let mut wire = Wire::connect(program.authority("/admin")?).await?;
    let token = program.text("/admin_token")?;
    for currency in ["USDT", "BTC"] {
        let body =
            json!({ "account": 1, "wallet": "spot", "currency": currency, "amount": "1000000000" });
        let body = body.to_string();
        let length = body.len();
        let answer = wire
            .ask(
                format!(
                    "POST /balances HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
                     content-length: {length}\r\n\r\n{body}"
                )
                .as_bytes(),
            )
            .await?;
        if answer.windows(7).any(|part| part == b"\"error\"") {
            return Err(String::from_utf8_lossy(&answer).into());
        }
    }
    Ok(())
}

/// Buys and sells by turns; every fifth order rests far from the market and is cancelled.
async fn trade(
    credentials: &Credentials,
    authority: &str,
    until: Instant,
) -> Result<Tally, Failure> {
    let mut wire = Wire::connect(authority).await?;
    let mut tally = Tally::default();
    let resting = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.001" });
    let buy = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "12" });
    let sell = json!({ "symbol": "BTC_USDT", "side": "sell", "type": "market", "size": "0.0002" });
    for body in [buy, sell].iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let rests = tally.orders.len() % 5 == 4;
        let body = if rests { &resting } else { body };
        let begun = Instant::now();
        let answer = wire.ask(&signed(credentials, SUBMIT, body)?).await?;
        tally.orders.push(begun.elapsed());
        let answer: Value = serde_json::from_slice(&answer)?;
        let id = answer["data"]["order_id"].as_str().ok_or_else(|| answer.to_string())?;
        if rests {
            let body = json!({ "symbol": "BTC_USDT", "order_id": id });
            let answer = wire.ask(&signed(credentials, CANCEL, &body)?).await?;
            if !answer.windows(11).any(|part| part == b"\"code\":1000") {
                return Err(String::from_utf8_lossy(&answer).into());
            }
            tally.cancels += 1;
        }
    }
    Ok(tally)
}

fn signed(credentials: &Credentials, path: &str, body: &Value) -> Result<Vec<u8>, Failure> {
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
