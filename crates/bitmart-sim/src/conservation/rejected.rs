//! Rejected commands change nothing, and the same commands give the same state, whether they were accepted or not.

use proptest::prelude::*;

use super::{
    cases,
    steps::{self, START_MS, run_with, start},
};
use crate::{
    AccountId, Command, Exchange, FuturesRequest, OperatorCommand, Request, WalletRequest,
    account::WalletKind,
    operator::{LeverageBracket, NetworkTerms, Operation, WithdrawAddress},
    savings::Renewal,
};

/// Something that is likely to be rejected, or what lets others be rejected.
#[derive(Debug, Clone)]
enum Step {
    Usual(steps::Step),
    /// As the account of another customer, one that is not there, or the house.
    As(u32, steps::Step),
    Freeze(bool),
    SaveAddress(&'static str),
    Countdown(u64),
    Renewal(u64),
    Automatic(u32),
    SetBalance(&'static str),
    SetNetwork(u32),
    SetBrackets(u32),
    Deposit(&'static str),
}

fn step() -> impl Strategy<Value = (u32, Step)> {
    let usual = || steps::step().prop_map(|(_, step)| step);
    let step = prop_oneof![
        30 => usual().prop_map(Step::Usual),
        1 => (prop_oneof![Just(9), Just(crate::MAKER.0)], usual()).prop_map(|(id, step)| Step::As(id, step)),
        2 => prop_oneof![1 => Just(true), 4 => Just(false)].prop_map(Step::Freeze),
        1 => prop_oneof![Just(""), Just("T1")].prop_map(Step::SaveAddress),
        1 => (0..9_u64).prop_map(Step::Countdown),
        1 => (0..20_u64).prop_map(Step::Renewal),
        1 => (995..1_005_u32).prop_map(Step::Automatic),
        1 => prop_oneof![Just("USDT"), Just("DOGE")].prop_map(Step::SetBalance),
        1 => (0..2_u32).prop_map(Step::SetNetwork),
        1 => (0..60_u32).prop_map(Step::SetBrackets),
        1 => prop_oneof![Just("BTC"), Just("DOGE")].prop_map(Step::Deposit),
    ];
    (1..5_u32, step)
}

/// The command of a step that is none of the usual ones.
fn command(account: u32, step: &Step) -> Command {
    let id = AccountId(account);
    let operator = match *step {
        Step::Usual(_) | Step::As(..) => return Command::Wait,
        Step::Freeze(frozen) => OperatorCommand::Operate(Operation::Freeze { account, frozen }),
        Step::SaveAddress(address) => OperatorCommand::Operate(Operation::SaveAddress {
            account,
            address: WithdrawAddress::new(address),
        }),
        Step::SetNetwork(step) => OperatorCommand::Operate(Operation::SetNetwork {
            currency: "USDT".to_owned(),
            terms: NetworkTerms::new().multiple_of(step),
        }),
        Step::SetBrackets(leverage) => OperatorCommand::Operate(Operation::SetBrackets {
            symbol: "BTCUSDT".to_owned(),
            brackets: vec![LeverageBracket::new(
                leverage,
                25_000_000.into(),
                rust_decimal::Decimal::new(2, 2),
            )],
        }),
        Step::SetBalance(currency) => OperatorCommand::SetBalance {
            account: id,
            wallet: WalletKind::Futures,
            currency: currency.into(),
            amount: 3_000.into(),
        },
        Step::Deposit(currency) => {
            OperatorCommand::Deposit { account: id, currency: currency.into(), amount: 1.into() }
        }
        Step::Countdown(seconds) => {
            let symbol = "BTCUSDT".into();
            return customer(id, FuturesRequest::CancelAllAfter { symbol, seconds: Some(seconds) });
        }
        Step::Renewal(saving) => {
            let renewal = Renewal::Flexible;
            return customer(id, WalletRequest::SetRenewal { id: saving, renewal });
        }
        Step::Automatic(product) => {
            let product = Some(product);
            return customer(id, WalletRequest::SetAutomaticSaving { product, on: true });
        }
    };
    Command::Operator(operator)
}

fn customer(account: AccountId, request: impl Into<Request>) -> Command {
    Command::Customer { account, request: request.into() }
}

/// Applies the commands of steps one after another.
fn act(
    exchange: &mut Exchange,
    steps: &[(u32, Step)],
    mut apply: impl FnMut(&mut Exchange, Command, u64),
) {
    let mut now_ms = START_MS;
    for (account, step) in steps {
        match step {
            Step::Usual(step) => run_with(exchange, *account, step, &mut now_ms, &mut apply),
            Step::As(other, step) => {
                let mut as_other = |exchange: &mut Exchange, command: Command, now_ms| {
                    let command = match command {
                        Command::Customer { request, .. } => customer(AccountId(*other), request),
                        other => other,
                    };
                    apply(exchange, command, now_ms);
                };
                run_with(exchange, *account, step, &mut now_ms, &mut as_other);
            }
            step => {
                now_ms += 50;
                apply(exchange, command(*account, step), now_ms);
            }
        }
        exchange.take_events();
    }
}

/// The content of an exchange without its candles, which are many: no command changes them without an order or trade
/// that has a number. Sorted, because hash maps have no order.
fn state(exchange: &Exchange) -> Vec<String> {
    let mut exchange = exchange.clone();
    for market in exchange.spot.values_mut() {
        market.tape = crate::tape::Tape::default();
    }
    for market in exchange.futures.values_mut() {
        (market.tape, market.mark.tape) = Default::default();
    }
    exchange.events.clear();
    let text = format!("{exchange:?}");
    // Without brackets, which belong to whatever comes first or last.
    let parts = text.split(|c: char| ",{}[]()".contains(c)).map(str::trim);
    let mut parts: Vec<_> = parts.filter(|part| !part.is_empty()).map(str::to_owned).collect();
    parts.sort_unstable();
    parts
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_rejected_command_changes_no_more_than_the_time_that_passed(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let mut exchange = start(seed);
        let mut differing = None;
        act(&mut exchange, &steps, |exchange, command, now_ms| {
            let mut waited = exchange.clone();
            let Err(reject) = exchange.apply(command.clone(), now_ms) else { return };
            waited.apply(Command::Wait, now_ms).expect("waits");
            let same = state(exchange) == state(&waited) && exchange.events.as_slice() == waited.events.as_slice();
            if !same && differing.is_none() {
                differing = Some(format!("{reject:?} of {command:?}"));
            }
        });
        prop_assert_eq!(differing, None);
    }

    #[test]
    fn stored_commands_give_the_same_state_when_many_of_them_are_rejected(
        seed in any::<u64>(),
        steps in proptest::collection::vec(step(), 1..200),
    ) {
        let (mut exchange, mut journal) = (start(seed), Vec::new());
        act(&mut exchange, &steps, |exchange, command, now_ms| {
            journal.push((command.clone(), now_ms));
            let _ = exchange.apply(command, now_ms);
        });
        let mut again = start(seed);
        for (command, now_ms) in journal {
            let _ = again.apply(command, now_ms);
            again.take_events();
        }
        prop_assert_eq!(state(&exchange), state(&again));
    }
}

/// The steps must be rejected for many reasons, or the properties above show nothing.
#[test]
fn the_steps_are_rejected_for_many_reasons() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 8_000).new_tree(&mut runner).expect("steps");
    let mut reasons = std::collections::BTreeSet::new();
    let (mut rejected, mut all) = (0, 0);
    act(&mut start(1), &steps.current(), |exchange, command, now_ms| {
        let result = exchange.apply(command, now_ms);
        all += 1;
        if let Err(reject) = result {
            rejected += 1;
            let name = format!("{reject:?}");
            reasons.insert(name.split([' ', '(']).next().unwrap_or_default().to_owned());
        }
    });
    assert!(reasons.len() > 25 && rejected * 4 > all, "{rejected} of {all}: {reasons:?}");
}
