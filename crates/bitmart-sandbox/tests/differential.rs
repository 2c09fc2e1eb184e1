//! Applies random plans to the server and to the engine directly, and compares their ledgers.

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
use common::{Client, start};
use serde_json::{Value, json};

const START_MS: u64 = 1_700_000_000_000;
const PLANS: u64 = 6;
const STEPS: usize = 100;
const ACCOUNT: AccountId = AccountId(1);
/// A step of the market.
const STEP_MS: u64 = 100;

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

/// One step of a plan.
#[allow(clippy::large_enum_variant, reason = "few of them")]
enum Step {
    /// A request to the server, and the equivalent command for the engine.
    Request { futures: bool, path: &'static str, body: Value, request: Request },
    /// So many steps of the market.
    Market(u32),
    /// So many seconds pass.
    Wait(u64),
}

/// A price near 60,000, around which the market makers quote.
fn price(random: &mut Random, decimals: u32) -> Decimal {
    let ticks = 10_i64.pow(decimals);
    Decimal::new(59_950 * ticks + random.below(100 * ticks), decimals)
}

fn spot_order(random: &mut Random) -> Step {
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
    Step::Request { futures: false, path: "/spot/v2/submit_order", body, request }
}

fn futures_order(random: &mut Random) -> Step {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    let (number, side) =
        random.pick(&[(1, OpenLong), (2, CloseShort), (3, CloseLong), (4, OpenShort)]);
    let market = random.below(3) == 0;
    let modes = [
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
    Step::Request { futures: true, path: "/contract/private/submit-order", body, request }
}

/// A cancellation of one of the latest orders, which may be finished. Orders are given as whether they are of futures,
/// and their id.
fn cancel(random: &mut Random, placed: &[(bool, OrderId)]) -> Option<Step> {
    let latest = placed.get(placed.len().saturating_sub(10)..).filter(|ids| !ids.is_empty())?;
    let (futures, id) = random.pick(latest);
    let (path, symbol, request) = if futures {
        ("/contract/private/cancel-order", "BTCUSDT", FuturesRequest::Cancel(id).into())
    } else {
        ("/spot/v3/cancel_order", "BTC_USDT", SpotRequest::Cancel(id).into())
    };
    let body = json!({ "symbol": symbol, "order_id": id.0.to_string() });
    Some(Step::Request { futures, path, body, request })
}

fn transfer(random: &mut Random) -> Step {
    let end = |kind| AccountWallet { account: ACCOUNT, kind };
    let ways = [
        (
            true,
            "/account/v1/transfer-contract",
            "spot_to_contract",
            WalletKind::Spot,
            WalletKind::Futures,
        ),
        (
            true,
            "/account/v1/transfer-contract",
            "contract_to_spot",
            WalletKind::Futures,
            WalletKind::Spot,
        ),
        (false, "/account/v1/transfer", "spot_to_fund", WalletKind::Spot, WalletKind::Funding),
    ];
    let (futures, path, name, from, to) = random.pick(&ways);
    let amount = Decimal::new(1 + random.below(5_000_000), 2);
    let body = json!({ "currency": "USDT", "amount": amount.to_string(), "type": name });
    let transfer = NewTransfer { from: end(from), to: end(to), currency: "USDT".into(), amount };
    let request = WalletRequest::Transfer { transfer, number: None }.into();
    Step::Request { futures, path, body, request }
}

fn step(random: &mut Random, placed: &[(bool, OrderId)]) -> Step {
    match random.below(12) {
        0..=3 => spot_order(random),
        4..=6 => futures_order(random),
        7 | 8 => cancel(random, placed).unwrap_or(Step::Market(1)),
        9 => transfer(random),
        10 => Step::Wait(u64::try_from(1 + random.below(4 * 3_600)).expect("positive")),
        _ => Step::Market(u32::try_from(1 + random.below(5)).expect("few")),
    }
}

/// The engine and its current time.
struct Engine {
    exchange: Exchange,
    now_ms: u64,
}

impl Engine {
    fn apply(&mut self, command: Command) -> Option<Outcome> {
        let outcome = self.exchange.apply(command, self.now_ms).ok();
        self.exchange.take_events();
        outcome
    }

    /// Replaces the exchange by its deserialized form, which has to be complete.
    fn restore(&mut self) {
        let stored = serde_json::to_vec(&self.exchange).expect("JSON");
        self.exchange = serde_json::from_slice(&stored).expect("the same");
    }
}

async fn run(sandbox: &Sandbox, engine: &mut Engine, step: Step) -> Option<(bool, OrderId)> {
    match step {
        Step::Request { futures, path, body, request } => {
            let client = if futures { Client::futures(sandbox) } else { Client::spot(sandbox) };
            client.post(path, body).await;
            let command = Command::Customer { account: ACCOUNT, request };
            return match engine.apply(command) {
                Some(Outcome::Order(id)) => Some((futures, id)),
                _ => None,
            };
        }
        Step::Market(steps) => {
            sandbox.step_market(steps);
            for _ in 0..steps {
                engine.now_ms += STEP_MS;
                engine.apply(Command::StepMarket);
            }
        }
        Step::Wait(seconds) => {
            sandbox.advance(Duration::from_secs(seconds));
            engine.now_ms += seconds * 1_000;
            engine.apply(Command::Wait);
        }
    }
    None
}

#[tokio::test]
async fn server_and_engine_have_the_same_ledger_after_random_plans() {
    let (mut fills, mut canceled) = (0, 0);
    for plan in 1..=PLANS {
        let pairs = SpotPair::listed().into_iter().take(1).collect::<Vec<_>>();
        let contracts = Contract::listed().into_iter().take(1).collect::<Vec<_>>();
        let config = Config::new().pairs(pairs).contracts(contracts).rate_limits(false);
        let sandbox = start(config.seed(plan).stepped_clock(START_MS)).await;
        let snapshot = sandbox.snapshot().to_json().expect("JSON");
        let mut snapshot: Value = serde_json::from_slice(&snapshot).expect("JSON");
        let exchange = serde_json::from_value(snapshot["exchange"].take()).expect("an exchange");
        let mut engine = Engine { exchange, now_ms: START_MS };
        let mut random = Random(plan.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut placed = Vec::new();
        for number in 0..STEPS {
            let step = step(&mut random, &placed);
            placed.extend(run(&sandbox, &mut engine, step).await);
            if number % 25 == 24 {
                engine.restore();
            }
            let exchange = &engine.exchange;
            assert_eq!(sandbox.balances(), exchange.balance_rows(), "{plan} {number}");
        }
        let exchange = &engine.exchange;
        assert_eq!(sandbox.fills(), exchange.fill_rows(), "{plan}");
        assert_eq!(sandbox.orders(), exchange.order_rows(), "{plan}");
        for symbol in ["BTC_USDT", "BTCUSDT"] {
            assert_eq!(sandbox.book(symbol), exchange.book_rows(symbol), "{plan}");
        }
        fills += sandbox.fills().len();
        canceled += sandbox.orders().iter().filter(|order| order.state == "canceled").count();
    }
    // A test in which everything is rejected would prove nothing.
    assert!(fills > 100 && canceled > 20, "{fills} {canceled}");
}
