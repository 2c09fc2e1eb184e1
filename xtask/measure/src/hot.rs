//! The hot paths: what a program does for each order, read and frame. A path prepares what it needs and then does one
//! thing `count` times. `cargo xtask perf` runs it with two counts and takes the difference, which is without the
//! preparation.

use std::hint::black_box;

use bitmart_auth::Credentials;
use bitmart_rest::endpoint::{Encoder, decode};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::{Client, spot};
use bitmart_sim::book::Side;
use bitmart_sim::spot_order::{NewSpotOrder, SpotOrderType};
use bitmart_sim::{AccountId, Command, Exchange, Outcome, Setup, SpotPair, SpotRequest};
use bitmart_testkit::{canary, deflate};
use bitmart_types::{Decimal, Environment, Timestamp};
use bitmart_ws::event::Event as _;
use bitmart_ws::inflate::Inflater;
use bitmart_ws::peek;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::runtime::Builder;

use crate::Failure;
use crate::book::{self, Follower, Market};
use crate::canned::{Canned, PLACED};
use crate::growth::Tracked;

type Path = fn(usize) -> Result<(), Failure>;

const PATHS: [(&str, Path); 9] = [
    ("sign_order", sign_order),
    ("encode_order", encode_order),
    ("send_order", send_order),
    ("decode_ticker", decode_ticker),
    ("decode_book", decode_book),
    ("decode_depth50_frame", decode_frame),
    ("update_book", update_book),
    ("track_order", track_order),
    ("match_order", match_order),
];

const NOW: Timestamp = Timestamp::from_millis(1_692_245_338_123);
const TICKER: &str = r#"{"message":"success","code":1000,"trace":"1","data":{"symbol":"BTC_USDT","last":"30000.00","v_24h":"582.08066","qv_24h":"4793098.48","open_24h":"28596.30","high_24h":"31012.44","low_24h":"12.44","fluctuation":"0.04909","bid_px":"30000","bid_sz":"1","ask_px":"31012.44","ask_sz":"69994.75267","ts":"1691671091933"}}"#;

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PATHS.iter().map(|(name, _)| *name)
}

pub(crate) fn run(name: &str, count: usize) -> Result<(), Failure> {
    let path = PATHS.iter().find(|(known, _)| *known == name);
    let (_, path) = path.ok_or_else(|| format!("no such path: {name}"))?;
    path(count)
}

fn credentials() -> Result<Credentials, Failure> {
    Ok(Credentials::new(canary::KEY, canary::SECRET, canary::MEMO)?)
}

fn order() -> spot::NewOrder {
    let id = "measure0001".parse().ok();
    let order = spot::NewOrder::limit_buy("BTC_USDT", Decimal::new(1, 3), Decimal::from(60_000));
    match id {
        Some(id) => order.with_client_order_id(id),
        None => order,
    }
}

fn sign_order(count: usize) -> Result<(), Failure> {
    const BODY: &str =
        r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001","price":"60000"}"#;
    let credentials = credentials()?;
    for _ in 0..count {
        black_box(credentials.sign_request(NOW.as_millis(), black_box(BODY.as_bytes())));
    }
    Ok(())
}

/// From the typed order to the signed request.
fn encode_order(count: usize) -> Result<(), Failure> {
    let encoder = Encoder::new(&Environment::live())?.with_credentials(credentials()?)?;
    let order = spot::SubmitOrder::from(order());
    for _ in 0..count {
        black_box(encoder.encode(black_box(&order), NOW)?);
    }
    Ok(())
}

/// All that the client does for an order: checks, limiter, signature, response. The transport responds at once.
fn send_order(count: usize) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = Client::builder()
        .credentials(credentials()?)
        .transport(Canned(PLACED))
        .limiter(Limiter::new(LimitPolicy::Off))
        .build()?;
    let order = spot::SubmitOrder::from(order());
    runtime.block_on(async {
        for _ in 0..count {
            black_box(client.send(order.clone()).await?);
        }
        Ok(())
    })
}

fn decode_ticker(count: usize) -> Result<(), Failure> {
    let (headers, body) = (HeaderMap::new(), Bytes::from_static(TICKER.as_bytes()));
    for _ in 0..count {
        black_box(decode::<spot::QueryTicker>(StatusCode::OK, &headers, black_box(&body))?);
    }
    Ok(())
}

/// The response to a query of a book with 50 levels a side.
fn decode_book(count: usize) -> Result<(), Failure> {
    let levels = vec![r#"["31012.44","69994.75267"]"#; 50].join(",");
    let body = Bytes::from(format!(
        r#"{{"message":"success","code":1000,"trace":"1","data":{{"ts":"1691672864874","symbol":"BTC_USDT","asks":[{levels}],"bids":[{levels}]}}}}"#
    ));
    let headers = HeaderMap::new();
    for _ in 0..count {
        black_box(decode::<spot::QueryDepth>(StatusCode::OK, &headers, black_box(&body))?);
    }
    Ok(())
}

/// A compressed frame with 50 levels a side: inflated, its channel found, decoded.
fn decode_frame(count: usize) -> Result<(), Failure> {
    let frame = deflate(book::frame("BTC_USDT", 50));
    let (mut inflater, mut books) = (Inflater::new(), Vec::new());
    for _ in 0..count {
        books.clear();
        let text = inflater.inflate(black_box(&frame))?;
        black_box(peek::frame_name(text));
        bitmart_ws::spot::Depth::decode(text, &mut books)?;
    }
    if count > 0 && books.len() != 1 { Err("not one book".into()) } else { Ok(()) }
}

/// An update of at most seven levels a side, of a book with 100 a side.
fn update_book(count: usize) -> Result<(), Failure> {
    let market = Market::new(100);
    let mut follower = Follower::new(&market);
    for _ in 0..count {
        follower.step();
    }
    if follower.book.is_synchronized() { Ok(()) } else { Err("not synchronized".into()) }
}

/// An update of one of 1,000 open orders.
fn track_order(count: usize) -> Result<(), Failure> {
    let mut tracked = Tracked::new(1_000)?;
    tracked.report_all();
    for _ in 0..count {
        tracked.step();
    }
    Ok(())
}

/// The sandbox's engine: an order that rests and is canceled, and one that fills another.
fn match_order(count: usize) -> Result<(), Failure> {
    const START_MS: u64 = 1_700_000_000_000;
    const ME: AccountId = AccountId(1);
    let plenty = Decimal::from(1_000_000_000_u64);
    let setup = Setup::new()
        .without_market_maker()
        .pairs([SpotPair::new("BTC", "USDT", 2, 5, Decimal::from(60_000))])
        .contracts([])
        .account(ME)
        .account(AccountId(2))
        .spot_balance("USDT", plenty)
        .spot_balance("BTC", plenty);
    let setup = Setup { history_limit: 1_000, ..setup };
    let mut exchange = Exchange::new(&setup, START_MS);
    let place = |exchange: &mut Exchange, account, side, ticks: i64, now| {
        let order = NewSpotOrder {
            symbol: "BTC_USDT".into(),
            margin: false,
            side,
            kind: SpotOrderType::Limit,
            client_order_id: None,
            self_trade_prevention: None,
            size: Decimal::new(10, 5),
            price: Decimal::new(6_000_000 + ticks, 2),
            notional: Decimal::ZERO,
        };
        let request = SpotRequest::Place(order).into();
        exchange.apply(Command::Customer { account, request }, now).ok()
    };
    // Other orders, so that the books are as large as in use.
    for ticks in 1..=500 {
        place(&mut exchange, ME, Side::Buy, -ticks, START_MS);
        place(&mut exchange, ME, Side::Sell, ticks, START_MS);
    }
    for number in 0..count {
        let now = START_MS + u64::try_from(number)?;
        let rests = place(&mut exchange, ME, Side::Buy, -50, now);
        let Some(Outcome::Order(id)) = rests else { return Err("no order".into()) };
        let cancel = Command::Customer { account: ME, request: SpotRequest::Cancel(id).into() };
        exchange.apply(cancel, now).map_err(|reject| format!("{reject:?}"))?;
        place(&mut exchange, ME, Side::Buy, 0, now);
        place(&mut exchange, AccountId(2), Side::Sell, 0, now);
        black_box(exchange.take_events());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_runs() {
        for name in names() {
            run(name, 2).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert!(run("nothing", 1).is_err());
    }
}
