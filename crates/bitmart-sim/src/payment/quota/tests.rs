//! Which withdrawals count towards the quota.

use super::*;
use crate::{
    Command, OperatorCommand, WalletRequest,
    account::WalletKind,
    control::MAX_BALANCE,
    ledger::MAX_ISSUED,
    payment::NewWithdrawal,
    tape::Candle,
    tests::{START_MS, quiet},
};

const OWNER: AccountId = AccountId(1);

/// The quota is in BTC, so that 40 BTC leave 60 of 100 at any price.
#[test]
fn a_deposit_that_fails_leaves_the_withdrawals_of_its_minute_counted() {
    let mut exchange = quiet();
    let operate = |exchange: &mut Exchange, command| {
        exchange.apply(Command::Operator(command), START_MS).expect("accepted");
    };
    let candle = Candle::flat(START_MS, Decimal::from(60_000));
    operate(&mut exchange, OperatorCommand::RecordCandle { symbol: "BTC_USDT".into(), candle });
    let (wallet, amount) = (WalletKind::Spot, Decimal::from(40));
    let currency = || SmolStr::from("BTC");
    operate(
        &mut exchange,
        OperatorCommand::SetBalance { account: OWNER, wallet, currency: currency(), amount },
    );
    let withdrawal = NewWithdrawal {
        currency: currency(),
        amount,
        address: "T1".to_owned(),
        address_memo: String::new(),
        source: Some(wallet),
        payee: None,
    };
    let request = WalletRequest::Withdraw(withdrawal).into();
    let withdraw = Command::Customer { account: OWNER, request };
    exchange.apply(withdraw, START_MS).expect("accepted");
    // The books have room for all of these deposits but the last one.
    for _ in 0..=i64::try_from(MAX_ISSUED / MAX_BALANCE).expect("whole") {
        let (currency, amount) = (currency(), MAX_BALANCE);
        operate(&mut exchange, OperatorCommand::Deposit { account: OWNER, currency, amount });
    }
    let done_ms = START_MS + MINUTE_MS;
    exchange.apply(Command::Wait, done_ms).expect("waits");
    let failed = exchange.payments.values().filter(|row| row.state == PaymentState::Failed);
    assert_eq!(failed.map(|row| row.deposit).collect::<Vec<_>>(), [true]);
    assert_eq!(exchange.withdraw_quota_btc(OWNER, done_ms), Decimal::from(60));
}
