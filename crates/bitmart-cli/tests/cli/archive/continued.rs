//! The same command continues an archive: new rows, changed rows, late rows.

use std::time::Duration;

use bitmart::Timestamp;
use bitmart::sandbox::Fault;
use serde_json::Value;

use super::{export, lines, market_buy, read, sandbox, verify};

#[test]
fn same_command_adds_new_trades_and_a_snapshot_and_the_archive_is_stale_after_two_days() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let more = ["--what", "trades,orders,balances"];
    market_buy(&place);
    assert_eq!(export(&place, &folder, &more).code, 0);
    let (trades, balances) =
        (lines(&folder, "trades.jsonl"), lines(&folder, "balances-spot.jsonl"));
    market_buy(&place);
    let again = export(&place, &folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("of them new"), "{}", again.err);
    let after = lines(&folder, "trades.jsonl");
    assert!(after > trades, "{after} trades");
    assert_eq!(lines(&folder, "balances-spot.jsonl"), 2 * balances, "two snapshots");
    let responses = lines(&folder, "raw/trades.ndjson");
    let third = export(&place, &folder, &more);
    assert_eq!(third.code, 0, "{}", third.err);
    assert_eq!(lines(&folder, "trades.jsonl"), after);
    // That of the time since the second run. Of the overlap, responses without new rows are not stored.
    assert_eq!(lines(&folder, "raw/trades.ndjson"), responses + 1);
    let verified = verify(&place, &folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    // 49 hours after the end of the archive, which is stale after a day.
    let end = "2026-12-01T00:00:00Z".parse::<Timestamp>().expect("a time").max(Timestamp::now());
    let later = (end + Duration::from_secs(49 * 3600)).to_string();
    let verified = verify(&place, &folder, &["--now", &later]);
    assert!(
        verified.out.lines().next().is_some_and(|line| line.contains("STALE")),
        "{}",
        verified.out
    );
}

#[test]
fn stores_both_versions_of_a_changed_row() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    market_buy(&place);
    assert_eq!(export(&place, folder, &["--what", "trades"]).code, 0);
    // As if the exchange had sent another price the first time.
    let rows = read(folder, "trades.jsonl");
    let row: Value = serde_json::from_str(rows.lines().next().expect("a row")).expect("JSON");
    let price = row["price"].as_str().expect("a price");
    let other_price = "9".repeat(price.len());
    for name in ["trades.jsonl", "raw/trades.ndjson"] {
        let text = read(folder, name);
        std::fs::write(folder.join(name), text.replace(price, &other_price)).expect("written");
    }
    let again = export(&place, folder, &["--what", "trades"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("changed since"), "{}", again.err);
    let (now, before) = (read(folder, "trades.jsonl"), read(folder, "versions/trades.jsonl"));
    assert!(now.contains(price) && !now.contains(&other_price), "{now}");
    assert!(before.contains(&other_price), "{before}");
    assert_eq!(now.lines().count(), rows.lines().count(), "each id occurs once");
    let verified = verify(&place, folder, &[]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert!(verified.out.contains("replaced by newer versions"), "{}", verified.out);
    // A replaced row that is missing is a fault.
    std::fs::write(folder.join("versions/trades.jsonl"), "").expect("written");
    assert_eq!(verify(&place, folder, &[]).code, 10);
}

#[test]
fn finds_late_rows_in_the_overlap() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let path = "/spot/v4/query/trades";
    market_buy(&place);
    // The exchange lists the trade only an hour later.
    place.sandbox.inject(Fault::LateHistory(Duration::from_secs(3600)).on(path).times(u32::MAX));
    assert_eq!(export(&place, home.path(), &["--what", "trades"]).code, 0);
    assert_eq!(lines(home.path(), "trades.jsonl"), 0);
    place.sandbox.clear_faults();
    let again = export(&place, home.path(), &["--what", "trades"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("arrived late"), "{}", again.err);
    assert!(lines(home.path(), "trades.jsonl") > 0);
    assert_eq!(verify(&place, home.path(), &[]).code, 0);
}

/// After the exchange has shut down, one more run must not take away what an earlier one completed.
#[test]
fn a_rejected_run_takes_nothing_away_and_the_next_one_adds_its_snapshot() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let more = ["--what", "trades,balances"];
    market_buy(&place);
    assert_eq!(export(&place, &folder, &more).code, 0);
    let (trades, balances) =
        (lines(&folder, "trades.jsonl"), lines(&folder, "balances-spot.jsonl"));
    for path in ["/spot/v4/query/trades", "/account/v1/wallet"] {
        place.sandbox.inject(Fault::Html(404).on(path));
    }
    let later = export(&place, &folder, &more);
    assert_eq!(later.code, 10, "the newest run is not complete: {}", later.err);
    assert!(
        later.err.contains("2 were rejected by the exchange in the newest run"),
        "{}",
        later.err
    );
    let verified = verify(&place, &folder, &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    for dataset in ["trades", "balances-spot"] {
        let text = format!("{dataset}: the exchange rejected the newest run: ");
        assert!(verified.out.contains(&text), "{}", verified.out);
    }
    assert_eq!(lines(&folder, "trades.jsonl"), trades);
    assert_eq!(lines(&folder, "balances-spot.jsonl"), balances);
    let again = export(&place, &folder, &more);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(lines(&folder, "trades.jsonl"), trades);
    assert_eq!(lines(&folder, "balances-spot.jsonl"), 2 * balances, "two finished snapshots");
    assert_eq!(verify(&place, &folder, &[]).code, 0);
}
