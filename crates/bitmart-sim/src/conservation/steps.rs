//! Random operations of accounts and of the market.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{
    super::{
        AccountId, Exchange, OrderId,
        account::{Account, WalletKind},
        book::SelfTradePrevention,
        futures_order::{FuturesSide, NewFuturesOrder, OrderMode},
        margin::PairAmount,
        payment::NewWithdrawal,
        savings::Renewal,
        spot_order::NewSpotOrder,
        tape::Candle,
        tests::spot_order,
        transfer::{AccountWallet, NewTransfer},
        trigger::Preset,
    },
    control, triggers,
};
use crate::{Command, FuturesRequest, OperatorCommand, Request, Setup, SpotRequest, WalletRequest};

pub(super) const START_MS: u64 = 1_700_000_000_000;
pub(super) const CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];
pub(super) const PAIRS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];

/// A random spot or margin order.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    margin: bool,
    buy: bool,
    kind: usize,
    self_trade_prevention: usize,
    price: i64,
    lots: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Futures {
    side: usize,
    mode: usize,
    self_trade_prevention: usize,
    price: Option<i64>,
    size: i64,
    leverage: u32,
    isolated: bool,
    /// Whether it uses leverage and margin mode of the open position, so that it is not rejected for them.
    same_terms: bool,
}

/// A random operation of an account or of the market.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Spot(Spot),
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
        |(margin, buy, kind, self_trade_prevention, price, lots)| {
            Step::Spot(Spot { margin, buy, kind, self_trade_prevention, price, lots })
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
                isolated,
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

/// Converts cents into an amount: 0.01 USDT, or 0.00001 of a more valuable currency.
pub(super) fn money(currency: &str, cents: i64) -> Decimal {
    Decimal::new(cents, if currency == "USDT" { 2 } else { 5 })
}

fn sum(pair: usize, base: bool, cents: i64) -> PairAmount {
    let symbol = PAIRS[pair];
    let currency = symbol.split('_').nth(usize::from(!base)).expect("two halves");
    PairAmount { symbol: symbol.into(), currency: currency.into(), amount: money(currency, cents) }
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
    let wanted = command(exchange, AccountId(account), step, *clock_ms);
    apply(exchange, wanted.unwrap_or(Command::Wait), *clock_ms);
    if matches!(step, Step::Jump(_)) {
        *clock_ms += 60_000;
        apply(exchange, Command::Wait, *clock_ms);
    }
}

/// Returns the command of a step, or `None` when it needs an order and there is none.
fn command(exchange: &Exchange, account: AccountId, step: &Step, now_ms: u64) -> Option<Command> {
    let owner = &exchange.accounts[&account];
    let request: Request = match step.clone() {
        Step::Spot(Spot { margin, buy, kind, self_trade_prevention, price, lots }) => {
            let order = NewSpotOrder {
                margin,
                ..spot_order(buy, kind, self_trade_prevention, price, lots)
            };
            SpotRequest::Place(order).into()
        }
        Step::CancelSpot(pick) => {
            SpotRequest::Cancel(picked(&owner.spot_orders.all(), pick)?).into()
        }
        Step::Futures(order) => {
            let order = futures_order(owner, &order);
            FuturesRequest::Place { order, preset: Preset::default() }.into()
        }
        Step::CancelFutures(pick) => {
            FuturesRequest::Cancel(picked(&owner.futures_orders.all(), pick)?).into()
        }
        Step::Trigger(step) => triggers::request(exchange, owner, step)?,
        Step::ModifyFutures { pick, price, size } => {
            let open: Vec<_> = owner.futures_orders.open.iter().copied().collect();
            let (price, size) = (price.map(|price| dollars(60_000 + price)), size.map(dollars));
            FuturesRequest::Modify { id: picked(&open, pick)?, price, size }.into()
        }
        Step::CancelAfter { seconds } => {
            FuturesRequest::CancelAllAfter { symbol: "BTCUSDT".into(), seconds }.into()
        }
        Step::OneWay(one_way) => FuturesRequest::SetOneWay(one_way).into(),
        Step::Deposit { currency, cents } => {
            let (currency, amount) = (CURRENCIES[currency], money(CURRENCIES[currency], cents));
            let currency = currency.into();
            let command = OperatorCommand::Deposit { account, currency, amount };
            return Some(Command::Operator(command));
        }
        Step::Withdraw { currency, cents, source, fails, payee } => {
            let currency = CURRENCIES[currency];
            let withdrawal = NewWithdrawal {
                currency: format!("{currency}-TRC20").into(),
                amount: money(currency, cents),
                address: if fails { "fail" } else { "T1" }.to_owned(),
                address_memo: String::new(),
                source: [None, Some(WalletKind::Spot), Some(WalletKind::Funding)][source],
                payee: payee.map(AccountId),
            };
            WalletRequest::Withdraw(withdrawal).into()
        }
        Step::Transfer { to, kinds, currency, cents, number } => {
            let kind = |at: usize| [WalletKind::Spot, WalletKind::Funding, WalletKind::Futures][at];
            let transfer = NewTransfer {
                from: AccountWallet { account, kind: kind(kinds.0) },
                to: AccountWallet { account: AccountId(to), kind: kind(kinds.1) },
                currency: CURRENCIES[currency].into(),
                amount: money(CURRENCIES[currency], cents),
            };
            WalletRequest::Transfer { transfer, number: Some(number.to_string().into()) }.into()
        }
        Step::Margin { pair, base, cents, into } => {
            WalletRequest::TransferMargin { sum: sum(pair, base, cents), into }.into()
        }
        Step::Borrow { pair, base, cents } => WalletRequest::Borrow(sum(pair, base, cents)).into(),
        Step::Repay { pair, base, cents } => {
            let mut sum = sum(pair, base, cents);
            let debt = exchange.debt(account, &sum.symbol, &sum.currency).total();
            sum.amount = sum.amount.min(debt);
            WalletRequest::Repay(sum).into()
        }
        Step::Save { product, cents, renewal } => {
            let products = exchange.products();
            let product = &products[product % products.len()];
            WalletRequest::SubscribeSaving {
                number: now_ms.to_string().into(),
                product: product.id,
                amount: money(&product.currency, cents),
                renewal: [Renewal::Off, Renewal::Flexible, Renewal::Fixed][renewal],
            }
            .into()
        }
        Step::Redeem { pick, cents } => redeem(exchange, account, pick, cents, now_ms)?,
        Step::Wait { .. } => return Some(Command::Wait),
        Step::Jump(percent) => return Some(jump(exchange, percent, now_ms)),
        Step::Market => return Some(Command::StepMarket),
        Step::Control(step) => return Some(control::command(account, &step)),
    };
    Some(Command::Customer { account, request })
}

pub(super) fn picked(ids: &[OrderId], pick: usize) -> Option<OrderId> {
    ids.get(pick % ids.len().max(1)).copied()
}

fn redeem(
    exchange: &Exchange,
    account: AccountId,
    pick: usize,
    cents: i64,
    now_ms: u64,
) -> Option<Request> {
    let holdings = exchange.savings.holdings.values();
    let own: Vec<_> = holdings.filter(|one| one.account == account).collect();
    let holding = own.get(pick % own.len().max(1))?;
    let flexible = holding.product.lock_days.is_none();
    let part = flexible.then(|| money(&holding.product.currency, cents).min(holding.amount));
    let number = now_ms.to_string().into();
    Some(WalletRequest::RedeemSaving { number, id: holding.id, part }.into())
}

fn dollars(amount: i64) -> Decimal {
    Decimal::from(amount)
}

/// Moves the last price of the contract by so many percent.
fn jump(exchange: &Exchange, percent: i64, now_ms: u64) -> Command {
    let last = exchange.futures["BTCUSDT"].last_price();
    let price = last * (Decimal::ONE + Decimal::new(percent, 2));
    let price = price.round_dp(1).clamp(dollars(40_000), dollars(90_000));
    let candle = Candle::flat(now_ms / 60_000 * 60_000, price);
    let symbol = "BTCUSDT".into();
    Command::Operator(OperatorCommand::RecordCandle { symbol, candle })
}

pub(super) fn futures_order(owner: &Account, order: &Futures) -> NewFuturesOrder {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    use OrderMode::{FillOrKill, GoodTillCanceled, ImmediateOrCancel, PostOnly};
    use SelfTradePrevention::{CancelBoth, CancelMaker, CancelTaker};
    let open = owner.open_positions().next().filter(|_| order.same_terms);
    let (leverage, isolated) = open.map_or((order.leverage, order.isolated), |(_, _, position)| {
        (position.leverage, position.isolated)
    });
    NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: [OpenLong, CloseShort, CloseLong, OpenShort][order.side],
        price: order.price.map(|price| Decimal::from(60_000 + price)),
        size: Decimal::from(order.size),
        mode: [GoodTillCanceled, FillOrKill, ImmediateOrCancel, PostOnly][order.mode],
        leverage,
        isolated,
        client_order_id: None,
        self_trade_prevention: [CancelMaker, CancelTaker, CancelBoth][order.self_trade_prevention],
    }
}
