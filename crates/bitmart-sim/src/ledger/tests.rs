//! Postings, correct and incorrect ones.

use super::*;

fn ledger() -> (Ledger, WalletId, WalletId) {
    let mut ledger = Ledger::new();
    let usdt = ledger.open_wallet(&"USDT".into());
    let btc = ledger.open_wallet(&"BTC".into());
    ledger.pay_from_house(HouseBook::Grants, usdt.available(), Decimal::TEN);
    (ledger, usdt, btc)
}

/// A wrong posting shows in the book that it was made to; the sum of all balances stays zero.
#[test]
fn a_fee_that_is_posted_twice_is_in_the_books_twice() {
    let (mut ledger, usdt, _) = ledger();
    for _ in 0..2 {
        ledger.pay_house(usdt.available(), HouseBook::Fees, Decimal::ONE);
    }
    assert_eq!(ledger.book("USDT", HouseBook::Fees), Decimal::TWO);
    assert_eq!(ledger.wallet(usdt).available, Decimal::from(8));
    assert_eq!(ledger.sums()["USDT"], Decimal::ZERO);
}

#[test]
fn changing_a_returned_wallet_does_not_change_the_ledger() {
    let (ledger, usdt, _) = ledger();
    let mut wallet = ledger.wallet(usdt);
    wallet.available += Decimal::ONE;
    assert_eq!(ledger.wallet(usdt).available, Decimal::TEN);
    assert_eq!(wallet.total(), Decimal::from(11));
}

#[test]
fn at_most_the_available_balance_can_be_frozen_and_released() {
    let (mut ledger, usdt, _) = ledger();
    assert!(!ledger.freeze(usdt, Decimal::from(11)));
    assert!(ledger.freeze(usdt, Decimal::from(10)));
    let all = Wallet { available: Decimal::ZERO, frozen: Decimal::TEN };
    assert_eq!(ledger.wallet(usdt), all);
    ledger.release(usdt, Decimal::ONE);
    assert_eq!(ledger.wallet(usdt).available, Decimal::ONE);
}

#[test]
fn a_posting_to_the_same_balance_changes_nothing() {
    let (mut ledger, usdt, _) = ledger();
    ledger.post(usdt.available(), usdt.available(), Decimal::ONE);
    assert_eq!(ledger.wallet(usdt).available, Decimal::TEN);
}

/// In a build without debug assertions as well.
#[test]
#[should_panic(expected = "two balances of one currency")]
fn a_posting_between_currencies_cannot_be_missed() {
    let (mut ledger, usdt, btc) = ledger();
    ledger.post(usdt.available(), btc.available(), Decimal::ONE);
}

#[test]
#[should_panic(expected = "two balances of one currency")]
fn a_posting_to_a_place_that_is_not_there_cannot_be_missed() {
    let (mut ledger, usdt, _) = ledger();
    ledger.post(usdt.available(), BalanceId(1_000), Decimal::ONE);
}

#[test]
fn every_currency_has_its_own_books() {
    let (mut ledger, usdt, btc) = ledger();
    ledger.pay_house(usdt.available(), HouseBook::Fees, Decimal::ONE);
    ledger.pay_from_house(HouseBook::Interest, btc.frozen(), Decimal::TWO);
    ledger.post_between_books(&"BTC".into(), HouseBook::Insurance, HouseBook::Loans, Decimal::ONE);
    let rows: Vec<_> = ledger.books().map(|row| (row.0.as_str(), row.1, row.2)).collect();
    let expected = [
        ("USDT", HouseBook::Grants, -Decimal::TEN),
        ("USDT", HouseBook::Fees, Decimal::ONE),
        ("BTC", HouseBook::Interest, -Decimal::TWO),
        ("BTC", HouseBook::Loans, Decimal::ONE),
        ("BTC", HouseBook::Insurance, -Decimal::ONE),
    ];
    assert_eq!(rows, expected);
    assert!(ledger.sums().values().all(Decimal::is_zero));
}

/// An amount that a balance has no digits for stays with the payer, so that no posting creates or destroys money.
#[test]
fn a_posting_is_exact_on_both_sides() {
    let smallest = Decimal::new(1, 28);
    let amounts = [smallest, Decimal::new(123, 20), Decimal::new(15, 1), Decimal::MAX];
    for held in [Decimal::from(10_u64.pow(17)), Decimal::MAX, Decimal::new(1, 19)] {
        for amount in amounts.into_iter().flat_map(|amount| [amount, -amount]) {
            let mut ledger = Ledger::new();
            let wallet = ledger.open_wallet(&"USDT".into());
            ledger.post(wallet.frozen(), wallet.available(), held);
            ledger.post(wallet.frozen(), wallet.available(), amount);
            let Wallet { available, frozen } = ledger.wallet(wallet);
            assert_eq!(available, -frozen, "{held} {amount}");
        }
    }
}

#[test]
fn a_negative_amount_cannot_be_frozen() {
    let (mut ledger, usdt, _) = ledger();
    assert!(!ledger.freeze(usdt, -Decimal::ONE));
    assert_eq!(ledger.wallet(usdt).available, Decimal::TEN);
}

#[test]
fn a_book_pays_at_most_the_limit() {
    let (mut ledger, usdt, _) = ledger();
    assert!(ledger.can_issue("USDT", HouseBook::Deposits, MAX_ISSUED));
    ledger.pay_from_house(HouseBook::Deposits, usdt.available(), Decimal::ONE);
    assert!(!ledger.can_issue("USDT", HouseBook::Deposits, MAX_ISSUED));
    assert!(!ledger.can_issue("USDT", HouseBook::Deposits, Decimal::MAX));
}

#[test]
fn an_empty_balance_has_no_sign() {
    for amount in [Decimal::ONE, Decimal::NEGATIVE_ONE] {
        let sum = exact_sum(amount, -amount).expect("a sum");
        assert_eq!(sum.to_string(), "0");
    }
}
