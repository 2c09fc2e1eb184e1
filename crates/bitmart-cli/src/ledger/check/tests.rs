//! Balances that cannot be compared.

use bitmart::Timestamp;
use serde_json::{Value, json};

use super::{Problems, check, each_balance_snapshot, row_balances};
use crate::export::Archive;

#[test]
fn absurd_balances_are_reported_with_their_row() {
    let most = "79228162514264337593543950335";
    for (name, row) in [
        ("balances-spot", json!({ "currency": "X", "available": most, "frozen": most })),
        (
            "balances-futures",
            json!({ "currency": "X", "equity": most, "unrealized": format!("-{most}") }),
        ),
    ] {
        let error = row_balances(name, &row).expect_err("it cannot be added").to_string();
        assert!(error.contains(name) && error.contains(most), "{error}");
    }
}

fn archive(folder: &std::path::Path, balances: &[(&'static str, Value)]) -> Archive {
    let endpoint = |name: &str| match name {
        "balances-spot" => "account_wallet",
        "balances-futures" => "futures_balances",
        "balances-margin" => "margin_accounts",
        _ => "earn_holdings",
    };
    let deposit = json!({
        "deposit_id": "7", "withdraw_id": "", "operation_type": "deposit", "status": 3,
        "currency": "BTC", "arrival_amount": "10.50", "fee": "0", "address": "",
        "apply_time": 1_750_000_000_000_i64, "address_memo": "", "tx_id": "0xab",
    });
    let mut datasets = vec![("deposits", "account_funding_history", vec![deposit])];
    let rows = balances.iter().map(|(name, row)| (*name, endpoint(name), vec![row.clone()]));
    datasets.extend(rows);
    Archive::with_rows(folder, &datasets)
}

#[test]
fn a_balance_that_lacks_an_amount_is_reported_and_not_compared() {
    let taken = "2026-06-01T12:00:00Z";
    for (name, row) in [
        ("balances-spot", json!({ "currency": "BTC", "available": null, "frozen": "0" })),
        ("balances-spot", json!({ "currency": "BTC", "available": "1", "frozen": null })),
        ("balances-spot", json!({ "currency": "BTC", "available": "9".repeat(40), "frozen": "0" })),
        ("balances-futures", json!({ "currency": "BTC", "equity": null, "unrealized": "1" })),
        ("balances-futures", json!({ "currency": "BTC", "equity": "1", "unrealized": null })),
        (
            "balances-margin",
            json!({
                "symbol": "BTC_USDT", "base.currency": "BTC", "base.available": null,
                "base.frozen": "0",
            }),
        ),
        ("balances-earn", json!({ "coinName": "BTC", "totalUserSum": null })),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut row = row;
        row["taken"] = taken.into();
        let none = json!({ "taken": taken });
        let mut all = vec![(name, row.clone())];
        let names = ["balances-spot", "balances-futures", "balances-margin", "balances-earn"];
        all.extend(names.iter().filter(|other| **other != name).map(|name| {
            let pair = json!({ "taken": taken, "symbol": "ETH_USDT" });
            (*name, if *name == "balances-margin" { pair } else { none.clone() })
        }));
        let archive = archive(folder.path(), &all);
        let (differences, problems) = check(&archive).expect("balances");
        let is_spot = name == "balances-spot";
        let compared: Vec<_> = differences.iter().map(ToString::to_string).collect();
        let wanted = "spot BTC: balance 0, movements 10.5, difference -10.5";
        assert_eq!(compared, if is_spot { vec![] } else { vec![wanted] }, "{row}");
        let lines = problems.lines();
        let wanted = format!("{name}: 1 row not compared: the exchange does not send all");
        assert!(lines.len() == 1 && lines[0].starts_with(&wanted), "{row}: {lines:?}");
        assert!(lines[0].contains("BTC"), "{lines:?}");

        let (mut problems, mut observed) = (Problems::default(), Vec::new());
        each_balance_snapshot(&archive, &mut problems, |taken: Timestamp, sums| {
            observed.extend(sums.into_iter().map(|sum| (taken, sum)));
            Ok(())
        })
        .expect("snapshots");
        assert!(observed.is_empty(), "{row}: {observed:?}");
        let lines = problems.lines();
        assert!(lines.len() == 1 && lines[0].contains(" at 2026-06-01T12:00:00"), "{lines:?}");
    }
}

#[test]
fn a_balance_without_a_coin_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = json!({ "currency": null, "available": "1", "frozen": "0" });
    let archive = archive(folder.path(), &[("balances-spot", row)]);
    let (_, problems) = check(&archive).expect("balances");
    let wanted = "balances-spot: 1 row not compared: without a coin: a row without an id";
    assert_eq!(problems.lines(), [wanted]);
}
