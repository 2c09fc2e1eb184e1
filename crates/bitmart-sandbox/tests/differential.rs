//! Applies random plans to the server, and to an engine without a server. Compares the responses with the outcomes, the
//! balances after each action, and orders, fills and books at the end.

mod common;

use std::time::Duration;

use bitmart_sandbox::{Config, Contract, Decimal, Sandbox, SpotPair};
use bitmart_sim::{
    AccountId, Command, Exchange, FuturesRequest, OrderId, Outcome, Request, SpotRequest,
    WalletRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    spot_order::{NewSpotOrder, SpotOrderType},
    transfer::{AccountWallet, NewTransfer},
    trigger::Preset,
};
use common::{ApiResponse, Client, start};
use serde_json::{Value, json};

const START_MS: u64 = 1_700_000_000_000;
const PLANS: u64 = 6;
const ACTIONS: usize = 100;
const ACCOUNT: AccountId = AccountId(1);
/// Duration of a step of the market.
const MARKET_STEP_MS: u64 = 100;

/// An xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(i64::try_from(all.len()).expect("few"))).expect("small")]
    }
}

/// A host of the REST API. The market of an order has the same name.
#[derive(Clone, Copy)]
enum Host {
    Spot,
    Futures,
}

/// An order that was placed, which may be finished by now.
#[derive(Clone, Copy)]
struct PlacedOrder {
    market: Host,
    id: OrderId,
}

/// An element of a plan.
#[allow(clippy::large_enum_variant, reason = "few of them")]
enum Action {
    /// A request to the server, and the equivalent request for the engine.
    Request { host: Host, path: &'static str, body: Value, request: Request },
    /// So many steps of the market.
    StepMarket(u32),
    /// So many seconds pass.
    Wait(u64),
}

/// A price near 60,000, around which the market makers quote.
fn price(random: &mut Random, decimals: u32) -> Decimal {
    let ticks = 10_i64.pow(decimals);
    Decimal::new(59_950 * ticks + random.below(100 * ticks), decimals)
}

fn spot_order(random: &mut Random) -> Action {
    let (side, name) = random.pick(&[(Side::Buy, "buy"), (Side::Sell, "sell")]);
    let kinds = [
        (SpotOrderType::Limit, "limit"),
        (SpotOrderType::LimitMaker, "limit_maker"),
        (SpotOrderType::ImmediateOrCancel, "ioc"),
    ];
    let market = random.below(4) == 0;
    let (kind, kind_name) =
        if market { (SpotOrderType::Market, "market") } else { random.pick(&kinds) };
    let mut order = NewSpotOrder {
        symbol: "BTC_USDT".into(),
        margin: false,
        side,
        kind,
        client_order_id: None,
        self_trade_prevention: None,
        // Zero means absent; which two of the three are sent depends on the kind.
        size: Decimal::ZERO,
        price: Decimal::ZERO,
        notional: Decimal::ZERO,
    };
    let mut body = json!({ "symbol": "BTC_USDT", "side": name, "type": kind_name });
    if market && side == Side::Buy {
        order.notional = Decimal::new(10_000 + random.below(900_000), 2);
        body["notional"] = json!(order.notional.to_string());
    } else {
        order.size = Decimal::new(100 + random.below(20_000), 5);
        body["size"] = json!(order.size.to_string());
    }
    if !market {
        order.price = price(random, 2);
        body["price"] = json!(order.price.to_string());
    }
    let request = SpotRequest::Place(order).into();
    Action::Request { host: Host::Spot, path: "/spot/v2/submit_order", body, request }
}

fn futures_order(random: &mut Random) -> Action {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    let (number, side) =
        random.pick(&[(1, OpenLong), (2, CloseShort), (3, CloseLong), (4, OpenShort)]);
    let market = random.below(3) == 0;
    let modes = [
        // The numbers on the wire.
        (1, OrderMode::GoodTillCanceled),
        (3, OrderMode::ImmediateOrCancel),
        (4, OrderMode::PostOnly),
    ];
    let (mode_number, mode) =
        if market { (1, OrderMode::GoodTillCanceled) } else { random.pick(&modes) };
    let size = 1 + random.below(50);
    let order = NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side,
        price: (!market).then(|| price(random, 1)),
        size: size.into(),
        mode,
        leverage: 10,
        margin_type: MarginType::Cross,
        client_order_id: None,
        // What the server takes if the request names none.
        self_trade_prevention: SelfTradePrevention::CancelMaker,
    };
    let mut body = json!({
        "symbol": "BTCUSDT", "side": number, "type": if market { "market" } else { "limit" },
        "leverage": "10", "open_type": "cross", "size": size,
    });
    if let Some(price) = order.price {
        body["mode"] = json!(mode_number);
        body["price"] = json!(price.to_string());
    }
    let request = FuturesRequest::Place { order, preset: Preset::default() }.into();
    Action::Request { host: Host::Futures, path: "/contract/private/submit-order", body, request }
}

/// A cancellation of one of the ten latest orders, which may be finished; `None` before the first order.
fn cancel(random: &mut Random, placed: &[PlacedOrder]) -> Option<Action> {
    let latest = placed.get(placed.len().saturating_sub(10)..).filter(|ids| !ids.is_empty())?;
    let PlacedOrder { market, id } = random.pick(latest);
    let (path, symbol, request) = match market {
        Host::Spot => ("/spot/v3/cancel_order", "BTC_USDT", SpotRequest::Cancel(id).into()),
        Host::Futures => {
            ("/contract/private/cancel-order", "BTCUSDT", FuturesRequest::Cancel(id).into())
        }
    };
    let body = json!({ "symbol": symbol, "order_id": id.0.to_string() });
    Some(Action::Request { host: market, path, body, request })
}

fn transfer(random: &mut Random) -> Action {
    let end = |kind| AccountWallet { account: ACCOUNT, kind };
    let ways = [
        (
            Host::Futures,
            "/account/v1/transfer-contract",
            "spot_to_contract",
            WalletKind::Spot,
            WalletKind::Futures,
        ),
        (
            Host::Futures,
            "/account/v1/transfer-contract",
            "contract_to_spot",
            WalletKind::Futures,
            WalletKind::Spot,
        ),
        (Host::Spot, "/account/v1/transfer", "spot_to_fund", WalletKind::Spot, WalletKind::Funding),
    ];
    let (host, path, name, from, to) = random.pick(&ways);
    let amount = Decimal::new(1 + random.below(5_000_000), 2);
    let body = json!({ "currency": "USDT", "amount": amount.to_string(), "type": name });
    let transfer = NewTransfer { from: end(from), to: end(to), currency: "USDT".into(), amount };
    let request = WalletRequest::Transfer { transfer, number: None }.into();
    Action::Request { host, path, body, request }
}

fn action(random: &mut Random, placed: &[PlacedOrder]) -> Action {
    match random.below(12) {
        0..=3 => spot_order(random),
        4..=6 => futures_order(random),
        7 | 8 => cancel(random, placed).unwrap_or(Action::StepMarket(1)),
        9 => transfer(random),
        10 => Action::Wait(u64::try_from(1 + random.below(4 * 3_600)).expect("positive")),
        _ => Action::StepMarket(u32::try_from(1 + random.below(5)).expect("few")),
    }
}

/// The engine without a server, which begins as a copy of the server's.
struct Reference {
    exchange: Exchange,
    now_ms: u64,
}

impl Reference {
    /// Applies a command at the current time; `None` if the engine rejects it. The events are discarded: what they
    /// report is compared as balances, orders and fills.
    fn apply(&mut self, command: Command) -> Option<Outcome> {
        let outcome = self.exchange.apply(command, self.now_ms).ok();
        self.exchange.take_events();
        outcome
    }

    /// Replaces the exchange by its deserialized form, which has to be complete.
    fn reserialize(&mut self) {
        let json = serde_json::to_vec(&self.exchange).expect("an exchange can be serialized");
        self.exchange = serde_json::from_slice(&json).expect("its JSON can be deserialized");
    }
}

/// Whether the server did what was requested. The cancellation of a finished spot order succeeds with `false`.
fn is_accepted(response: &ApiResponse) -> bool {
    response.code() == 1000 && response.json()["data"]["result"] != false
}

/// The id of the order that was placed: text on spot, a number on futures.
fn order_id(response: &ApiResponse) -> String {
    match &response.data()["order_id"] {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    }
}

/// Counts of all plans together. A test in which everything is rejected would prove nothing.
#[derive(Debug, Default)]
struct Counts {
    rejected_requests: usize,
    canceled_orders: usize,
    spot_fills: usize,
    futures_fills: usize,
}

/// Does the same on both sides. Returns the order that was placed, if one was.
async fn run(
    sandbox: &Sandbox,
    reference: &mut Reference,
    action: Action,
    counts: &mut Counts,
) -> Option<PlacedOrder> {
    match action {
        Action::Request { host, path, body, request } => {
            let client = match host {
                Host::Spot => Client::spot(sandbox),
                Host::Futures => Client::futures(sandbox),
            };
            let response = client.post(path, body.clone()).await;
            let outcome = reference.apply(Command::Customer { account: ACCOUNT, request });
            let context = format!("{path} {body}: {} {outcome:?}", response.text);
            assert_eq!(is_accepted(&response), outcome.is_some(), "{context}");
            match outcome {
                Some(Outcome::Order(id)) => {
                    assert_eq!(order_id(&response), id.0.to_string(), "{context}");
                    return Some(PlacedOrder { market: host, id });
                }
                Some(_) => {}
                None => counts.rejected_requests += 1,
            }
        }
        Action::StepMarket(steps) => {
            sandbox.step_market(steps);
            for _ in 0..steps {
                reference.now_ms += MARKET_STEP_MS;
                reference.apply(Command::StepMarket);
            }
        }
        Action::Wait(seconds) => {
            sandbox.advance(Duration::from_secs(seconds));
            reference.now_ms += seconds * 1_000;
            reference.apply(Command::Wait);
        }
    }
    None
}

#[tokio::test]
async fn server_and_engine_agree_on_random_plans() {
    let mut counts = Counts::default();
    for plan in 1..=PLANS {
        // The first ones are BTC_USDT and BTCUSDT, the markets of the plans.
        let pairs = SpotPair::listed().into_iter().take(1).collect::<Vec<_>>();
        let contracts = Contract::listed().into_iter().take(1).collect::<Vec<_>>();
        let config = Config::new().pairs(pairs).contracts(contracts).rate_limits(false);
        let sandbox = start(config.seed(plan).stepped_clock(START_MS)).await;
        let snapshot = sandbox.snapshot().to_json().expect("JSON");
        let mut snapshot: Value = serde_json::from_slice(&snapshot).expect("JSON");
        let exchange = serde_json::from_value(snapshot["exchange"].take()).expect("an exchange");
        let mut reference = Reference { exchange, now_ms: START_MS };
        let mut random = Random(plan.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut placed = Vec::new();
        for number in 0..ACTIONS {
            let action = action(&mut random, &placed);
            placed.extend(run(&sandbox, &mut reference, action, &mut counts).await);
            if number % 25 == 24 {
                reference.reserialize();
            }
            let expected = reference.exchange.balance_rows();
            assert_eq!(sandbox.balances(), expected, "plan {plan}, action {number}");
        }
        let exchange = &reference.exchange;
        let (fills, orders) = (sandbox.fills(), sandbox.orders());
        assert_eq!(fills, exchange.fill_rows(), "plan {plan}");
        assert_eq!(orders, exchange.order_rows(), "plan {plan}");
        for symbol in ["BTC_USDT", "BTCUSDT"] {
            assert_eq!(sandbox.book(symbol), exchange.book_rows(symbol), "plan {plan}, {symbol}");
        }
        let fills_of = |symbol: &str| {
            fills.iter().filter(|fill| fill.account == ACCOUNT.0 && fill.symbol == symbol).count()
        };
        counts.spot_fills += fills_of("BTC_USDT");
        counts.futures_fills += fills_of("BTCUSDT");
        counts.canceled_orders += orders.iter().filter(|order| order.state == "canceled").count();
    }
    let Counts { rejected_requests, canceled_orders, spot_fills, futures_fills } = counts;
    assert!(spot_fills > 200 && futures_fills > 100, "{counts:?}");
    assert!(rejected_requests > 50 && canceled_orders > 20, "{counts:?}");
}
