//! `api`, and arguments in any case.

use serde_json::Value;

use crate::common::{bitmart, sandbox, unlimited_sandbox};

#[test]
fn a_documented_request_is_sent_like_by_its_own_command() {
    let place = sandbox();
    for words in [
        &["GET", "/spot/quotation/v3/ticker", "symbol=BTC_USDT"][..],
        &["get", "/spot/quotation/v3/ticker", "symbol=btc_usdt"],
        &["GET", "/spot/quotation/v3/ticker?symbol=BTC_USDT"],
    ] {
        let response = bitmart(&place, &[&["api"], words].concat());
        assert_eq!(response.code, 0, "{words:?}: {}", response.err);
        let row: Value = serde_json::from_str(&response.out).expect("JSON");
        assert_eq!(row["symbol"], "BTC_USDT");
    }
    let kline = ["api", "GET", "/spot/quotation/v3/klines", "symbol=BTC_USDT", "limit=2"];
    let csv = bitmart(&place, &[&kline[..], &["-o", "csv"]].concat());
    assert_eq!(csv.out.lines().next(), Some("t,o,h,l,c,v,qv"), "{}", csv.err);
    let futures = bitmart(&place, &["api", "GET", "/contract/public/details", "symbol=BTCUSDT"]);
    assert!(futures.out.contains("BTCUSDT"), "{}", futures.err);
}

#[test]
fn a_request_with_an_effect_needs_a_confirmation() {
    let place = sandbox();
    let order = [
        "api",
        "POST",
        "/spot/v2/submit_order",
        "symbol=btc_usdt",
        "side=BUY",
        "type=limit",
        "size=0.01",
        "price=50000",
    ];
    let asked = bitmart(&place, &order);
    assert_eq!(asked.code, 9, "{}", asked.err);
    assert!(asked.err.contains("notional                500 USDT"), "{}", asked.err);
    let unknown = bitmart(&place, &["api", "POST", "/spot/v9/new", "a=1", "b:=[1,2]"]);
    assert_eq!(unknown.code, 9, "{}", unknown.err);
    assert!(unknown.err.contains("POST /spot/v9/new on sandbox"), "{}", unknown.err);
    let shown = bitmart(&place, &["api", "POST", "/spot/v9/new", "a=1", "b:=[1,2]", "--dry-run"]);
    assert!(shown.out.contains(r#"{"a":"1","b":[1,2]}"#), "{}", shown.out);
    assert_eq!(bitmart(&place, &["spot", "open-orders"]).out, "", "nothing was sent");
    let sent = bitmart(&place, &[&order[..], &["-y"]].concat());
    assert_eq!(sent.code, 0, "{}", sent.err);
    assert!(bitmart(&place, &["spot", "open-orders"]).out.contains("BTC_USDT"));
}

#[test]
fn a_withdrawal_is_checked_like_by_its_own_command() {
    let place = unlimited_sandbox();
    let apply = ["api", "POST", "/account/v1/withdraw/apply", "amount=100", "-y"];
    let address = "address=0x52908400098527886E0F7030069857D2E4169EE7";
    for (more, part) in [
        (&["currency=USDT", address][..], "USDT-TRC20, USDT-ERC20"),
        (&["currency=usdt", address], "USDT-TRC20, USDT-ERC20"),
        (&["Currency:=\"USDT\"", address], "USDT-TRC20, USDT-ERC20"),
        (&["currency=USDT-ERC20", "currency=USDT-TRC20", address], "given twice"),
    ] {
        let refused = bitmart(&place, &[&apply[..], more].concat());
        assert_eq!(refused.code, 2, "{more:?}: {}", refused.err);
        assert!(refused.err.contains(part), "{more:?}: {}", refused.err);
    }
    let query = "/account/v1/withdraw/apply?currency=USDT-TRC20";
    let refused = bitmart(&place, &["api", "POST", query, "amount=100", address, "-y"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    let history = bitmart(&place, &["account", "funding-history", "withdraw", "100"]);
    assert_eq!(history.out, "", "nothing was sent");
    let sent = bitmart(&place, &[&apply[..], &["currency=USDT-ERC20", address]].concat());
    assert_eq!(sent.code, 0, "{}", sent.err);
}

#[test]
fn an_undocumented_path_is_sent_and_its_rejection_reported() {
    let place = sandbox();
    let refused = bitmart(&place, &["api", "GET", "/spot/v9/nothing", "a=b"]);
    assert!(refused.code != 0 && refused.err.contains("30000"), "{}", refused.err);
    for words in
        [&["GET", "/system/time", "nothing"][..], &["GET", "/system/time", "=a"], &["PUT", "/"]]
    {
        assert_eq!(bitmart(&place, &[&["api"], words].concat()).code, 2, "{words:?}");
    }
}

#[test]
fn arguments_are_accepted_in_any_case() {
    let place = sandbox();
    let order = [
        "spot",
        "submit-order",
        "btc_usdt",
        "BUY",
        "Limit",
        "--size",
        "0.01",
        "--price",
        "50000",
        "-y",
    ];
    let placed = bitmart(&place, &order);
    assert_eq!(placed.code, 0, "{}", placed.err);
    let open = bitmart(&place, &["spot", "open-orders", "--symbol", "Btc_Usdt", "-o", "JSON"]);
    assert!(open.out.contains("50000"), "{}", open.err);
    let wallet = bitmart(&place, &["account", "wallet", "--currency", "btc"]);
    assert!(wallet.code == 0 && wallet.out.contains("BTC"), "{}", wallet.err);
    let contract = bitmart(&place, &["futures", "contracts", "--symbol", "btcusdt"]);
    assert!(contract.out.contains("BTCUSDT"), "{}", contract.err);
    for words in [
        &["chart", "btc_usdt"][..],
        &["watch", "TICKER", "btcusdt", "--count", "1"],
        &["watch", "klines", "btc_usdt", "--step", "1h", "--count", "1"],
    ] {
        let seen = bitmart(&place, words);
        assert_eq!(seen.code, 0, "{words:?}: {}", seen.err);
    }
    let wrong = bitmart(&place, &["watch", "klines", "btc_usdt", "--step", "1M"]);
    assert_eq!(wrong.code, 2, "a month is not a minute: {}", wrong.err);
}
