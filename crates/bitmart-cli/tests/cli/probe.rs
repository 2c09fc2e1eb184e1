//! `probe`: its recordings fit the models and contain no account data.

use std::fs;
use std::path::{Path, PathBuf};

use bitmart::Decimal;
use bitmart::sandbox::{ApiKey, Permission, WithdrawAddress};
use serde_json::{Value, json};

use crate::common::{Outcome, Place, at_home, bitmart, unlimited_sandbox, with_yes};

const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const CLIENT_ORDER: &str = "CANARYorder1";

/// An account that has traded, deposited and saved an address.
fn used_account() -> Place {
    let place = unlimited_sandbox();
    let orders = [
        &["spot", "submit-order", "ETH_USDT", "buy", "market", "--notional", "50"][..],
        &[
            "spot",
            "submit-order",
            "BTC_USDT",
            "buy",
            "limit",
            "--size",
            "0.1",
            "--price",
            "1000",
            "--client-order-id",
            CLIENT_ORDER,
        ],
        &[
            "futures",
            "submit-order",
            "BTCUSDT",
            "1",
            "1",
            "--type",
            "market",
            "--leverage",
            "10",
            "--open-type",
            "cross",
        ],
    ];
    for order in orders {
        let sent = bitmart(&place, &with_yes(order));
        assert_eq!(sent.code, 0, "{}", sent.err);
    }
    let mut address = WithdrawAddress::new(ADDRESS).currency("USDT").network("TRC20");
    "CANARY remark".clone_into(&mut address.remark);
    "CANARYmemo".clone_into(&mut address.memo);
    place.sandbox.save_address(1, address).expect("an account");
    place.sandbox.deposit(1, "USDT", Decimal::from(77)).expect("a currency");
    place
}

/// A ready file with this key.
fn ready_file(place: &Place, key: &ApiKey) -> PathBuf {
    let text = fs::read_to_string(place.ready_file()).expect("a file");
    let mut ready: Value = serde_json::from_str(&text).expect("JSON");
    ready["credentials"] = json!({ "key": key.key, "secret": key.secret, "memo": key.memo });
    let path = place.ready_file().with_file_name("other.json");
    fs::write(&path, ready.to_string()).expect("a file");
    path
}

fn probe(
    place: &Place,
    permissions: &[Permission],
    out: &Path,
    more: &[&str],
) -> (ApiKey, Outcome) {
    let key = place.sandbox.create_key(1, permissions).expect("an account");
    let ready = ready_file(place, &key);
    let (ready, out) = (ready.to_str().expect("text"), out.to_str().expect("text"));
    let words = [&["probe", "--out", out, "--env", ready][..], more].concat();
    let home = tempfile::tempdir().expect("a folder");
    (key, at_home(home.path(), &words, ""))
}

fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        if entry.file_type().expect("a kind").is_dir() {
            all.extend(texts(&entry.path()));
        } else {
            all.push((entry.path(), fs::read_to_string(entry.path()).expect("text")));
        }
    }
    all
}

#[test]
fn recordings_fit_the_models_and_contain_no_account_data() {
    let place = used_account();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("evidence");
    let (key, done) = probe(&place, &[Permission::ReadOnly], &out, &["--seconds", "5"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("Nothing was sent anywhere"), "{}", done.out);
    assert!(done.out.contains("differences.txt") && done.out.contains("skipped.txt"));

    let report = conformance::check(std::slice::from_ref(&out), false).expect("a folder");
    assert_eq!((report.failed, report.skipped), (0, 0), "{report}");
    let count = |part: &str| fs::read_dir(out.join(part)).expect("a folder").count();
    assert!(count("rest") > 80 && count("ws") > 12, "{}", done.out);
    let differences = fs::read_to_string(out.join("differences.txt")).expect("text");
    assert_eq!(differences, "nothing\n");

    // Values that the responses contain before redaction.
    let orders = place.sandbox.orders();
    let ids = orders.iter().map(|order| order.order_id.clone());
    let fills = place.sandbox.fills();
    let fills = fills.iter().flat_map(|fill| [fill.trade_id.clone(), fill.price.to_string()]);
    let known = [&key.key, &key.secret, &key.memo, &place.key, &place.secret, &place.memo];
    let known = known.into_iter().cloned();
    let more = [ADDRESS, CLIENT_ORDER, "CANARY", "@sandbox.test", "account2"].map(str::to_owned);
    let secrets: Vec<_> = known.chain(more).chain(ids).chain(fills).collect();
    assert!(secrets.len() > 15);
    for (path, text) in texts(&out) {
        for secret in secrets.iter().filter(|secret| secret.len() > 4) {
            assert!(!text.contains(secret.as_str()), "{}: {secret}", path.display());
        }
    }
    // The search finds them in a response without redaction.
    let plain = bitmart(&place, &["account", "withdraw-addresses", "-o", "raw"]);
    assert!(plain.out.contains(ADDRESS), "{} {}", plain.out, plain.err);
}

#[test]
fn a_key_that_may_do_more_than_read_is_refused_unless_told() {
    let place = unlimited_sandbox();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("evidence");
    let (_, refused) = probe(&place, &Permission::ALL, &out, &["--seconds", "0"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    assert!(
        refused.err.contains("Withdraw") && refused.err.contains("--any-key"),
        "{}",
        refused.err
    );
    assert!(!out.exists(), "nothing was asked and nothing written");

    let (_, done) = probe(&place, &Permission::ALL, &out, &["--seconds", "0", "--any-key"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(out.join("rest").exists() && !out.join("ws").exists());

    // What is there stays as it is.
    let (_, again) = probe(&place, &Permission::ALL, &out, &["--seconds", "0", "--any-key"]);
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("is not empty"), "{}", again.err);
}

#[test]
fn a_folder_with_files_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine.txt"), "mine").expect("a file");
    let out = folder.path().to_str().expect("text");
    // Nobody listens at this address, and the profile does not exist.
    let words = ["probe", "--out", out, "--env", "http://127.0.0.1:1", "--profile", "nobody"];
    let refused = at_home(folder.path(), &words, "");
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("is not empty"), "{}", refused.err);
}
