//! What accounts and the market do at random.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{
    super::{
        AccountId, Exchange,
        account::Purse,
        book::{SelfTrade, Side},
        earn::{Renewal, Saver},
        funding::NewWithdrawal,
        futures_order::{FuturesSide, Mode, NewFuturesOrder},
        margin::Sum,
        tape::PublicTrade,
        tests::spot_order,
        transfer::{End, NewTransfer},
    },
    control, triggers,
};
use crate::Setup;

pub(super) const START_MS: u64 = 1_700_000_000_000;
pub(super) const CURRENCIES: [&str; 3] = ["USDT", "BTC", "ETH"];
pub(super) const PAIRS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];

/// A limit order on spot or margin, a market order, or one of the other kinds.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    margin: bool,
    buy: bool,
    kind: usize,
    stp: usize,
    price: i64,
    lots: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Futures {
    side: usize,
    mode: usize,
    stp: usize,
    price: Option<i64>,
    size: i64,
    leverage: u32,
    isolated: bool,
    /// Takes leverage and margin mode of what is open, so that it is not refused for them.
    fits: bool,
}

/// One thing that an account or the market does.
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
    /// The last price jumps by so many percent, and the mark price has a minute to go after it.
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
        purses: (usize, usize),
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
        |(margin, buy, kind, stp, price, lots)| {
            Step::Spot(Spot { margin, buy, kind, stp, price, lots })
        },
    )
}

fn futures() -> impl Strategy<Value = Futures> {
    let price = proptest::option::of(-40..40_i64);
    let margin = (prop_oneof![1..10_u32, Just(100)], any::<bool>(), any::<bool>());
    (0..4_usize, 0..4_usize, 0..3_usize, price, 1..300_i64, margin).prop_map(
        |(side, mode, stp, price, size, (leverage, isolated, fits))| Futures {
            side,
            mode,
            stp,
            price,
            size,
            leverage,
            isolated,
            fits,
        },
    )
}

/// The account that acts, and what it does.
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
            |(to, purses, currency, cents, number)| Step::Transfer {
                to, purses, currency, cents, number,
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
    let mut setup = Setup::new().seed(seed);
    setup.pairs.truncate(PAIRS.len());
    setup.contracts.truncate(1);
    setup
        .account(AccountId(1))
        .account(AccountId(2))
        .sub_account(AccountId(3), AccountId(1))
        .sub_account(AccountId(4), AccountId(1))
        .spot_balance("USDT", Decimal::from(30_000))
        .futures_balance("USDT", Decimal::from(3_000))
}

/// An exchange in which every other account is in one-way mode.
pub(super) fn start(seed: u64) -> Exchange {
    let mut exchange = Exchange::new(&setup(seed), START_MS);
    for account in [2, 4] {
        exchange.set_one_way(AccountId(account), true).expect("nothing is open");
    }
    exchange
}

/// Coins are dear: a cent of them is a hundred-thousandth.
pub(super) fn money(currency: &str, cents: i64) -> Decimal {
    Decimal::new(cents, if currency == "USDT" { 2 } else { 5 })
}

fn sum(pair: usize, base: bool, cents: i64) -> Sum {
    let symbol = PAIRS[pair];
    let currency = symbol.split('_').nth(usize::from(!base)).expect("two halves");
    Sum { symbol: symbol.into(), currency: currency.into(), amount: money(currency, cents) }
}

/// Runs a step. A refusal is fine: what must hold is checked after it.
pub(super) fn run(exchange: &mut Exchange, account: u32, step: &Step, clock_ms: &mut u64) {
    let account = AccountId(account);
    *clock_ms += match step {
        Step::Wait { seconds } => seconds * 1_000,
        Step::Control(control::Step::Restore) => {
            control::restore(exchange);
            0
        }
        _ => 50,
    };
    let now_ms = *clock_ms;
    exchange.settle_due(now_ms);
    match step.clone() {
        Step::Spot(Spot { margin, buy, kind, stp, price, lots }) => {
            let mut request = spot_order(buy, kind, stp, price, lots);
            request.margin = margin;
            let _ = exchange.place_spot(account, request, now_ms);
        }
        Step::CancelSpot(pick) => {
            let own = exchange.account_mut(account).spot_orders.all();
            if let Some(id) = own.get(pick % own.len().max(1)) {
                let _ = exchange.cancel_spot(account, *id, now_ms);
            }
        }
        Step::Futures(order) => {
            let request = futures_order(exchange, account, &order);
            let _ = exchange.place_futures(account, request, now_ms);
        }
        Step::CancelFutures(pick) => {
            let own = exchange.account_mut(account).futures_orders.all();
            if let Some(id) = own.get(pick % own.len().max(1)) {
                let _ = exchange.cancel_futures(account, *id, now_ms);
            }
        }
        Step::Trigger(step) => triggers::run(exchange, account, step, now_ms),
        Step::ModifyFutures { pick, price, size } => {
            let own = &exchange.account_mut(account).futures_orders.open;
            let id = own.iter().nth(pick % own.len().max(1)).copied();
            let (price, size) = (price.map(|price| dollars(60_000 + price)), size.map(dollars));
            if let Some(id) = id {
                let _ = exchange.modify_futures(account, id, price, size, now_ms);
            }
        }
        Step::CancelAfter { seconds } => {
            let at_ms = seconds.map(|seconds| now_ms + seconds * 1_000);
            exchange.cancel_after(account, &"BTCUSDT".into(), at_ms);
        }
        Step::OneWay(one_way) => {
            let _ = exchange.set_one_way(account, one_way);
        }
        Step::Jump(percent) => {
            jump(exchange, percent, now_ms);
            exchange.settle_due(now_ms + 60_000);
            *clock_ms = now_ms + 60_000;
        }
        Step::Deposit { currency, cents } => {
            let currency = CURRENCIES[currency];
            let _ = exchange.deposit(account, currency, money(currency, cents), now_ms);
        }
        Step::Withdraw { currency, cents, source, fails, payee } => {
            let currency = CURRENCIES[currency];
            let request = NewWithdrawal {
                currency: format!("{currency}-TRC20").into(),
                amount: money(currency, cents),
                address: if fails { "fail" } else { "T1" }.to_owned(),
                address_memo: String::new(),
                source: [None, Some(Purse::Spot), Some(Purse::Fund)][source],
                payee: payee.map(AccountId),
            };
            let _ = exchange.withdraw(account, request, now_ms);
        }
        Step::Transfer { to, purses, currency, cents, number } => {
            let purse = |at: usize| [Purse::Spot, Purse::Fund, Purse::Futures][at];
            let request = NewTransfer {
                from: End { account, purse: purse(purses.0) },
                to: End { account: AccountId(to), purse: purse(purses.1) },
                currency: CURRENCIES[currency].into(),
                amount: money(CURRENCIES[currency], cents),
            };
            let number = number.to_string().into();
            let _ = exchange.transfer_between(account, number, request, now_ms);
        }
        Step::Margin { pair, base, cents, into } => {
            let _ = exchange.transfer_margin(account, sum(pair, base, cents), into);
        }
        Step::Borrow { pair, base, cents } => {
            let _ = exchange.borrow(account, sum(pair, base, cents), now_ms);
        }
        Step::Repay { pair, base, cents } => {
            let mut sum = sum(pair, base, cents);
            let debt = exchange.debt(account, &sum.symbol, &sum.currency).total();
            sum.amount = sum.amount.min(debt);
            let _ = exchange.repay(account, sum, now_ms);
        }
        Step::Save { product, cents, renewal } => {
            let products = exchange.products();
            let product = products[product % products.len()].clone();
            let renewal = [Renewal::Off, Renewal::Flexible, Renewal::Fixed][renewal];
            let (saver, amount) = (saver(account, now_ms), money(&product.currency, cents));
            let _ = exchange.subscribe_saving(saver, product.id, amount, renewal, now_ms);
        }
        Step::Redeem { pick, cents } => redeem(exchange, account, pick, cents, now_ms),
        Step::Wait { .. } => {}
        Step::Market => exchange.step_market(now_ms),
        Step::Control(step) => control::run(exchange, account, &step, now_ms),
    }
    exchange.run_triggers(now_ms);
}

fn saver(account: AccountId, now_ms: u64) -> Saver {
    Saver { account, number: now_ms.to_string().into() }
}

fn redeem(exchange: &mut Exchange, account: AccountId, pick: usize, cents: i64, now_ms: u64) {
    let own: Vec<_> =
        exchange.earn.holdings.values().filter(|one| one.account == account).collect();
    let Some(holding) = own.get(pick % own.len().max(1)) else { return };
    let flexible = holding.product.lock_days.is_none();
    let part = flexible.then(|| money(&holding.product.currency, cents).min(holding.amount));
    let id = holding.id;
    let _ = exchange.redeem_saving(saver(account, now_ms), id, part, now_ms);
}

fn dollars(amount: i64) -> Decimal {
    Decimal::from(amount)
}

fn jump(exchange: &mut Exchange, percent: i64, now_ms: u64) {
    let Some(market) = exchange.futures.get_mut("BTCUSDT") else { return };
    let price = market.last_price() * (Decimal::ONE + Decimal::new(percent, 2));
    let trade = PublicTrade {
        id: 0,
        price: price.round_dp(1).clamp(dollars(40_000), dollars(90_000)),
        size: Decimal::ONE,
        side: Side::Buy,
        time_ms: now_ms,
    };
    market.tape.record(trade, Decimal::ONE);
}

pub(super) fn futures_order(
    exchange: &mut Exchange,
    account: AccountId,
    order: &Futures,
) -> NewFuturesOrder {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    use Mode::{FillOrKill, GoodTilCancelled, ImmediateOrCancel, MakerOnly};
    use SelfTrade::{CancelBoth, CancelMaker, CancelTaker};
    let open = exchange.account_mut(account).open_positions().next().filter(|_| order.fits);
    let (leverage, isolated) = open.map_or((order.leverage, order.isolated), |(_, _, position)| {
        (position.leverage, position.isolated)
    });
    NewFuturesOrder {
        symbol: "BTCUSDT".into(),
        side: [OpenLong, CloseShort, CloseLong, OpenShort][order.side],
        price: order.price.map(|price| Decimal::from(60_000 + price)),
        size: Decimal::from(order.size),
        mode: [GoodTilCancelled, FillOrKill, ImmediateOrCancel, MakerOnly][order.mode],
        leverage,
        isolated,
        client_id: None,
        stp: [CancelMaker, CancelTaker, CancelBoth][order.stp],
    }
}
