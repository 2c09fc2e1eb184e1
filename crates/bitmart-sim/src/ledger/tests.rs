//! What a ledger does with a posting, right or wrong.

use super::*;

fn ledger() -> (Ledger, WalletId, WalletId) {
    let mut ledger = Ledger::new();
    let usdt = ledger.open_wallet(&"USDT".into());
    let btc = ledger.open_wallet(&"BTC".into());
    ledger.draw(House::Grants, usdt.available(), Decimal::TEN);
    (ledger, usdt, btc)
}

/// What a wrong order of postings does shows where the money is missing, and the sum stays.
#[test]
fn a_fee_that_is_posted_twice_is_in_the_books_twice() {
    let (mut ledger, usdt, _) = ledger();
    for _ in 0..2 {
        ledger.pay(usdt.available(), House::Fees, Decimal::ONE);
    }
    assert_eq!(ledger.house("USDT", House::Fees), Decimal::TWO);
    assert_eq!(ledger.wallet(usdt).available, Decimal::from(8));
    assert_eq!(ledger.sums()["USDT"], Decimal::ZERO);
}

#[test]
fn a_wallet_that_is_read_is_a_copy() {
    let (ledger, usdt, _) = ledger();
    let mut wallet = ledger.wallet(usdt);
    wallet.available += Decimal::ONE;
    assert_eq!(ledger.wallet(usdt).available, Decimal::TEN);
    assert_eq!(wallet.total(), Decimal::from(11));
}

#[test]
fn money_is_frozen_up_to_what_is_free_and_can_be_released() {
    let (mut ledger, usdt, _) = ledger();
    assert!(!ledger.freeze(usdt, Decimal::from(11)));
    assert!(ledger.freeze(usdt, Decimal::from(10)));
    let all = Wallet { available: Decimal::ZERO, frozen: Decimal::TEN };
    assert_eq!(ledger.wallet(usdt), all);
    ledger.release(usdt, Decimal::ONE);
    assert_eq!(ledger.wallet(usdt).available, Decimal::ONE);
}

#[test]
fn a_posting_to_the_same_place_moves_nothing() {
    let (mut ledger, usdt, _) = ledger();
    ledger.post(usdt.available(), usdt.available(), Decimal::ONE);
    assert_eq!(ledger.wallet(usdt).available, Decimal::TEN);
}

/// In a build without debug assertions as well.
#[test]
#[should_panic(expected = "two places of one currency")]
fn a_posting_between_currencies_cannot_be_missed() {
    let (mut ledger, usdt, btc) = ledger();
    ledger.post(usdt.available(), btc.available(), Decimal::ONE);
}

#[test]
#[should_panic(expected = "two places of one currency")]
fn a_posting_to_a_place_that_is_not_there_cannot_be_missed() {
    let (mut ledger, usdt, _) = ledger();
    ledger.post(usdt.available(), Place(1_000), Decimal::ONE);
}

#[test]
fn every_currency_has_its_own_books() {
    let (mut ledger, usdt, btc) = ledger();
    ledger.pay(usdt.available(), House::Fees, Decimal::ONE);
    ledger.draw(House::Interest, btc.frozen(), Decimal::TWO);
    ledger.post_house(&"BTC".into(), House::Insurance, House::Loans, Decimal::ONE);
    let rows: Vec<_> = ledger.house_books().map(|row| (row.0.as_str(), row.1, row.2)).collect();
    let expected = [
        ("USDT", House::Grants, -Decimal::TEN),
        ("USDT", House::Fees, Decimal::ONE),
        ("BTC", House::Interest, -Decimal::TWO),
        ("BTC", House::Loans, Decimal::ONE),
        ("BTC", House::Insurance, -Decimal::ONE),
    ];
    assert_eq!(rows, expected);
    assert!(ledger.sums().values().all(Decimal::is_zero));
}
