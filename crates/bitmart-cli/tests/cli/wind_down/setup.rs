//! An account with every kind of asset.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitmart::sandbox::{Config, NetworkTerms, SpotPair, WithdrawAddress};
use bitmart::{Decimal, dec};
use serde_json::Value;

use crate::common::{Outcome, Place, bitmart, sandbox_of};

pub(super) const TRON: &str = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf";

pub(super) const BITCOIN: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

/// A sandbox with a stepped clock, 1,000 USDT and 0.5 BTC on spot and 500 USDT in futures.
pub(super) fn place() -> Place {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    let now = u64::try_from(now.as_millis()).expect("a time");
    let pairs = [
        SpotPair::new("BTC", "USDT", 2, 5, dec!(60000)),
        SpotPair::new("ETH", "USDT", 2, 4, dec!(3000)),
    ];
    // By default the account has a balance of every coin.
    let others = [
        "SOL", "XRP", "BMX", "BNB", "DOGE", "ADA", "TRX", "AVAX", "LINK", "DOT", "LTC", "BCH",
        "UNI", "ATOM", "NEAR", "APT", "ARB", "SHIB",
    ];
    let config = others
        .into_iter()
        .fold(Config::new(), |config, coin| config.spot_balance(coin, Decimal::ZERO))
        .seed(7)
        .stepped_clock(now)
        .rate_limits(false)
        .pairs(pairs)
        .spot_balance("USDT", dec!(1000))
        .spot_balance("BTC", dec!(0.5))
        .spot_balance("ETH", dec!(0.00001))
        .futures_balance("USDT", dec!(500));
    let place = sandbox_of(config);
    let sandbox = &place.sandbox;
    sandbox
        .set_network("USDT-TRC20", NetworkTerms::new().fee(dec!(1)).minimum(dec!(10)).decimals(6))
        .expect("a network");
    sandbox.set_network("USDT-ERC20", NetworkTerms::new().fee(dec!(5))).expect("a network");
    let tron = WithdrawAddress::new(TRON).currency("USDT").network("TRC20").remark("wallet");
    sandbox.save_address(1, tron).expect("an account");
    let bitcoin = WithdrawAddress::new(BITCOIN).currency("BTC").network("BTC");
    sandbox.save_address(1, bitcoin).expect("an account");
    sandbox.step_market(5);
    place
}

/// Advances the clock of the sandbox to that of the machine, with which requests are signed.
pub(super) fn catch_up(place: &Place) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    place.sandbox.advance(now.saturating_sub(Duration::from_millis(place.sandbox.now_ms())));
}

pub(super) fn run(place: &Place, words: &[&str]) -> Outcome {
    let outcome = bitmart(place, words);
    assert_eq!(outcome.code, 0, "{words:?}: {}", outcome.err);
    outcome
}

pub(super) fn change(place: &Place, words: &[&str]) {
    catch_up(place);
    run(place, &[words, &["-y"]].concat());
}

/// Creates orders, positions, loans, savings and balances in every wallet.
pub(super) fn fill(place: &Place) {
    let order = |side, price| {
        ["spot", "submit-order", "BTC_USDT", side, "limit", "--size", "0.001", "--price", price]
    };
    change(place, &order("buy", "50000"));
    change(place, &order("sell", "90000"));
    let leverage = ["--leverage", "10", "--open-type", "cross"];
    let futures = ["futures", "submit-order", "BTCUSDT", "1", "5", "--type", "market"];
    change(place, &[&futures[..], &leverage].concat());
    let futures =
        ["futures", "submit-order", "BTCUSDT", "1", "1", "--type", "limit", "--price", "50000"];
    change(place, &[&futures[..], &leverage].concat());
    place.sandbox.step_market(2);
    change(
        place,
        &[
            "futures",
            "submit-plan-order",
            "BTCUSDT",
            "1",
            "10",
            "cross",
            "1",
            "50000",
            "2",
            "1",
            "--type",
            "market",
        ],
    );
    change(
        place,
        &[
            "spot",
            "submit-algo-order",
            "BTC_USDT",
            "sell",
            "trigger",
            "--trigger-price",
            "90000",
            "--trigger-type",
            "market",
            "--size",
            "0.001",
        ],
    );
    change(place, &["margin", "transfer", "BTC_USDT", "USDT", "50", "in"]);
    change(place, &["margin", "borrow", "BTC_USDT", "USDT", "20"]);
    change(place, &["margin", "transfer", "BTC_USDT", "BTC", "0.01", "in"]);
    let products = run(place, &["earn", "flexible-products", "1", "100", "--coin-name", "USDT"]);
    let fixed = run(place, &["earn", "fixed-products", "1", "100", "--coin-name", "USDT"]);
    let product = |outcome: &Outcome| {
        let row: Value =
            serde_json::from_str(outcome.out.lines().next().expect("a product")).expect("JSON");
        row["productId"].as_str().expect("a text").to_owned()
    };
    let number = "12345678901234567890";
    change(place, &["earn", "subscribe-flexible", &product(&products), "40", number]);
    let number = "12345678901234567891";
    change(place, &["earn", "subscribe-fixed", &product(&fixed), "30", number, "OFF"]);
    change(place, &["earn", "set-auto-saving", "open"]);
    change(place, &["account", "transfer", "USDT", "25", "spot_to_fund"]);
    let to_sub = ["sub-accounts", "transfer-main-to-sub"];
    let name = sub_account(place);
    change(place, &[&to_sub[..], &["spot1", "35", "USDT", &name]].concat());
    let to_sub = ["futures-sub-accounts", "transfer-main-to-sub"];
    change(place, &[&to_sub[..], &["futures1", "15", "USDT", &name]].concat());
}

pub(super) fn sub_account(place: &Place) -> String {
    let list = run(place, &["sub-accounts", "list"]);
    let row: Value =
        serde_json::from_str(list.out.lines().next().expect("a sub-account")).expect("JSON");
    row["accountName"].as_str().expect("a text").to_owned()
}
