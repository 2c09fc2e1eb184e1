//! Random operations of accounts and of the market.

mod command;

use proptest::prelude::*;
use rust_decimal::Decimal;

use self::command::command;
pub(super) use self::command::{futures_order, money, picked};
use super::{control, triggers};
use crate::{AccountId, Command, Exchange, OperatorCommand, Setup, futures_order::MarginType};

pub(super) const START_MS: u64 = 1_700_000_000_000;
pub(super) const CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];
pub(super) const PAIRS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];

/// A random spot or margin order.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    margin: bool,
    buy: bool,
    /// The index of the type, and of the self-trade prevention.
    kind: usize,
    self_trade_prevention: usize,
    /// Distance from 60,000.
    price: i64,
    /// Thousandths of a BTC.
    milli_btc: i64,
}

/// A random futures order.
#[derive(Debug, Clone)]
pub(super) struct Futures {
    /// The indexes of side, mode and self-trade prevention.
    side: usize,
    mode: usize,
    self_trade_prevention: usize,
    /// Distance from 60,000; `None` for a market order.
    price: Option<i64>,
    /// Contracts.
    size: i64,
    leverage: u32,
    margin_type: MarginType,
    /// Whether it uses leverage and margin type of the open position, so that it is not rejected for them.
    same_terms: bool,
}

/// A random operation of an account or of the market.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Spot(Spot),
    /// A number picks one of the orders.
    CancelSpot(usize),
    Futures(Futures),
    CancelFutures(usize),
    Trigger(triggers::Step),
    ModifyFutures {
        pick: usize,
        price: Option<i64>,
        size: Option<i64>,
    },
    CancelAfter {
        seconds: Option<u64>,
    },
    OneWay(bool),
    /// The last price jumps by a percentage, and a minute passes, in which the mark price follows.
    Jump(i64),
    Deposit {
        currency: usize,
        cents: i64,
    },
    Withdraw {
        currency: usize,
        cents: i64,
        source: usize,
        fails: bool,
        payee: Option<u32>,
    },
    Transfer {
        to: u32,
        kinds: (usize, usize),
        currency: usize,
        cents: i64,
        number: u8,
    },
    Margin {
        pair: usize,
        base: bool,
        cents: i64,
        into: bool,
    },
    Borrow {
        pair: usize,
        base: bool,
        cents: i64,
    },
    Repay {
        pair: usize,
        base: bool,
        cents: i64,
    },
    Save {
        product: usize,
        cents: i64,
        renewal: usize,
    },
    Redeem {
        pick: usize,
        cents: i64,
    },
    Wait {
        seconds: u64,
    },
    Market,
    Control(control::Step),
}

fn spot() -> impl Strategy<Value = Step> {
    (any::<bool>(), any::<bool>(), 0..4_usize, 0..4_usize, -40..40_i64, 1..200_i64).prop_map(
        |(margin, buy, kind, self_trade_prevention, price, milli_btc)| {
            Step::Spot(Spot { margin, buy, kind, self_trade_prevention, price, milli_btc })
        },
    )
}

fn futures() -> impl Strategy<Value = Futures> {
    let price = proptest::option::of(-40..40_i64);
    let margin = (prop_oneof![1..10_u32, Just(100)], any::<bool>(), any::<bool>());
    (0..4_usize, 0..4_usize, 0..3_usize, price, 1..300_i64, margin).prop_map(
        |(side, mode, self_trade_prevention, price, size, (leverage, isolated, same_terms))| {
            Futures {
                side,
                mode,
                self_trade_prevention,
                price,
                size,
                leverage,
                margin_type: MarginType::from(isolated),
                same_terms,
            }
        },
    )
}

/// Returns a strategy for an account and its operation.
pub(super) fn step() -> impl Strategy<Value = (u32, Step)> {
    let cents = || 1..200_000_i64;
    let side = || (0..PAIRS.len(), any::<bool>(), cents());
    let step = prop_oneof![
        8 => spot(),
        3 => any::<usize>().prop_map(Step::CancelSpot),
        9 => futures().prop_map(Step::Futures),
        6 => triggers::step(futures()).prop_map(Step::Trigger),
        2 => any::<usize>().prop_map(Step::CancelFutures),
        2 => (any::<usize>(), proptest::option::of(-40..40_i64), proptest::option::of(1..300_i64))
            .prop_map(|(pick, price, size)| Step::ModifyFutures { pick, price, size }),
        1 => proptest::option::of(5..60_u64).prop_map(|seconds| Step::CancelAfter { seconds }),
        1 => any::<bool>().prop_map(Step::OneWay),
        3 => (-10..10_i64).prop_map(Step::Jump),
        1 => (0..3_usize, cents()).prop_map(|(currency, cents)| Step::Deposit { currency, cents }),
        2 => (0..3_usize, cents(), 0..3_usize, any::<bool>(), proptest::option::of(1..5_u32)).prop_map(
            |(currency, cents, source, fails, payee)| Step::Withdraw { currency, cents, source, fails, payee }
        ),
        6 => (1..5_u32, (0..3_usize, 0..3_usize), 0..3_usize, cents(), any::<u8>()).prop_map(
            |(to, kinds, currency, cents, number)| Step::Transfer {
                to, kinds, currency, cents, number,
            }
        ),
        4 => (side(), any::<bool>()).prop_map(
            |((pair, base, cents), into)| Step::Margin { pair, base, cents, into }
        ),
        3 => side().prop_map(|(pair, base, cents)| Step::Borrow { pair, base, cents }),
        3 => side().prop_map(|(pair, base, cents)| Step::Repay { pair, base, cents }),
        2 => (any::<usize>(), cents(), 0..3_usize).prop_map(
            |(product, cents, renewal)| Step::Save { product, cents, renewal }
        ),
        2 => (any::<usize>(), cents()).prop_map(|(pick, cents)| Step::Redeem { pick, cents }),
        3 => (1..10_000_u64).prop_map(|seconds| Step::Wait { seconds }),
        1 => (1..10_u64).prop_map(|days| Step::Wait { seconds: days * 86_400 }),
        2 => Just(Step::Market),
        3 => control::step().prop_map(Step::Control),
    ];
    (1..5_u32, step)
}

/// Accounts 1 and 2, and the sub-accounts 3 and 4 of the first.
pub(super) fn setup(seed: u64) -> Setup {
    setup_with(seed, 1)
}

fn setup_with(seed: u64, contracts: usize) -> Setup {
    let mut setup = Setup::new().seed(seed);
    setup.pairs.truncate(PAIRS.len());
    setup.contracts.truncate(contracts);
    setup
        .account(AccountId(1))
        .account(AccountId(2))
        .sub_account(AccountId(3), AccountId(1))
        .sub_account(AccountId(4), AccountId(1))
        .spot_balance("USDT", Decimal::from(30_000))
        .futures_balance("USDT", Decimal::from(3_000))
}

/// Creates an exchange in which every second account is in one-way mode.
pub(super) fn start(seed: u64) -> Exchange {
    start_with(seed, 1)
}

/// Like [`start`], with a number of contracts.
pub(super) fn start_with(seed: u64, contracts: usize) -> Exchange {
    let mut exchange = Exchange::new(&setup_with(seed, contracts), START_MS);
    for account in [2, 4] {
        exchange.set_one_way(AccountId(account), true).expect("nothing is open");
    }
    exchange
}

/// Runs a step, which may be rejected.
pub(super) fn run(exchange: &mut Exchange, account: u32, step: &Step, clock_ms: &mut u64) {
    run_with(exchange, account, step, clock_ms, &mut |exchange, command, now_ms| {
        let must_work = matches!(
            command,
            Command::Operator(
                OperatorCommand::SetBalance { .. }
                    | OperatorCommand::HaltMarket { .. }
                    | OperatorCommand::RecordCandle { .. }
            )
        );
        let result = exchange.apply(command, now_ms);
        assert!(result.is_ok() || !must_work, "{result:?}");
    });
}

/// Has somebody else apply the commands of a step.
pub(super) fn run_with(
    exchange: &mut Exchange,
    account: u32,
    step: &Step,
    clock_ms: &mut u64,
    apply: &mut impl FnMut(&mut Exchange, Command, u64),
) {
    *clock_ms += if let Step::Wait { seconds } = step { seconds * 1_000 } else { 50 };
    let command = command(exchange, AccountId(account), step, *clock_ms);
    apply(exchange, command.unwrap_or(Command::Wait), *clock_ms);
    if matches!(step, Step::Jump(_)) {
        *clock_ms += 60_000;
        apply(exchange, Command::Wait, *clock_ms);
    }
}
