//! Commands that no server lets through: every amount from the smallest to the largest decimal, and below zero.

use proptest::{prelude::*, sample::select};
use rust_decimal::Decimal;

use super::{cases, steps::START_MS};
use crate::{
    AccountId, Command, Contract, Exchange, FuturesRequest, OperatorCommand, OrderId, Request,
    Setup, SpotPair, SpotRequest, WalletRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    control::MAX_BALANCE,
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    margin::PairAmount,
    operator::{NetworkTerms, Operation},
    payment::NewWithdrawal,
    position::PositionSide,
    rules::MAX_AMOUNT,
    savings::Renewal,
    setup::{NewAccount, NewAccounts, StartingBalances},
    spot_order::{NewSpotOrder, SpotOrderType},
    tape::Candle,
    transfer::{AccountWallet, NewTransfer},
    trigger::{
        Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanChange, PlanKind, Preset,
        PresetPrice, PriceType, Trail,
    },
};

const DAY_MS: u64 = 86_400_000;
const FIRST_FUTURES_ORDER: u64 = 220_609_666_000_000;
const SIDES: [FuturesSide; 4] = [
    FuturesSide::OpenLong,
    FuturesSide::CloseShort,
    FuturesSide::CloseLong,
    FuturesSide::OpenShort,
];
const PLANS: [PlanKind; 4] =
    [PlanKind::Plan, PlanKind::TakeProfit, PlanKind::StopLoss, PlanKind::Trailing];
const WALLETS: [WalletKind; 3] = [WalletKind::Spot, WalletKind::Funding, WalletKind::Futures];

/// Accounts 1 and 2 and markets whose prices and sizes have 8 decimals.
fn start() -> Exchange {
    let pair = SpotPair {
        min_notional: Decimal::ZERO,
        ..SpotPair::new("ODD", "USDT", 8, 8, Decimal::ONE)
    };
    let contract = Contract::new("ODD", "USDT", Decimal::new(100_000_001, 8), 8, Decimal::ONE);
    let setup = Setup::new().pairs([pair]).contracts([contract]).without_market_maker();
    let setup = setup.account(AccountId(1)).account(AccountId(2));
    Exchange::new(&setup, START_MS)
}

/// The limits, what is around them, and a few amounts that can be paid.
fn extreme() -> impl Strategy<Value = Decimal> {
    let smallest = Decimal::new(1, 28);
    let rows = [
        Decimal::ZERO,
        smallest,
        Decimal::new(1, 8),
        Decimal::ONE,
        Decimal::ONE + Decimal::new(1, 8),
        Decimal::TEN,
        Decimal::from(1_000),
        MAX_AMOUNT,
        MAX_AMOUNT - Decimal::new(1, 8),
        MAX_BALANCE,
        MAX_BALANCE - Decimal::new(1, 8),
        MAX_BALANCE + Decimal::new(1, 8),
        Decimal::MAX,
    ];
    let signs = prop_oneof![5 => Just(Decimal::ONE), 1 => Just(Decimal::NEGATIVE_ONE)];
    (select(rows.to_vec()), signs).prop_map(|(amount, sign)| amount * sign)
}

fn spot(amount: impl Strategy<Value = Decimal> + Clone) -> impl Strategy<Value = Request> {
    let kinds = vec![
        SpotOrderType::Limit,
        SpotOrderType::Limit,
        SpotOrderType::Market,
        SpotOrderType::LimitMaker,
        SpotOrderType::ImmediateOrCancel,
    ];
    let amounts = (amount.clone(), amount.clone(), amount.clone(), amount);
    (any::<bool>(), any::<bool>(), select(kinds), amounts, any::<bool>()).prop_map(
        |(buy, margin, kind, (size, price, notional, trigger_price), waits)| {
            let order = NewSpotOrder {
                symbol: "ODD_USDT".into(),
                margin,
                side: if buy { Side::Buy } else { Side::Sell },
                kind,
                client_order_id: None,
                self_trade_prevention: None,
                size,
                price,
                notional,
            };
            if waits {
                let terms = Algo { kind: AlgoKind::Trigger, order };
                Request::from(SpotRequest::PlaceTrigger(NewAlgo { trigger_price, terms }))
            } else {
                Request::from(SpotRequest::Place(order))
            }
        },
    )
}

fn order(amount: impl Strategy<Value = Decimal> + Clone) -> impl Strategy<Value = NewFuturesOrder> {
    let terms = (select(SIDES.to_vec()), select(vec![1_u32, 7, 100]), any::<bool>());
    (terms, proptest::option::of(amount.clone()), amount).prop_map(
        |((side, leverage, isolated), price, size)| NewFuturesOrder {
            symbol: "ODDUSDT".into(),
            side,
            price,
            size,
            mode: OrderMode::GoodTillCanceled,
            leverage,
            margin_type: MarginType::from(isolated),
            client_order_id: None,
            self_trade_prevention: SelfTradePrevention::CancelMaker,
        },
    )
}

fn futures(amount: impl Strategy<Value = Decimal> + Clone) -> impl Strategy<Value = Request> {
    let symbol = || "ODDUSDT".into();
    let id = || (1..40_u64).prop_map(|number| OrderId(FIRST_FUTURES_ORDER + number));
    let maybe = || proptest::option::of(amount.clone());
    let preset = || {
        let leg = |price: Option<Decimal>| {
            price.map(|price| PresetPrice { price, price_type: PriceType::Last })
        };
        (maybe(), maybe()).prop_map(move |(take_profit, stop_loss)| Preset {
            take_profit: leg(take_profit),
            stop_loss: leg(stop_loss),
        })
    };
    let condition = (amount.clone(), amount.clone(), maybe(), any::<bool>()).prop_map(
        |(price, callback_rate, extreme, trails)| {
            let (price_type, direction) = (PriceType::Last, Direction::Rise);
            if trails {
                Condition::Trail(Trail {
                    activation: price,
                    callback_rate,
                    price_type,
                    direction,
                    extreme,
                })
            } else {
                Condition::Reach { price, direction, price_type }
            }
        },
    );
    let whole = || proptest::option::of(any::<bool>());
    prop_oneof![
        4 => (order(amount.clone()), prop_oneof![2 => Just(Preset::default()), 1 => preset()])
            .prop_map(|(order, preset)| FuturesRequest::Place { order, preset }),
        1 => (id(), maybe(), maybe())
            .prop_map(|(id, price, size)| FuturesRequest::Modify { id, price, size }),
        4 => (select(PLANS.to_vec()), order(amount.clone()), condition, any::<bool>()).prop_map(
            |(kind, order, condition, whole_position)| {
                let terms = Plan { kind, order, whole_position, preset: Preset::default() };
                FuturesRequest::PlacePlan(NewPlan { client_order_id: None, condition, terms })
            }
        ),
        1 => (id(), amount.clone(), maybe(), whole()).prop_map(
            move |(id, trigger_price, price, whole_position)| FuturesRequest::ModifyPlan {
                symbol: symbol(),
                id,
                kinds: PLANS.to_vec(),
                change: PlanChange { trigger_price, price_type: PriceType::Last, price, whole_position },
            }
        ),
        1 => (id(), preset()).prop_map(
            move |(id, preset)| FuturesRequest::ModifyPreset { symbol: symbol(), id, preset }
        ),
    ]
    .prop_map(Request::from)
}

fn wallet(amount: impl Strategy<Value = Decimal> + Clone) -> impl Strategy<Value = Request> {
    // The first part is the index of the request.
    let parts = (0..7_u8, any::<bool>(), any::<bool>(), select(WALLETS.to_vec()));
    (parts, amount, any::<u64>()).prop_map(|((what, base, into, kind), amount, number)| {
        let currency = if base { "ODD" } else { "USDT" };
        let sum = PairAmount { symbol: "ODD_USDT".into(), currency: currency.into(), amount };
        let number = number.to_string().into();
        let request = match what {
            0 => WalletRequest::TransferMargin { sum, direction: into.into() },
            1 => WalletRequest::Borrow(sum),
            2 => WalletRequest::Repay(sum),
            3 => WalletRequest::SubscribeSaving {
                number,
                product: 1_001,
                amount,
                renewal: Renewal::Fixed,
            },
            4 => WalletRequest::RedeemSaving { number, id: 1, part: Some(amount) },
            5 => WalletRequest::Withdraw(NewWithdrawal {
                currency: currency.into(),
                amount,
                address: "T1".to_owned(),
                address_memo: String::new(),
                source: None,
                payee: into.then_some(AccountId(2)),
            }),
            _ => WalletRequest::Transfer {
                transfer: NewTransfer {
                    from: AccountWallet { account: AccountId(1), kind: WalletKind::Spot },
                    to: AccountWallet { account: AccountId(1), kind },
                    currency: currency.into(),
                    amount,
                },
                number: None,
            },
        };
        Request::from(request)
    })
}

fn operator(amount: impl Strategy<Value = Decimal> + Clone) -> impl Strategy<Value = Command> {
    // The first part is the index of the command.
    let parts = (0..6_u8, 1..3_u32, any::<bool>(), select(WALLETS.to_vec()));
    (parts, amount.clone(), amount).prop_map(|((what, account, base, wallet), amount, other)| {
        let id = AccountId(account);
        let currency = if base { "ODD" } else { "USDT" };
        let rows = vec![(currency.to_owned(), amount)];
        let funds = StartingBalances { spot: rows.clone(), futures: rows };
        Command::Operator(match what {
            0 => OperatorCommand::OpenAccounts(NewAccounts {
                accounts: vec![NewAccount { id: AccountId(account + 2), main: None }],
                funds,
            }),
            1 => OperatorCommand::OpenNextAccount(funds),
            2 => OperatorCommand::SetBalance {
                account: id,
                wallet,
                currency: currency.into(),
                amount,
            },
            3 => OperatorCommand::RecordCandle {
                symbol: if base { "ODD_USDT" } else { "ODDUSDT" }.into(),
                candle: Candle { volume: other, turnover: other, ..Candle::flat(START_MS, amount) },
            },
            4 => OperatorCommand::Operate(Operation::SetNetwork {
                currency: currency.to_owned(),
                terms: NetworkTerms::new().fee(amount).minimum(other),
            }),
            _ => OperatorCommand::Deposit { account: id, currency: currency.into(), amount },
        })
    })
}

fn command(
    amount: impl Strategy<Value = Decimal> + Clone + 'static,
) -> impl Strategy<Value = Command> {
    let request = prop_oneof![
        3 => spot(amount.clone()),
        4 => futures(amount.clone()),
        2 => wallet(amount.clone()),
    ];
    prop_oneof![
        3 => (1..3_u32, request).prop_map(|(account, request)| Command::Customer {
            account: AccountId(account),
            request,
        }),
        1 => operator(amount),
    ]
}

/// Frozen money, sizes and open orders are never negative.
fn check_signs(exchange: &Exchange) -> Result<(), TestCaseError> {
    for account in exchange.accounts.values() {
        for (name, currency, wallet) in super::wallets(exchange, account) {
            prop_assert!(wallet.frozen >= Decimal::ZERO, "{name} {currency} {wallet:?}");
        }
        prop_assert!(account.positions.values().all(|position| position.size >= Decimal::ZERO));
    }
    let mut orders = exchange.futures_orders.values();
    prop_assert!(orders.all(|order| !order.open || order.left() > Decimal::ZERO));
    Ok(())
}

fn run(commands: Vec<Command>) -> Result<(), TestCaseError> {
    let (mut exchange, mut now_ms) = (start(), START_MS);
    for command in commands {
        now_ms += 50;
        // Most of them are rejected.
        let _ = exchange.apply(command, now_ms);
        check_signs(&exchange)?;
        exchange.take_events();
    }
    exchange.apply(Command::Wait, now_ms + 2 * DAY_MS).expect("waits");
    for (currency, sum) in exchange.ledger.sums() {
        prop_assert_eq!(sum, Decimal::ZERO, "{}", currency);
    }
    for id in [1, 2] {
        exchange.liquidation_price(AccountId(id), &"ODDUSDT".into(), PositionSide::Long);
        exchange.borrowable(AccountId(id), "ODD_USDT", "ODD");
    }
    exchange.balance_rows();
    Ok(())
}

/// Amounts with 8 decimals: up to the limits, or such that they trade.
fn long_amount() -> impl Strategy<Value = Decimal> + Clone {
    prop_oneof![
        3 => (1..1_000_000_000_i64).prop_map(|units| Decimal::new(units, 8)),
        2 => (1..100_000_i64).prop_map(|units| Decimal::from(units) / Decimal::from(64)),
        1 => (1..i64::MAX).prop_map(|units| Decimal::new(units, 8)),
        1 => (0..1_000_000_i64).prop_map(|units| MAX_BALANCE - Decimal::new(units, 8)),
    ]
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn no_amount_of_a_command_makes_the_exchange_panic_or_create_money(
        commands in proptest::collection::vec(command(extreme().boxed()), 1..80),
    ) {
        run(commands)?;
    }

    #[test]
    fn money_is_conserved_with_large_balances_and_eight_decimals_of_price_and_size(
        commands in proptest::collection::vec(command(long_amount().boxed()), 1..80),
    ) {
        run(commands)?;
    }
}
