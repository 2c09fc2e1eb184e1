//! Exit codes, standard output and standard error of commands.

use crate::common::{LIMIT_ORDER, Outcome, bitmart, sandbox, with_yes};

#[test]
fn rows_are_written_to_standard_output_and_messages_to_standard_error() {
    let place = sandbox();
    let ticker = bitmart(&place, &["spot", "ticker", "BTC_USDT"]);
    assert_eq!(ticker.code, 0, "{}", ticker.err);
    assert_eq!(ticker.out.lines().count(), 1, "one row per line into a pipe: {}", ticker.out);
    let row: serde_json::Value = serde_json::from_str(&ticker.out).expect("the line is JSON");
    assert_eq!(row["symbol"], "BTC_USDT");

    let rejected = bitmart(&place, &["spot", "ticker", "NO_SUCH"]);
    assert_eq!((rejected.code, rejected.out.as_str()), (4, ""), "{}", rejected.err);
    assert!(rejected.err.contains("70002"), "{}", rejected.err);
}

#[test]
fn rows_that_are_lists_have_documented_column_names() {
    let place = sandbox();
    let csv = bitmart(&place, &["spot", "klines", "BTC_USDT", "-o", "csv", "--limit", "2"]);
    let mut lines = csv.out.lines();
    assert_eq!(lines.next(), Some("t,o,h,l,c,v,qv"), "{}", csv.err);
    assert_eq!(lines.count(), 2);
    let table = bitmart(&place, &["spot", "klines", "BTC_USDT", "-o", "table", "--limit", "2"]);
    let is_time = |word: &str| word.len() == 24 && word.ends_with('Z');
    assert!(table.out.split_whitespace().any(is_time), "formatted times: {}", table.out);
}

#[test]
fn an_order_is_previewed_and_sent_only_when_confirmed() {
    let place = sandbox();
    let asked = bitmart(&place, &LIMIT_ORDER);
    assert_eq!(asked.code, 9, "nobody can confirm: {}", asked.err);
    assert!(asked.err.contains("notional                500 USDT"), "{}", asked.err);
    let open = ["spot", "open-orders", "--symbol", "BTC_USDT"];
    assert_eq!(bitmart(&place, &open).out, "", "nothing was sent");

    let sent = bitmart(&place, &with_yes(&LIMIT_ORDER));
    assert_eq!(sent.code, 0, "{}", sent.err);
    let listed = bitmart(&place, &open);
    let id =
        serde_json::from_str::<serde_json::Value>(&sent.out).expect("JSON")["order_id"].clone();
    assert!(listed.out.contains(id.as_str().expect("a text")), "{}", listed.out);
}

#[test]
fn a_dry_run_sends_nothing_and_prints_no_secret() {
    let place = sandbox();
    let run = ["spot", "submit-order", "BTC_USDT", "sell", "market", "--size", "0.01", "--dry-run"];
    let Outcome { code, out, err } = bitmart(&place, &run);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(r#""size":"0.01""#) && out.contains("x-bm-sign: (hidden)"), "{out}");
    for secret in [&place.key, &place.secret] {
        assert!(!out.contains(secret.as_str()) && !err.contains(secret.as_str()));
    }
    assert_eq!(bitmart(&place, &["spot", "fills"]).out, "", "nothing was sold");
}

#[test]
fn the_outcome_of_an_order_with_a_lost_response_is_queried() {
    let place = sandbox();
    place.lose_next_response("/spot/v2/submit_order");
    let lost = bitmart(&place, &with_yes(&LIMIT_ORDER));
    assert!(lost.err.contains("the order was placed"), "{}", lost.err);
    assert!(lost.err.contains("do not send it again"), "{}", lost.err);
    assert_eq!(lost.code, 11, "with 4, rejected, a script would order again");
}

#[test]
fn invalid_arguments_are_rejected_before_anything_is_sent() {
    let place = sandbox();
    for (words, part) in [
        (&["spot", "submit-order", "BTC_USDT", "buy", "limit", "--size", "1", "-y"][..], "price"),
        (&["spot", "submit-order", "BTC_USDT", "bye", "limit"], "bye"),
        (&["spot", "klines", "BTC_USDT", "--limit", "500"], "limit"),
        (&["spot", "klines", "BTC_USDT", "--after", "yesterday"], "after"),
        (&["spot", "nothing"], "nothing"),
    ] {
        let wrong = bitmart(&place, words);
        assert_eq!(wrong.code, 2, "{words:?}: {}", wrong.err);
        assert!(wrong.err.contains(part), "{words:?}: {}", wrong.err);
    }
}

#[test]
fn error_codes_are_explained_offline() {
    let place = sandbox();
    let known = bitmart(&place, &["explain-error", "30005"]);
    assert!(known.out.contains("memo"), "{}", known.out);
    assert_eq!(bitmart(&place, &["explain-error", "12345"]).code, 2);
}
