//! Order and sums of the ledger, for random rows in random order.

mod fees;
mod snapshots;

use std::collections::BTreeMap;

use bitmart::Decimal;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Entry, Kind, Ledger, Wallet, check};
use crate::export::Archive;

/// A random row: one of few times, so that many are equal, and amounts of up to 16 digits.
#[derive(Clone, Debug)]
enum Row {
    Trade {
        second: i64,
        buys: bool,
        size: u32,
        notional: u64,
        fee: i32,
        is_margin: bool,
    },
    Deposit {
        second: i64,
        amount: u64,
    },
    Withdrawal {
        second: i64,
        amount: u64,
        fee: u32,
        status: u8,
    },
    /// Between spot and futures, in the lists of both.
    Transfer {
        second: i64,
        amount: u64,
        to_futures: bool,
    },
    Transaction {
        second: i64,
        kind: usize,
        amount: i64,
    },
}

const TRANSACTION_TYPES: [&str; 4] =
    ["Realized PNL", "Funding Fee", "Commission Fee", "Liquidation Clearance"];

fn row() -> impl Strategy<Value = Row> {
    let second = || 0..4_i64;
    let amount = || 1..10_u64.pow(16);
    prop_oneof![
        (second(), any::<bool>(), 1..u32::MAX, amount(), any::<i32>(), any::<bool>()).prop_map(
            |(second, buys, size, notional, fee, is_margin)| Row::Trade {
                second,
                buys,
                size,
                notional,
                fee,
                is_margin
            }
        ),
        (second(), amount()).prop_map(|(second, amount)| Row::Deposit { second, amount }),
        (second(), amount(), any::<u32>(), 0..6_u8).prop_map(|(second, amount, fee, status)| {
            Row::Withdrawal { second, amount, fee, status }
        }),
        (second(), amount(), any::<bool>())
            .prop_map(|(second, amount, to_futures)| Row::Transfer { second, amount, to_futures }),
        (second(), 0..TRANSACTION_TYPES.len(), any::<i64>()).prop_map(|(second, kind, amount)| {
            Row::Transaction { second, kind, amount: amount / 1_000 }
        }),
    ]
}

fn amount(units: impl Into<i128>) -> Decimal {
    Decimal::from_i128_with_scale(units.into(), 8)
}

/// Creates an archive of rows whose ids are their positions, and returns the expected sums.
fn archive(
    folder: &std::path::Path,
    rows: &[Row],
) -> (Archive, BTreeMap<(Wallet, String), Decimal>) {
    let names = ["trades", "deposits", "withdrawals", "futures-transfers", "futures-transactions"];
    let endpoints = [
        "spot_fills",
        "account_funding_history",
        "account_funding_history",
        "futures_transfers",
        "futures_transactions",
    ];
    let mut files: [Vec<Value>; 5] = Default::default();
    let mut sums = BTreeMap::new();
    let mut add = |wallet: Wallet, coin: &str, amount: Decimal| {
        *sums.entry((wallet, coin.to_owned())).or_insert(Decimal::ZERO) += amount;
    };
    let time = |second: i64| 1_750_000_000_000 + second * 1_000;
    for (id, row) in rows.iter().enumerate() {
        let id = (id + 1).to_string();
        match *row {
            Row::Trade { second, buys, size, notional, fee, is_margin } => {
                let (size, notional, fee) = (amount(size), amount(notional), amount(fee));
                files[0].push(json!({
                    "tradeId": id, "orderId": id, "clientOrderId": "", "symbol": "BTC_USDT",
                    "side": if buys { "buy" } else { "sell" }, "type": "limit", "stpMode": "none",
                    "orderMode": if is_margin { "iso_margin" } else { "spot" }, "price": "1",
                    "size": size.to_string(), "notional": notional.to_string(),
                    "fee": fee.to_string(), "feeCoinName": "BMX", "tradeRole": "maker",
                    "createTime": time(second), "updateTime": time(second),
                }));
                let wallet =
                    || if is_margin { Wallet::Margin("BTC_USDT".into()) } else { Wallet::Spot };
                let sign = if buys { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
                add(wallet(), "BTC", sign * size);
                add(wallet(), "USDT", -sign * notional);
                add(wallet(), "BMX", -fee);
            }
            Row::Deposit { second, amount: units } => {
                files[1].push(json!({
                    "deposit_id": id, "withdraw_id": "", "operation_type": "deposit", "status": 3,
                    "currency": "USDT-TRC20", "arrival_amount": amount(units).to_string(), "fee": "0",
                    "apply_time": time(second), "address": "", "address_memo": "", "tx_id": "",
                }));
                add(Wallet::Spot, "USDT", amount(units));
            }
            Row::Withdrawal { second, amount: units, fee, status } => {
                files[2].push(json!({
                    "withdraw_id": id, "deposit_id": "", "operation_type": "withdraw", "status": status,
                    "currency": "USDT-TRC20", "arrival_amount": amount(units).to_string(),
                    "fee": amount(fee).to_string(), "apply_time": time(second), "address": "",
                    "address_memo": "", "tx_id": "",
                }));
                if status < 4 {
                    add(Wallet::Spot, "USDT", -amount(units) - amount(fee));
                }
            }
            Row::Transfer { second, amount: units, to_futures } => {
                let way = if to_futures { "spot_to_contract" } else { "contract_to_spot" };
                let into = if to_futures { amount(units) } else { -amount(units) };
                files[3].push(json!({
                    "transfer_id": id, "currency": "USDT", "amount": amount(units).to_string(),
                    "type": way, "state": "FINISHED", "timestamp": time(second),
                }));
                files[4].push(json!({
                    "symbol": "", "type": "Transfer", "flow_type": 1, "amount": into.to_string(),
                    "asset": "USDT", "account": "futures", "time": time(second).to_string(),
                    "tran_id": id,
                }));
                add(Wallet::Spot, "USDT", -into);
                add(Wallet::Futures, "USDT", into);
            }
            Row::Transaction { second, kind, amount: units } => {
                files[4].push(json!({
                    "symbol": "BTCUSDT", "type": TRANSACTION_TYPES[kind], "flow_type": kind + 2,
                    "amount": amount(units).to_string(), "asset": "USDT", "account": "futures",
                    "time": time(second).to_string(), "tran_id": id,
                }));
                add(Wallet::Futures, "USDT", amount(units));
            }
        }
    }
    let files: Vec<_> = names
        .into_iter()
        .zip(endpoints)
        .zip(files)
        .map(|((name, endpoint), rows)| (name, endpoint, rows))
        .collect();
    sums.retain(|_, sum: &mut Decimal| !sum.is_zero());
    (Archive::with_rows(folder, &files), sums)
}

fn entries(archive: &Archive) -> Vec<Entry> {
    let mut entries = Vec::new();
    let problems = Ledger::new(archive).each(|entry| {
        entries.push(entry.clone());
        Ok(())
    });
    assert!(problems.expect("rows").is_empty());
    entries
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_equal_those_of_the_rows_to_the_last_digit(rows in prop::collection::vec(row(), 0..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, wanted) = archive(folder.path(), &rows);
        let (mut sums, problems) = Ledger::new(&archive).sums(None).expect("sums");
        prop_assert!(problems.is_empty());
        sums.retain(|_, sum| !sum.is_zero());
        prop_assert_eq!(sums, wanted);
    }

    #[test]
    fn orders_entries_by_time_then_rank_then_id(rows in prop::collection::vec(row(), 0..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, _) = archive(folder.path(), &rows);
        let entries = entries(&archive);
        let gone = rows.iter().filter(|row| {
            matches!(row, Row::Withdrawal { status: 4.., .. } | Row::Transaction { amount: 0, .. })
        });
        let twice = rows.iter().filter(|row| matches!(row, Row::Transfer { .. })).count();
        prop_assert_eq!(entries.len(), rows.len() + twice - gone.count(), "none is lost or doubled");
        for two in entries.windows(2) {
            let [one, next] = [&two[0], &two[1]];
            prop_assert!(one.time <= next.time);
            if one.time != next.time {
                continue;
            }
            let is_out = |entry: &Entry| entry.kind == Kind::Withdrawal;
            let is_in = |entry: &Entry| entry.kind == Kind::Deposit;
            prop_assert!(!(is_out(one) && next.kind == Kind::Trade), "{one:?} {next:?}");
            prop_assert!(!(one.kind == Kind::Trade && is_in(next)), "{one:?} {next:?}");
            if one.dataset == next.dataset && one.kind == next.kind {
                let id = |entry: &Entry| {
                    let first = entry.row.split(' ').next().unwrap_or_default();
                    first.parse::<u64>().expect("a number")
                };
                prop_assert!(id(one) < id(next) || one.kind == Kind::Transfer, "{one:?} {next:?}");
            }
        }
    }
}

#[test]
fn reports_rows_without_a_time_with_their_amounts() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = [Row::Trade {
        second: 1,
        buys: true,
        size: 100_000_000,
        notional: 250,
        fee: 0,
        is_margin: false,
    }];
    let (_, _) = archive(folder.path(), &rows);
    let path = folder.path().join("trades.jsonl");
    let text = std::fs::read_to_string(&path).expect("rows");
    let row: Value = serde_json::from_str(&text).expect("a row");
    let mut row = row;
    row["createTime"] = json!(0);
    let archive = Archive::with_rows(folder.path(), &[("trades", "spot_fills", vec![row])]);
    let (sums, problems) = Ledger::new(&archive).sums(None).expect("sums");
    assert!(sums.is_empty());
    let wanted =
        "trades: 1 row not in the ledger: the exchange sent no time: 1 1 (1 BTC, -0.0000025 USDT)";
    assert_eq!(problems.lines(), [wanted]);
}

#[test]
fn reports_a_difference_with_possible_reasons() {
    let folder = tempfile::tempdir().expect("a folder");
    let deposit = json!({
        "deposit_id": "7", "withdraw_id": "", "operation_type": "deposit", "status": 3,
        "currency": "USDT-TRC20", "arrival_amount": "10.50", "fee": "0", "address": "",
        "apply_time": 1_750_000_000_000_i64, "address_memo": "", "tx_id": "0xab",
    });
    let balance = json!({ "currency": "USDT", "available": "10", "frozen": "0.25" });
    let archive = Archive::with_rows(
        folder.path(),
        &[
            ("deposits", "account_funding_history", vec![deposit]),
            ("balances-spot", "account_wallet", vec![balance]),
        ],
    );
    let (differences, _) = check(&archive).expect("balances");
    let [difference] = &differences[..] else { panic!("{differences:?}") };
    let line = "spot USDT: balance 10.25, movements 10.5, difference -0.25";
    assert_eq!(difference.to_string(), line);
    assert!(difference.lines().contains("it may be: what the account had before"));
    let entry = entries(&archive).pop().expect("a deposit");
    assert_eq!((entry.row.as_str(), entry.tx_hash.as_deref()), ("7", Some("0xab")));
    assert_eq!(entry.note.as_deref(), Some("TRC20"));
}

/// A row of deposits or withdrawals with this status.
fn funding(operation: &str, status: &Value) -> Value {
    let mut row = json!({
        "deposit_id": "", "withdraw_id": "", "operation_type": operation, "status": status,
        "currency": "USDT-TRC20", "arrival_amount": "10", "fee": "1", "address": "",
        "apply_time": 1_750_000_000_000_i64, "address_memo": "", "tx_id": "0xab",
    });
    row[format!("{operation}_id")] = json!("7");
    row
}

#[test]
fn deposits_and_withdrawals_of_an_unknown_state_are_reported_and_not_booked() {
    for status in [Value::Null, json!(9), json!("later")] {
        let folder = tempfile::tempdir().expect("a folder");
        let list = |operation| vec![funding(operation, &status)];
        let archive = Archive::with_rows(
            folder.path(),
            &[
                ("deposits", "account_funding_history", list("deposit")),
                ("withdrawals", "account_funding_history", list("withdraw")),
            ],
        );
        let (sums, problems) = Ledger::new(&archive).sums(None).expect("sums");
        assert!(sums.is_empty(), "{status}: {sums:?}");
        let lines = problems.lines();
        assert_eq!(lines.len(), 2, "{status}: {lines:?}");
        for (name, line) in ["deposits", "withdrawals"].iter().zip(&lines) {
            let wanted = format!("{name}: 1 row not in the ledger: its state is not known: ");
            assert!(line.starts_with(&wanted), "{line}");
        }
    }
}

#[test]
fn rows_without_their_fee_or_interest_are_reported_and_not_booked() {
    let mut withdrawal = funding("withdraw", &json!(3));
    withdrawal["fee"] = Value::Null;
    let repayment = json!({
        "repay_id": "1", "repay_time": 1_750_000_000_000_i64, "symbol": "BTC_USDT",
        "currency": "BTC", "repaid_amount": "1", "repaid_principal": "1", "repaid_interest": null,
    });
    for (name, endpoint, row, why) in [
        ("withdrawals", "account_funding_history", withdrawal, "its fee"),
        ("margin-repayments-BTC_USDT", "margin_repay_records", repayment, "its interest"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Archive::with_rows(folder.path(), &[(name, endpoint, vec![row])]);
        let (sums, problems) = Ledger::new(&archive).sums(None).expect("sums");
        assert!(sums.is_empty(), "{name}: {sums:?}");
        let wanted = format!("{name}: 1 row not in the ledger: {why} is not known: ");
        let lines = problems.lines();
        assert!(lines.len() == 1 && lines[0].starts_with(&wanted), "{lines:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_equal_times_and_the_sums_do_not_depend_on_the_order_of_arrival(
        (rows, seed) in (prop::collection::vec(row(), 0..20), any::<u64>()),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let (archive, _) = archive(folder.path(), &rows);
        let mut entries = entries(&archive);
        for entry in &mut entries {
            entry.time = bitmart::Timestamp::from_millis(1_750_000_000_000);
        }
        let order = |entries: &[Entry]| {
            let (mut ids, mut sums) = (Vec::new(), super::Sums::new());
            let mut each = |entry: &Entry| {
                ids.push(entry.id());
                entry.movements.iter().try_for_each(|one| {
                    super::add(&mut sums, (one.wallet.clone(), one.coin.clone()), one.amount)
                })
            };
            let mut equal = super::EqualTimes::default();
            for entry in entries {
                equal.add(entry.clone(), &mut each).expect("no error");
            }
            equal.flush(&mut each).expect("no error");
            (ids, sums)
        };
        let first = order(&entries);
        let mut seed = seed;
        entries.sort_by_cached_key(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        });
        prop_assert_eq!(order(&entries), first);
    }
}
