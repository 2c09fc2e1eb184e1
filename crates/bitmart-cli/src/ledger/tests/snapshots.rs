//! Rows of lists that are read as snapshots: none disappears without an entry or a problem.

use serde_json::{Value, json};

use super::super::{Entry, Ledger};
use crate::export::Archive;

fn lines(dataset: &str, endpoint: &str, rows: Vec<Value>) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = Archive::with_rows(folder.path(), &[(dataset, endpoint, rows)]);
    let problems = Ledger::new(&archive).each(|entry| panic!("{entry:?}")).expect("rows");
    problems.lines()
}

#[test]
fn every_affiliate_row_with_an_unreadable_or_a_paid_amount_is_reported() {
    let row = |coin: Value, amount: Value| json!({"trade_user_id": 7, "rebate_coin": coin, "total_rebate_amount": amount});
    let long = format!("0.{}1", "0".repeat(30));
    let unreadable = "without a coin, or without an amount that can be held exactly: 7";
    for (row, reason) in [
        (row(json!("BTC"), json!("0.5")), Some("when it was paid: 7 (0.5 BTC)")),
        (row(json!("BTC"), json!("0")), None),
        (row(Value::Null, json!("0.5")), Some(unreadable)),
        (row(json!(""), json!("0.5")), Some(unreadable)),
        (row(json!("BTC"), Value::Null), Some(unreadable)),
        (row(json!("BTC"), json!("half")), Some(unreadable)),
        (row(json!("BTC"), json!(long)), Some(unreadable)),
    ] {
        let lines = lines("affiliate-rebates-BTC-2025", "affiliate_rebates", vec![row.clone()]);
        match reason {
            Some(reason) => {
                assert!(lines.len() == 1 && lines[0].ends_with(reason), "{row}: {lines:?}");
            }
            None => assert!(lines.is_empty(), "{row}: {lines:?}"),
        }
    }
}

#[test]
fn every_broker_day_is_reported_whatever_its_form() {
    for (day, reason) in [
        (json!([{"currency": "BTC", "rebate_amount": "0.5"}]), "2025-01-02 (0.5 BTC)"),
        (json!([{"currency": "BTC"}]), "can be held exactly: 2025-01-02"),
        (json!({"currency": "BTC", "rebate_amount": "0.5"}), "no list of rebates: 2025-01-02"),
        (json!("0.5"), "no list of rebates: 2025-01-02"),
        (Value::Null, "no list of rebates: 2025-01-02"),
    ] {
        let row = json!({"rebates.2025-01-02": day});
        let lines = lines("broker-rebates", "broker_rebates", vec![row.clone()]);
        assert!(lines.len() == 1 && lines[0].ends_with(reason), "{row}: {lines:?}");
    }
}

#[test]
fn transfers_that_differ_in_their_wallets_only_are_two_entries() {
    let transfer = |wallet: &str| {
        json!({
            "fromAccount": "main", "fromWalletType": wallet, "toAccount": "child", "toWalletType": wallet,
            "currency": "USDT", "amount": "5", "submissionTime": 1_750_000_000,
        })
    };
    let folder = tempfile::tempdir().expect("a folder");
    let archive = Archive::with_rows(
        folder.path(),
        &[
            ("sub-accounts", "sub_accounts_list", vec![json!({"accountName": "child"})]),
            ("sub-account-transfers", "sub_accounts_transfers", vec![transfer("spot")]),
            (
                "sub-account-child-futures-transfers",
                "futures_sub_accounts_transfers",
                vec![transfer("future")],
            ),
        ],
    );
    let mut movements = Vec::new();
    let each = |entry: &Entry| {
        movements.push(entry.movements.len());
        Ok(())
    };
    assert!(Ledger::new(&archive).each(each).expect("rows").is_empty());
    movements.sort_unstable();
    assert_eq!(movements, [1, 2], "that of futures has only the side of the sub-account");
}
