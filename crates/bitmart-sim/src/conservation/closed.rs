//! Two contracts with cross margin, halted and delisted markets, frozen accounts, and raw trigger orders.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::select};
use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{
    cases, check, check_fills, check_frozen, check_transactions,
    steps::{self, PAIRS, START_MS, run, start_with},
};
use crate::{
    AccountId, Command, Exchange, FuturesRequest, OperatorCommand, OrderId, Request, SpotRequest,
    WalletRequest,
    account::WalletKind,
    book::SelfTradePrevention,
    futures_order::{FuturesOrder, FuturesSide, MarginType, NewFuturesOrder, OrderMode, Origin},
    operator::Operation,
    tape::Candle,
    tests::generated_spot_order,
    transfer::{AccountWallet, NewTransfer, Transfer},
    trigger::{
        Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanChange, PlanKind, Preset,
        PresetPrice, PriceType,
    },
};

const CONTRACTS: [&str; 2] = ["BTCUSDT", "ETHUSDT"];
const FIRST_FUTURES_ORDER: u64 = 220_609_666_000_000;
const PLANS: [PlanKind; 3] = [PlanKind::Plan, PlanKind::TakeProfit, PlanKind::StopLoss];

#[derive(Debug, Clone)]
enum Step {
    Usual(steps::Step),
    Raw(Request),
    Operator(OperatorCommand),
    Wait(u64),
}

/// A price near the start price of a contract.
fn price(contract: usize, distance: i64) -> Decimal {
    [Decimal::from(60_000 + distance), Decimal::from(3_000) + Decimal::new(distance, 1)][contract]
}

fn order() -> impl Strategy<Value = (usize, NewFuturesOrder)> {
    use FuturesSide::{CloseLong, CloseShort, OpenLong, OpenShort};
    use MarginType::{Cross, Isolated};
    use OrderMode::{GoodTillCanceled, ImmediateOrCancel};
    let sides = select(vec![OpenLong, OpenShort, OpenLong, OpenShort, CloseLong, CloseShort]);
    let modes = select(vec![GoodTillCanceled, GoodTillCanceled, ImmediateOrCancel]);
    let terms = (select(vec![5_u32, 5, 5, 100]), select(vec![Cross, Cross, Cross, Isolated]));
    let at = (0..2_usize, proptest::option::of(-20..20_i64));
    (at, sides, modes, terms, 1..100_i64).prop_map(
        |((contract, distance), side, mode, (leverage, margin_type), size)| {
            let order = NewFuturesOrder {
                symbol: CONTRACTS[contract].into(),
                side,
                price: distance.map(|distance| price(contract, distance)),
                size: Decimal::from(size),
                mode,
                leverage,
                margin_type,
                client_order_id: None,
                self_trade_prevention: SelfTradePrevention::CancelMaker,
            };
            (contract, order)
        },
    )
}

/// Trigger orders and changes as no server sends them.
fn plan() -> impl Strategy<Value = Request> {
    let sizes = select(vec![-1_000_000_i64, -5, 0, 3, 50]);
    let new = (order(), select(PLANS.to_vec()), sizes, any::<bool>(), -20..20_i64, any::<bool>());
    let new = new.prop_map(|((contract, order), kind, size, whole_position, distance, up)| {
        let direction = if up { Direction::Rise } else { Direction::Fall };
        let condition = Condition::Reach {
            price: price(contract, distance),
            direction,
            price_type: PriceType::Last,
        };
        let order = NewFuturesOrder { size: Decimal::from(size), price: None, ..order };
        let terms = Plan { kind, order, whole_position, preset: Preset::default() };
        FuturesRequest::PlacePlan(NewPlan { client_order_id: None, condition, terms })
    });
    let id = (1..400_u64).prop_map(|number| OrderId(FIRST_FUTURES_ORDER + number));
    let change = (0..2_usize, id, -20..20_i64, proptest::option::of(any::<bool>()), any::<bool>());
    let change = change.prop_map(|(contract, id, distance, whole_position, of_preset)| {
        let (symbol, price) = (CONTRACTS[contract].into(), price(contract, distance));
        if of_preset {
            let leg = Some(PresetPrice { price, price_type: PriceType::Last });
            let preset = Preset { take_profit: leg, stop_loss: None };
            return FuturesRequest::ModifyPreset { symbol, id, preset };
        }
        let price_type = PriceType::Last;
        let change = PlanChange { trigger_price: price, price_type, price: None, whole_position };
        FuturesRequest::ModifyPlan { symbol, id, kinds: PLANS.to_vec(), change }
    });
    prop_oneof![3 => new, 1 => change].prop_map(Request::from)
}

fn algo() -> impl Strategy<Value = Request> {
    (any::<bool>(), -20..20_i64, 1..20_i64).prop_map(|(buy, distance, lots)| {
        let order = generated_spot_order(buy, 1, 0, 0, lots);
        let trigger_price = Decimal::from(60_000 + distance);
        let terms = Algo { kind: AlgoKind::Trigger, order };
        Request::from(SpotRequest::PlaceTrigger(NewAlgo { trigger_price, terms }))
    })
}

fn operator() -> impl Strategy<Value = OperatorCommand> {
    let mostly_off = || select(vec![true, true, false, false, false]);
    let market = select([PAIRS.as_slice(), CONTRACTS.as_slice()].concat());
    prop_oneof![
        (1..5_u32, mostly_off()).prop_map(|(account, frozen)| {
            OperatorCommand::Operate(Operation::Freeze { account, frozen })
        }),
        (market, mostly_off()).prop_map(|(symbol, halted)| {
            OperatorCommand::HaltMarket { symbol: symbol.into(), halted }
        }),
        (select(CONTRACTS.to_vec()), mostly_off()).prop_map(|(symbol, delisted)| {
            OperatorCommand::Operate(Operation::Delist { symbol: symbol.to_owned(), delisted })
        }),
        (0..2_usize, -8..8_i64).prop_map(|(contract, percent)| {
            let price = price(contract, 0) * Decimal::new(100 + percent, 2);
            let symbol = CONTRACTS[contract].into();
            OperatorCommand::RecordCandle { symbol, candle: Candle::flat(START_MS, price) }
        }),
    ]
}

/// A main account takes money of a sub-account, or gives it some.
fn between() -> impl Strategy<Value = Request> {
    (1..5_u32, 1..5_u32, 1..1_000_i64, any::<u32>()).prop_map(|(from, to, amount, number)| {
        let end = |account| AccountWallet { account: AccountId(account), kind: WalletKind::Spot };
        let transfer = NewTransfer {
            from: end(from),
            to: end(to),
            currency: "USDT".into(),
            amount: Decimal::from(amount),
        };
        Request::from(WalletRequest::Transfer { transfer, number: Some(number.to_string().into()) })
    })
}

fn step() -> impl Strategy<Value = (u32, Step)> {
    let place = order().prop_map(|(_, order)| {
        Request::from(FuturesRequest::Place { order, preset: Preset::default() })
    });
    let step = prop_oneof![
        5 => steps::step().prop_map(|(_, step)| Step::Usual(step)),
        8 => place.prop_map(Step::Raw),
        4 => plan().prop_map(Step::Raw),
        1 => algo().prop_map(Step::Raw),
        2 => between().prop_map(Step::Raw),
        4 => operator().prop_map(Step::Operator),
        2 => (1..100_u64).prop_map(Step::Wait),
    ];
    (1..5_u32, step)
}

/// The commands of customers in a market, or of an account.
#[derive(Debug, Default, PartialEq)]
struct Activity {
    latest_order: Option<OrderId>,
    /// Of a market: the filled size of all orders.
    filled: Decimal,
    /// Of an account: the number of its orders.
    orders: u32,
    /// Of an account: its latest transfer to another one.
    latest_transfer: Option<u64>,
}

/// Returns what happened in the markets that are closed, by symbol, and by the accounts that are frozen, by number.
fn activity_of_closed(exchange: &Exchange) -> BTreeMap<SmolStr, Activity> {
    let markets = exchange.spot.keys().chain(exchange.futures.keys());
    let markets: BTreeSet<_> =
        markets.filter(|symbol| exchange.check_contract(symbol).is_err()).collect();
    let frozen = |id: AccountId| exchange.operator_settings.is_frozen(id);
    let mut rows: BTreeMap<SmolStr, Activity> = BTreeMap::new();
    let accounts = exchange.accounts.keys().filter(|id| frozen(**id));
    let names =
        accounts.map(|id| SmolStr::from(id.0.to_string())).chain(markets.into_iter().cloned());
    for name in names {
        rows.insert(name, Activity::default());
    }
    let customers = exchange
        .futures_orders
        .values()
        .filter(|order| order.origin == Origin::Customer && !Exchange::is_house(order.account));
    let futures = customers.map(|one| (one.account, &one.request.symbol, one.id, one.filled));
    let spot = exchange.spot_orders.values().filter(|order| !Exchange::is_house(order.account));
    let spot = spot.map(|one| (one.account, &one.request.symbol, one.id, one.filled_size));
    for (account, symbol, id, filled) in futures.chain(spot) {
        if let Some(row) = rows.get_mut(symbol) {
            row.latest_order = row.latest_order.max(Some(id));
            row.filled += filled;
        }
        // Spot and futures numbers are not compared with each other.
        if let Some(row) = rows.get_mut(&SmolStr::from(account.0.to_string())) {
            row.latest_order = row.latest_order.max(Some(id));
            row.orders += 1;
        }
    }
    // What arrives at a sub-account from outside is also listed as a transfer from its main account, which does not
    // pay it.
    let arrived = |row: &Transfer| {
        let payments = exchange.payments.values();
        payments
            .filter(|one| one.deposit)
            .any(|one| (one.account, one.amount) == (row.to.account, row.amount))
    };
    let transfers = exchange.transfers.iter().filter(|row| row.is_between_accounts());
    for row in transfers.filter(|row| !arrived(row)) {
        if let Some(payer) = rows.get_mut(&SmolStr::from(row.from.account.0.to_string())) {
            payer.latest_transfer = payer.latest_transfer.max(Some(row.id));
        }
    }
    rows
}

/// Whatever was accepted, a contract accepts some leverage and margin type.
fn check_settings(exchange: &Exchange) -> Result<(), TestCaseError> {
    for account in exchange.accounts.values().filter(|account| !account.house) {
        for symbol in CONTRACTS.map(SmolStr::from) {
            let settings = [1_u32, 2, 3, 4, 5, 6, 7, 8, 9, 100].into_iter();
            let accepted = settings
                .flat_map(|leverage| {
                    [(leverage, MarginType::Isolated), (leverage, MarginType::Cross)]
                })
                .any(|(leverage, margin_type)| {
                    exchange.check_setting(account.id, &symbol, leverage, margin_type).is_ok()
                });
            prop_assert!(accepted, "account {:?} can place no order in {symbol}", account.id);
        }
    }
    Ok(())
}

/// Trades are in the order of their times.
fn check_times(exchange: &Exchange) -> Result<(), TestCaseError> {
    let spot: Vec<_> = exchange.spot_fills.iter().map(|fill| (fill.trade, fill.time_ms)).collect();
    let futures: Vec<_> =
        exchange.futures_fills.iter().map(|fill| (fill.trade, fill.time_ms)).collect();
    for fills in [spot, futures] {
        prop_assert!(fills.is_sorted_by(|one, next| one.0 <= next.0 && one.1 <= next.1));
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn closed_markets_and_frozen_accounts_stand_still_and_money_is_conserved(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..400),
    ) {
        let (mut exchange, mut now_ms) = (start_with(seed, 2), START_MS);
        let at_start = exchange.clone();
        for (account, step) in &steps {
            let before = activity_of_closed(&exchange);
            let account = AccountId(*account);
            match step {
                Step::Usual(step) => run(&mut exchange, account.0, step, &mut now_ms),
                Step::Raw(request) => {
                    now_ms += 50;
                    let request = request.clone();
                    let _ = exchange.apply(Command::Customer { account, request }, now_ms);
                }
                Step::Operator(command) => {
                    now_ms += 50;
                    let _ = exchange.apply(Command::Operator(command.clone()), now_ms);
                }
                Step::Wait(seconds) => {
                    now_ms += seconds * 1_000;
                    exchange.apply(Command::Wait, now_ms).expect("waits");
                }
            }
            let after = activity_of_closed(&exchange);
            for (name, activity) in &before {
                prop_assert!(after.get(name).is_none_or(|one| one == activity), "{name} {step:?}");
            }
            check(&exchange)?;
            check_settings(&exchange)?;
            let empty = |order: &FuturesOrder| order.open && order.left() <= Decimal::ZERO;
            prop_assert!(!exchange.futures_orders.values().any(empty));
            exchange.take_events();
        }
        check_times(&exchange)?;
        check_frozen(&exchange)?;
        check_transactions(&exchange, &at_start)?;
        check_fills(&exchange)?;
    }
}
