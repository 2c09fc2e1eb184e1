//! Withdrawals: preview, risks and confirmation.

use bitmart::dec;
use bitmart::sandbox::{Fault, NetworkTerms, OpenPayments, WithdrawAddress};

use crate::common::terminal::Session;
use crate::common::{Place, bitmart, unlimited_sandbox};

const EVM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const TRON: &str = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf";
const RIPPLE: &str = "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh";

fn withdrawal<'a>(currency: &'a str, amount: &'a str, address: &'a str) -> Vec<&'a str> {
    vec!["account", "withdraw", currency, amount, "--address", address]
}

fn sent(place: &Place) -> usize {
    let history = bitmart(place, &["account", "funding-history", "withdraw", "100"]);
    assert_eq!(history.code, 0, "{}", history.err);
    history.out.lines().count()
}

#[test]
fn prints_fee_net_amount_network_minimum_and_quota_before_sending() {
    let place = unlimited_sandbox();
    let terms = NetworkTerms::new().fee(dec!(1.5)).minimum(dec!(10)).decimals(2);
    place.sandbox.set_network("USDT-TRC20", terms).expect("a network");
    let saved = WithdrawAddress::new(TRON).currency("USDT").network("TRC20").remark("cold");
    place.sandbox.save_address(1, saved).expect("an account");
    let asked = bitmart(&place, &withdrawal("USDT-TRC20", "100", TRON));
    assert_eq!(asked.code, 9, "nobody can confirm: {}", asked.err);
    for line in [
        "network                 TRC20: withdrawals are open",
        "fee                     1.5 USDT",
        "arrives                 98.5 USDT",
        "minimum                 10 USDT",
        "available               100000 USDT on spot, 0 in funding -> 99900 left",
        "BTC left today, this is about 0.00",
        "address                 saved as \"cold\", verified",
    ] {
        assert!(asked.err.contains(line), "{line:?} is missing: {}", asked.err);
    }
    let open = OpenPayments { deposits: true, withdrawals: false };
    place.sandbox.set_currency_open("USDT-TRC20", open).expect("a currency");
    let wrong = bitmart(&place, &withdrawal("USDT-TRC20", "200000.123", TRON));
    for part in ["withdrawals are CLOSED", "NOT ENOUGH", "amount has more than 2 decimals"] {
        assert!(wrong.err.contains(part), "{part:?} is missing: {}", wrong.err);
    }
    assert_eq!(sent(&place), 0);
    // The exchange itself rejects it.
    let refused = [&withdrawal("USDT-TRC20", "100", TRON)[..], &["-y"]].concat();
    let refused = bitmart(&place, &refused);
    assert!(refused.code == 4 && refused.err.contains("60056"), "{}", refused.err);
}

#[test]
fn reports_every_failed_query_of_the_preview() {
    let place = unlimited_sandbox();
    // Every query fails, except those that choose the network and send.
    for path in [
        "/account/v1/withdraw/charge",
        "/account/v1/wallet",
        "/account/v1/withdraw/address/list",
        "/account/v1/deposit/address",
    ] {
        place.sandbox.inject(Fault::Maintenance.on(path));
    }
    let asked = bitmart(&place, &withdrawal("XRP", "100", RIPPLE));
    assert_eq!(asked.code, 9, "{}", asked.err);
    for name in ["quota", "available", "saved addresses", "deposit address"] {
        let line = format!("{name:<24}query failed: ");
        assert!(asked.err.contains(&line), "{line:?} is missing: {}", asked.err);
    }
    place.sandbox.clear_faults();
    place.sandbox.inject(Fault::Maintenance.on("/spot/quotation/v3/ticker"));
    let asked = bitmart(&place, &withdrawal("XRP", "100", RIPPLE));
    assert!(asked.err.contains("last price              query failed: "), "{}", asked.err);
    assert!(asked.err.contains("the value of this in BTC is unknown"), "{}", asked.err);
}

#[test]
fn a_dry_run_shows_the_code_of_the_chosen_network() {
    let place = unlimited_sandbox();
    let bare = [&withdrawal("USDT", "100", EVM)[..], &["--dry-run"]].concat();
    let outcome = bitmart(&place, &bare);
    assert_eq!(outcome.code, 2, "no network is chosen: {}", outcome.out);
    assert!(outcome.err.contains("USDT-TRC20, USDT-ERC20"), "{}", outcome.err);
    let mut session = Session::start_sized(&place, 40, 200, &bare);
    session.wait_for("which one is the address on?");
    session.answer("erc20");
    session.wait_for("\"currency\":\"USDT-ERC20\"");
    assert_eq!(session.end(), 0);
    assert_eq!(sent(&place), 0);
}

#[test]
fn a_currency_with_several_networks_needs_a_network() {
    let place = unlimited_sandbox();
    let bare = [&withdrawal("USDT", "100", EVM)[..], &["--yes"]].concat();
    let bare = bitmart(&place, &bare);
    assert_eq!(bare.code, 2, "{}", bare.err);
    assert!(bare.err.contains("USDT-TRC20, USDT-ERC20"), "{}", bare.err);
    assert_eq!(sent(&place), 0);
    // A currency with one network, and a transfer within the exchange, do not.
    let bitcoin = withdrawal("BTC", "0.1", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2");
    let bitcoin = bitmart(&place, &[&bitcoin[..], &["-y"]].concat());
    assert_eq!(bitcoin.code, 0, "{}", bitcoin.err);
    let inside = ["account", "withdraw", "USDT", "5", "--type", "1", "--value", "2", "-y"];
    let inside = bitmart(&place, &inside);
    assert_eq!(inside.code, 0, "{}", inside.err);
}

#[test]
fn risks_are_not_covered_by_yes() {
    let place = unlimited_sandbox();
    let terms = NetworkTerms::new().needs_memo();
    place.sandbox.set_network("ATOM", terms).expect("a network");
    for (words, part) in [
        (withdrawal("USDT-TRC20", "100", EVM), "does not have the format of TRC20"),
        (withdrawal("USDT-ERC20", "100", TRON), "does not have the format of ERC20"),
        (
            withdrawal("XRP", "100", RIPPLE),
            "deposits to an exchange on XRP usually need a memo or tag",
        ),
        (withdrawal("ATOM", "10", "cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"), "memo"),
    ] {
        let risky = bitmart(&place, &[&words[..], &["--yes"]].concat());
        assert_eq!(risky.code, 9, "{words:?}: {}", risky.err);
        assert!(risky.err.contains(part) && risky.err.contains("--sure"), "{}", risky.err);
    }
    assert_eq!(sent(&place), 0);
    let sure = [&withdrawal("USDT-TRC20", "100", EVM)[..], &["--yes", "--sure"]].concat();
    assert_eq!(bitmart(&place, &sure).code, 0);
    let memo = [&withdrawal("XRP", "100", RIPPLE)[..], &["--address-memo", "7", "-y"]].concat();
    assert_eq!(bitmart(&place, &memo).code, 0);
    assert_eq!(sent(&place), 2);
}

#[test]
fn another_memo_than_the_saved_one_is_a_risk() {
    let place = unlimited_sandbox();
    let saved = WithdrawAddress::new(RIPPLE).currency("XRP").network("XRP").memo("5");
    place.sandbox.save_address(1, saved).expect("an account");
    let other = [&withdrawal("XRP", "100", RIPPLE)[..], &["--address-memo", "6", "-y"]].concat();
    let other = bitmart(&place, &other);
    assert!(other.code == 9 && other.err.contains("another memo"), "{}", other.err);
    let right = [&withdrawal("XRP", "100", RIPPLE)[..], &["--address-memo", "5", "-y"]].concat();
    assert_eq!(bitmart(&place, &right).code, 0);
}

#[test]
fn at_a_terminal_the_network_is_selected_and_the_amount_retyped() {
    let place = unlimited_sandbox();
    let mut session = Session::start(&place, &withdrawal("USDT", "100", EVM));
    session.wait_for("which one is the address on?");
    session.answer("erc20");
    session.wait_for("type the amount again");
    session.answer("1000");
    assert_eq!(session.end(), 9);
    assert_eq!(sent(&place), 0);

    let mut session = Session::start(&place, &withdrawal("USDT", "100", EVM));
    session.wait_for("which one is the address on?");
    session.answer("USDT-TRC20");
    session.wait_for("RISK");
    session.wait_for("type the word sure");
    session.answer("yes");
    assert_eq!(session.end(), 9, "yes is not sure");

    let mut session = Session::start(&place, &withdrawal("USDT", "100", EVM));
    session.wait_for("which one is the address on?");
    session.answer("USDT-ERC20");
    session.wait_for("type the amount again");
    session.answer("100");
    assert_eq!(session.end(), 0);
    assert_eq!(sent(&place), 1);
}
