//! Margin accounts: one that is not compared with the liquidation rate could not have been liquidated.

use proptest::{prelude::*, sample::select};
use rust_decimal::Decimal;

use super::{
    cases,
    steps::{PAIRS, START_MS, money, setup},
};
use crate::{
    AccountId, Command, Exchange, OperatorCommand, Request, SpotRequest, WalletRequest,
    margin::{PairAmount, checks::MarginChecks},
    spot_order::NewSpotOrder,
    tape::Candle,
    tests::generated_spot_order,
};

/// An account with loans that will not be compared is above the liquidation rate.
pub(super) fn check(exchange: &Exchange) -> Result<(), TestCaseError> {
    for loan in exchange.loans.values().filter(|loan| !loan.owed.total().is_zero()) {
        let is_overlooked = exchange.is_margin_compared(loan.account, &loan.symbol)
            && exchange.risk(loan.account, &loan.symbol).is_below_liquidation_rate();
        prop_assert!(!is_overlooked, "{loan:?}");
    }
    Ok(())
}

#[derive(Debug, Clone)]
enum Step {
    Request(u32, Box<Request>),
    /// Borrows a part of what can be borrowed, in percent.
    Borrow {
        account: u32,
        pair: usize,
        base: bool,
        percent: i64,
    },
    Price {
        pair: usize,
        percent: i64,
    },
    Halt {
        pair: usize,
        halted: bool,
    },
    Wait {
        hours: u64,
    },
}

fn currency(pair: usize, base: bool) -> &'static str {
    PAIRS[pair].split('_').nth(usize::from(!base)).expect("two currencies")
}

fn amount(pair: usize, base: bool, amount: Decimal) -> PairAmount {
    let (symbol, currency) = (PAIRS[pair].into(), currency(pair, base).into());
    PairAmount { symbol, currency, amount }
}

fn step() -> impl Strategy<Value = Step> {
    let account = || 1..4_u32;
    let side = || (0..PAIRS.len(), any::<bool>());
    let order = (any::<bool>(), 0..4_usize, -40..40_i64, 1..400_i64, any::<bool>(), 0..2_usize);
    let order = order.prop_map(|(buy, kind, price, lots, margin, pair)| {
        let order = generated_spot_order(buy, kind, 0, price, lots);
        // The other pair trades at a twentieth of the price.
        let price = if pair == 0 { order.price } else { order.price / Decimal::from(20) };
        let order = NewSpotOrder { margin, symbol: PAIRS[pair].into(), price, ..order };
        Request::from(SpotRequest::Place(order))
    });
    let transfer = (side(), 1..500_000_i64, select(vec![true, true, true, false]));
    let transfer = transfer.prop_map(|((pair, base), cents, into)| {
        let sum = amount(pair, base, money(currency(pair, base), cents));
        Request::from(WalletRequest::TransferMargin { sum, direction: into.into() })
    });
    let repay = (side(), 1..100_000_i64).prop_map(|((pair, base), cents)| {
        let sum = amount(pair, base, money(currency(pair, base), cents));
        Request::from(WalletRequest::Repay(sum))
    });
    prop_oneof![
        8 => (account(), order).prop_map(|(account, order)| Step::Request(account, Box::new(order))),
        4 => (account(), transfer).prop_map(|(account, sum)| Step::Request(account, Box::new(sum))),
        1 => (account(), repay).prop_map(|(account, sum)| Step::Request(account, Box::new(sum))),
        4 => (account(), side(), 10..101_i64).prop_map(
            |(account, (pair, base), percent)| Step::Borrow { account, pair, base, percent }
        ),
        3 => (0..PAIRS.len(), -25..25_i64)
            .prop_map(|(pair, percent)| Step::Price { pair, percent }),
        1 => (0..PAIRS.len(), select(vec![true, false, false]))
            .prop_map(|(pair, halted)| Step::Halt { pair, halted }),
        1 => (1..200_u64).prop_map(|hours| Step::Wait { hours }),
    ]
}

fn command(exchange: &Exchange, step: &Step) -> Command {
    match step {
        Step::Request(account, request) => {
            Command::Customer { account: AccountId(*account), request: Request::clone(request) }
        }
        Step::Borrow { account, pair, base, percent } => {
            let (account, currency) = (AccountId(*account), currency(*pair, *base));
            let most = exchange.borrowable(account, PAIRS[*pair], currency);
            let part = (most * Decimal::new(*percent, 2)).trunc_with_scale(8);
            let request = WalletRequest::Borrow(amount(*pair, *base, part)).into();
            Command::Customer { account, request }
        }
        Step::Price { pair, percent } => {
            let price = exchange.spot[PAIRS[*pair]].rules.start_price;
            let candle = Candle::flat(START_MS, price * Decimal::new(100 + percent, 2));
            let symbol = PAIRS[*pair].into();
            Command::Operator(OperatorCommand::RecordCandle { symbol, candle })
        }
        Step::Halt { pair, halted } => {
            let symbol = PAIRS[*pair].into();
            Command::Operator(OperatorCommand::HaltMarket { symbol, halted: *halted })
        }
        Step::Wait { .. } => Command::Wait,
    }
}

fn new_exchange() -> Exchange {
    let setup = setup(1).without_market_maker().spot_balance("BTC", Decimal::from(10));
    Exchange::new(&setup.spot_balance("ETH", Decimal::from(100)), START_MS)
}

/// Applies steps to two exchanges. The second one compares every margin account before every command.
fn run(steps: &[Step]) -> Result<Exchange, TestCaseError> {
    let (mut exchange, mut thorough, mut now_ms) = (new_exchange(), new_exchange(), START_MS);
    for step in steps {
        now_ms += if let Step::Wait { hours } = step { hours * 3_600_000 } else { 50 };
        let command = command(&exchange, step);
        thorough.margin_checks = MarginChecks::default();
        let outcome = exchange.apply(command.clone(), now_ms);
        prop_assert_eq!(&outcome, &thorough.apply(command, now_ms));
        prop_assert_eq!(exchange.fingerprint(), thorough.fingerprint());
        prop_assert_eq!(exchange.take_events(), thorough.take_events());
        prop_assert_eq!(&exchange.repayments, &thorough.repayments);
        check(&exchange)?;
    }
    Ok(exchange)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_check_of_every_margin_account_liquidates_no_others(
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        run(&steps)?;
    }
}

/// The steps must lead to liquidations and to accounts that recover, or the property above shows nothing.
#[test]
fn random_steps_liquidate_margin_accounts() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 4_000).new_tree(&mut runner).expect("steps");
    let mut steps = steps.current();
    steps.retain(|step| {
        let Step::Request(_, request) = step else { return true };
        !matches!(**request, Request::Wallet(WalletRequest::Repay(_)))
    });
    let exchange = run(&steps).expect("the same");
    let open = exchange.loans.values().filter(|loan| !loan.owed.total().is_zero()).count();
    let (all, repaid) = (exchange.loans.len(), exchange.repayments().len());
    assert!(all > 100 && repaid > 20 && open > 0, "{all} {repaid} {open}");
}
