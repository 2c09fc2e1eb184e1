//! A month of an account and its archive: trades and withdrawals on twenty days, and an export every night, some of
//! which are killed or run during an outage. In the end the archive equals the ledger, and everything is withdrawn.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bitmart::dec;
use bitmart::sandbox::{Fault, Sandbox, WithdrawAddress};
use serde_json::{Value, json};

use crate::common::month::{DAY, Month};
use crate::common::{SIGNALLED, bitmart};

/// Temporary faults of some nights.
fn trouble(sandbox: &Sandbox, day: u64) {
    match day {
        4 => {
            // Longer than the retries of a request, on every endpoint.
            sandbox.inject(Fault::Maintenance.on("/spot/v4/query/trades").times(9));
            sandbox.inject(Fault::Unavailable.on("/system/time").times(4));
        }
        8 => sandbox.inject(Fault::DropBefore.on("/account/v1/wallet").times(20)),
        11 => sandbox.inject(Fault::Html(502).on("/spot/v4/query/history-orders").times(7)),
        17 => sandbox.inject(Fault::Banned.on("/contract/private/transaction-history").times(3)),
        // The newest trades are not in the history yet.
        20 => sandbox.inject(
            Fault::LateHistory(Duration::from_secs(108_000))
                .on("/spot/v4/query/trades")
                .times(u32::MAX),
        ),
        _ => {}
    }
}

#[test]
fn month_of_nightly_exports_equals_the_ledger() {
    let mut month = Month::begin();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let mut nights = 0;
    for day in 0..30 {
        // Trades on two days of three.
        if day % 3 == 2 {
            month.advance(Duration::from_secs(82_800));
        } else {
            month.day(day);
        }
        trouble(&month.place.sandbox, day);
        // The machine was off.
        if matches!(day, 22..=24) {
            month.advance(Duration::from_secs(3600));
            continue;
        }
        if matches!(day, 3 | 7 | 12 | 18 | 27) {
            for pages in [1, 4, 11] {
                let killed = month.export(&folder, &["--stop-after", &pages.to_string()]);
                assert_eq!(killed.code, SIGNALLED, "day {day}: {}", killed.err);
            }
            let verified = month.verify(&folder);
            assert_eq!(verified.code, 10, "{}", verified.err);
            assert!(verified.err.contains("continues where it stopped"), "{}", verified.err);
            for wrong in ["twice", "missing", "changed", "shorter", "no JSON"] {
                assert!(!verified.err.contains(wrong), "day {day}: {}", verified.err);
            }
        }
        // After one night the killed run is not resumed.
        if day != 27 {
            let run = month.export(&folder, &[]);
            assert_eq!(run.code, 0, "day {day}: {}", run.err);
            nights += 1;
        }
        month.place.sandbox.clear_faults();
        month.advance(Duration::from_secs(3600));
    }
    month.advance(DAY);
    let run = month.export(&folder, &[]);
    assert_eq!(run.code, 0, "{}", run.err);
    // The killed run is finished first, with its own snapshot.
    nights += 2;
    assert!(nights >= 27, "{nights}");

    compare(&mut month, &folder, nights);
    let verified = month.verify(&folder);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert!(verified.out.starts_with("PLAY MONEY: source sandbox ("), "{}", verified.out);
    for (place, given) in [("spot USDT", 100_000), ("spot BTC", 50), ("futures USDT", 100_000)] {
        let line = verified.out.lines().find(|line| line.starts_with(&format!("{place}: ")));
        let line = line.expect(place);
        assert!(line.ends_with(&format!(" difference {given}")), "{line}");
    }
    // A day later it is stale.
    month.advance(2 * DAY);
    let verified = month.verify(&folder);
    assert!(
        verified.out.lines().next().is_some_and(|line| line.contains("STALE")),
        "{}",
        verified.out
    );
    wind_down(&month);
    // The archive is continued to the end.
    let run = month.export(&folder, &[]);
    assert_eq!(run.code, 0, "{}", run.err);
    let verified = month.verify(&folder);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    let parameters = json!({ "operation_type": "withdraw", "N": 1000 });
    let reported = month.runtime.block_on(month.owner.send("account_funding_history", parameters));
    let reported = reported["data"]["records"].as_array().expect("rows").clone();
    let names = ["status", "arrival_amount", "fee", "currency"];
    let reported = by_id(&reported, "withdraw_id", &names);
    assert_eq!(reported.len(), 22, "USDT and BTC have left as well");
    assert_eq!(by_id(&rows(&folder, "withdrawals"), "withdraw_id", &names), reported);
}

/// Closes orders and positions, collects the money and withdraws it.
fn wind_down(month: &Month) {
    let sandbox = &month.place.sandbox;
    let tron = "TXYZopYRdj2D9XRtbG411XZZ3kM5VkAeBf";
    let tron = WithdrawAddress::new(tron).currency("USDT").network("TRC20").remark("wallet");
    let bitcoin = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let bitcoin = WithdrawAddress::new(bitcoin).currency("BTC").network("BTC");
    for address in [tron, bitcoin] {
        sandbox.save_address(1, address).expect("an account");
    }
    let run = bitmart(&month.place, &["wind-down", "--run", "--yes", "--unlimited"]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    month.advance(DAY);
    let open = sandbox
        .orders()
        .into_iter()
        .find(|order| order.account == 1 && (order.state == "new" || order.state == "open"));
    assert!(open.is_none(), "{open:?}");
    for balance in sandbox.balances().into_iter().filter(|balance| balance.account == 1) {
        assert!(balance.available + balance.frozen < dec!(0.0001), "{balance:?}");
    }
}

fn rows(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect(name);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A text or number; amounts without trailing zeros.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.parse::<bitmart::Decimal>() {
        Ok(number) if text.contains('.') => number.normalize().to_string(),
        _ => text,
    }
}

/// Members of rows, by an id that must be unique.
fn by_id(rows: &[Value], id: &str, names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for row in rows {
        let reported = names.iter().map(|name| plain(&row[*name])).collect();
        assert!(found.insert(plain(&row[id]), reported).is_none(), "{id} twice: {row}");
    }
    found
}

fn compare(month: &mut Month, folder: &Path, nights: usize) {
    let sandbox = &month.place.sandbox;
    let number = |number: bitmart::Decimal| number.normalize().to_string();
    for (symbol, name, id, names) in [
        ("BTC_USDT", "orders", "orderId", ["state", "filledSize"]),
        ("BTCUSDT", "futures-orders-BTCUSDT", "order_id", ["state", "deal_size"]),
    ] {
        let ledger = sandbox.orders().into_iter().filter(|order| {
            order.account == 1
                && order.symbol == symbol
                && order.state != "new"
                && order.state != "open"
        });
        let ledger: BTreeMap<_, _> = ledger
            .map(|order| {
                let state = if symbol == "BTCUSDT" { "4".to_owned() } else { order.state };
                (order.order_id, vec![state, number(order.filled)])
            })
            .collect();
        assert!(ledger.len() >= 20, "{name}: {}", ledger.len());
        assert_eq!(by_id(&rows(folder, name), id, &names), ledger, "{name}");
    }
    for (symbol, name, id, names) in [
        ("BTC_USDT", "trades", "tradeId", ["price", "size", "fee", "createTime"]),
        ("BTCUSDT", "futures-trades", "trade_id", ["price", "vol", "paid_fees", "create_time"]),
    ] {
        let ledger = sandbox.fills().into_iter();
        let ledger: BTreeMap<_, _> = ledger
            .filter(|fill| fill.account == 1 && fill.symbol == symbol)
            .map(|fill| {
                let reported = [number(fill.price), number(fill.size), number(fill.fee)];
                (fill.trade_id, [&reported[..], &[fill.time_ms.to_string()]].concat())
            })
            .collect();
        assert!(ledger.len() >= 20, "{name}");
        assert_eq!(by_id(&rows(folder, name), id, &names), ledger, "{name}");
    }
    // Compared with the exchange.
    let open = by_id(&newest(&rows(folder, "open-orders")), "orderId", &["state"]);
    let ledger = sandbox.orders().into_iter();
    let ledger: Vec<_> = ledger
        .filter(|order| order.account == 1 && order.symbol == "BTC_USDT" && order.state == "new")
        .map(|order| order.order_id)
        .collect();
    assert!(open.keys().eq(&ledger) && ledger.len() > 5, "{open:?} {ledger:?}");
    let (sandbox, owner) = (&month.place.sandbox, &month.owner);
    for (name, kind, id) in
        [("deposits", "deposit", "deposit_id"), ("withdrawals", "withdraw", "withdraw_id")]
    {
        let parameters = json!({ "operation_type": kind, "N": 1000 });
        let reported = month.runtime.block_on(owner.send("account_funding_history", parameters));
        let reported = reported["data"]["records"].as_array().expect("rows").clone();
        let names = ["status", "arrival_amount", "fee", "currency"];
        let reported = by_id(&reported, id, &names);
        assert_eq!(reported.len(), 20, "{name}");
        assert!(reported.values().all(|row| row[0] == "3"), "{name} are done: {reported:?}");
        assert_eq!(by_id(&rows(folder, name), id, &names), reported, "{name}");
    }
    // Each night found a pending withdrawal, which was done on the next.
    let before =
        std::fs::read_to_string(folder.join("versions/withdrawals.jsonl")).expect("versions");
    assert!(before.lines().count() > 15, "{before}");
    let balances = rows(folder, "balances-spot");
    let mut taken: Vec<_> = balances.iter().map(|row| row["taken"].clone()).collect();
    taken.dedup();
    assert_eq!(taken.len(), nights, "a snapshot a night");
    for balance in sandbox.balances() {
        if balance.account != 1 || balance.wallet != "spot" {
            continue;
        }
        let newest = newest(&balances);
        let row = newest.iter().find(|row| row["currency"] == *balance.currency);
        let Some(row) = row else {
            assert!((balance.available + balance.frozen).is_zero(), "{balance:?}");
            continue;
        };
        assert_eq!(plain(&row["available"]), number(balance.available), "{row}");
        assert_eq!(plain(&row["frozen"]), number(balance.frozen), "{row}");
    }
}

/// The rows of the newest snapshot.
fn newest(rows: &[Value]) -> Vec<Value> {
    let last = rows.last().map(|row| row["taken"].clone());
    rows.iter().filter(|row| Some(&row["taken"]) == last.as_ref()).cloned().collect()
}
