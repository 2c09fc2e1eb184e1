//! Evidence from an account: it fits the models, holds nothing about the account, and is sent nowhere.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use bitmart::Decimal;
use bitmart::sandbox::{ApiKey, Config, Permission, WithdrawAddress};
use common::{Outcome, Place, at_home, bitmart, sandbox_of};
use serde_json::{Value, json};

const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const CLIENT_ORDER: &str = "CANARYorder1";

/// An account that has traded, deposited and saved an address.
fn place() -> Place {
    let config = Config::new().rate_limits(false);
    let place = sandbox_of(config);
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
        let sent = bitmart(&place, &[order, &["-y"]].concat());
        assert_eq!(sent.code, 0, "{}", sent.err);
    }
    let mut address = WithdrawAddress::new(ADDRESS).currency("USDT").network("TRC20");
    address.remark = "CANARY remark".to_owned();
    address.memo = "CANARYmemo".to_owned();
    place.sandbox.save_address(1, address).expect("an account");
    place.sandbox.deposit(1, "USDT", Decimal::from(77)).expect("a currency");
    place
}

/// The file of a key of the same account that may do this.
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
fn what_a_probe_writes_fits_the_models_and_holds_nothing_about_the_account() {
    let place = place();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("evidence");
    let (key, done) = probe(&place, &[Permission::ReadOnly], &out, &["--seconds", "5"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("nothing was sent anywhere"), "{}", done.out);
    assert!(done.out.contains("differences.txt") && done.out.contains("not-asked.txt"));

    let report = conformance::check(&[out.clone()], false).expect("a folder");
    assert_eq!((report.failed, report.skipped), (0, 0), "{report}");
    let count = |part: &str| fs::read_dir(out.join(part)).expect("a folder").count();
    assert!(count("rest") > 80 && count("ws") > 12, "{}", done.out);
    let differences = fs::read_to_string(out.join("differences.txt")).expect("text");
    assert_eq!(differences, "nothing\n");

    // What the account's own answers hold in the clear.
    let orders = place.sandbox.orders();
    let ids = orders.iter().map(|order| order.order_id.to_string());
    let fills = place.sandbox.fills();
    let fills = fills.iter().flat_map(|fill| [fill.trade_id.to_string(), fill.price.to_string()]);
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
    // The same search finds them where nothing is replaced.
    let plain = bitmart(&place, &["account", "withdraw-addresses", "-o", "raw"]);
    assert!(plain.out.contains(ADDRESS), "{} {}", plain.out, plain.err);
}

#[test]
fn a_key_that_may_do_more_than_read_is_refused_unless_told() {
    let place = sandbox_of(Config::new().rate_limits(false));
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
