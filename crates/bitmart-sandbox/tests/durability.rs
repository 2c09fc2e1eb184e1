//! The data folder: acknowledged changes survive a stop and a kill, and unusable folders are rejected.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bitmart_sandbox::{
    ApiKey, Config, Contract, Decimal, Permission, Sandbox, SpotPair, WalletKind,
    operator::{GoBack, SaveSnapshot},
};
use common::{Client, start};
use serde_json::json;

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("durability").join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

/// Few markets, so that steps are quick.
fn stepped_config(folder: &Path) -> Config {
    let price = Decimal::from;
    let pairs = [
        SpotPair::new("BTC", "USDT", 2, 5, price(60_000)),
        SpotPair::new("ETH", "USDT", 2, 4, price(3_000)),
    ];
    let contracts = [Contract::new("BTC", "USDT", Decimal::new(1, 3), 1, price(60_000))];
    let config = Config::new().pairs(pairs).contracts(contracts);
    config.seed(9).stepped_clock(1_700_000_000_000).rate_limits(false).data(folder)
}

/// Changes of every kind: requests, and calls of the operator. Returns an added key, which has its own account.
async fn apply_changes(sandbox: &Sandbox, round: u32) -> ApiKey {
    let (spot, futures) = (Client::spot(sandbox), Client::futures(sandbox));
    for (side, price) in [("buy", "50000"), ("sell", "70000")] {
        let order = json!({ "symbol": "BTC_USDT", "side": side, "type": "limit", "price": price, "size": "0.01" });
        let id = spot.order(order).await;
        if round.is_multiple_of(2) {
            let cancel = json!({ "symbol": "BTC_USDT", "order_id": id });
            spot.post("/spot/v3/cancel_order", cancel).await.data();
        }
    }
    // A number that is sent in another form than it is printed, and an order that is rejected.
    let body = json!({ "symbol": "ETH_USDT", "side": "buy", "type": "market", "notional": 137.50 });
    spot.order(body).await;
    let unaffordable =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "9000000" });
    assert_eq!(spot.post("/spot/v2/submit_order", unaffordable).await.code(), 50020);
    let open = json!({ "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "cross", "size": 3 });
    futures.post("/contract/private/submit-order", open).await.data();
    let transfer = json!({ "currency": "USDT", "amount": "12.5", "type": "spot_to_contract" });
    futures.post("/account/v1/transfer-contract", transfer).await.data();
    sandbox.deposit(1, "BTC", Decimal::ONE).expect("an id");
    let account = sandbox.create_account().expect("stored");
    sandbox.create_key(account, [Permission::ReadOnly]).expect("a key");
    let name = format!("own{round}");
    let own = ApiKey::new(&name, "a secret of my own", "memo").account(account);
    sandbox.add_key(own.clone()).expect("a new key");
    sandbox.set_balance(account, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    sandbox.pause_market_makers(round.is_multiple_of(2));
    sandbox.step_market(7);
    sandbox.pause_market_makers(false);
    sandbox.advance(Duration::from_secs(45));
    own
}

fn json_of(sandbox: &Sandbox) -> Vec<u8> {
    sandbox.snapshot().to_json().expect("JSON")
}

/// The state in a snapshot without the versions of the order books.
fn without_versions(snapshot: &[u8]) -> serde_json::Value {
    let mut state: serde_json::Value = serde_json::from_slice(snapshot).expect("JSON");
    let removed = state.as_object_mut().expect("an object").remove("versions");
    assert!(removed.is_some(), "there are versions");
    state
}

/// Creates a folder that only its owner can write, regardless of the umask.
fn make_private_folder(path: &Path) {
    fs::create_dir_all(path).expect("a folder");
    #[cfg(unix)]
    set_mode(path, 0o755);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// Copies a folder in its current state, as a kill would leave it.
fn copy(from: &Path, name: &str) -> PathBuf {
    let to = folder(name);
    make_private_folder(&to);
    fs::copy(from.join("exchange.redb"), to.join("exchange.redb")).expect("copies");
    to
}

#[tokio::test]
async fn replaying_the_journal_restores_exactly_the_same_state() {
    let data = folder("journal");
    let first = start(stepped_config(&data)).await;
    let mut own = Vec::new();
    for round in 0..4 {
        own.push(apply_changes(&first, round).await);
    }
    // Another seed, other markets, balances and settings: the restored state does not depend on the configuration.
    let other_config = || Config::new().seed(1).lenient(true).spot_balance("BTC", Decimal::TEN);
    let copied = copy(&data, "journal-copied");
    let second = start(other_config().rate_limits(false).data(&copied)).await;
    assert!(json_of(&second) == json_of(&first), "the state differs");
    assert_eq!(second.credentials(), first.credentials());
    for key in &own {
        let client = Client { key, ..Client::spot(&second) };
        let wallet = client.get("/spot/v1/wallet").await.data();
        let rows = wallet["wallet"].as_array().expect("rows");
        assert!(rows.iter().any(|row| row["id"] == "BTC" && row["available"] == "2.00000000"));
    }
    // Both continue in the same way.
    for sandbox in [&first, &second] {
        sandbox.step_market(5);
        assert_eq!(sandbox.create_key(1, []).expect("a key").account, 1);
    }
    assert!(json_of(&second) == json_of(&first), "they part");
}

#[tokio::test]
async fn a_stop_stores_everything_and_releases_the_folder() {
    let data = folder("stop");
    let mut before = None;
    for round in 0..3 {
        let sandbox = start(stepped_config(&data)).await;
        if let Some(before) = before {
            assert!(json_of(&sandbox) == before, "round {round}");
        }
        apply_changes(&sandbox, round).await;
        before = Some(json_of(&sandbox));
        sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn an_unusable_folder_is_rejected_with_the_cause() {
    let rejected = async |config: Config| {
        let error = Sandbox::start(config).await.expect_err("rejected");
        format!("{error}: {}", std::error::Error::source(&error).expect("a reason"))
    };
    let data = folder("rejected");
    let first = start(stepped_config(&data)).await;
    let message = rejected(stepped_config(&data)).await;
    assert!(message.contains("rejected: it is in use by another sandbox"), "{message}");
    let snapshot = first.snapshot();
    first.shutdown().await;
    let message = rejected(Config::new().restore(snapshot.clone()).data(&data)).await;
    assert!(message.contains("it contains an exchange"), "{message}");
    fs::write(data.join("exchange.redb"), "something else").expect("writes");
    let message = rejected(stepped_config(&data)).await;
    assert!(message.contains("it is not the data of a sandbox, or it is damaged"), "{message}");
    let file = data.join("exchange.redb");
    assert!(rejected(stepped_config(&file)).await.contains("cannot use the data folder"));
    // An empty folder accepts a snapshot, even if an earlier start was interrupted in it.
    let fresh = folder("fresh");
    make_private_folder(&fresh);
    fs::write(fresh.join("exchange.redb.new"), "half a store").expect("writes");
    let second = start(Config::new().restore(snapshot.clone()).data(&fresh)).await;
    assert!(json_of(&second) == snapshot.to_json().expect("JSON"));
}

#[cfg(unix)]
#[tokio::test]
async fn folder_and_files_are_only_accessible_by_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let data = folder("modes");
    let _sandbox = start(stepped_config(&data)).await;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> =
        fs::read_dir(&data).expect("reads").map(|file| file.expect("a file")).collect();
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| mode(&file.path()) == 0o600));
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_others_can_read_is_closed_to_them() {
    use std::os::unix::fs::PermissionsExt as _;

    let data = folder("readable");
    start(stepped_config(&data)).await.shutdown().await;
    let files = ["exchange.redb", "lock", "reserve"].map(|name| data.join(name));
    for others in (0..0o100).filter(|mode| mode & 0o022 == 0) {
        set_mode(&data, 0o700 | others);
        for file in &files {
            set_mode(file, 0o600 | others);
        }
        start(stepped_config(&data)).await.shutdown().await;
        for (path, expected) in files.iter().map(|file| (file, 0o600)).chain([(&data, 0o700)]) {
            let mode = fs::metadata(path).expect("there").permissions().mode() & 0o7777;
            assert_eq!(mode, expected, "{} had {others:o}", path.display());
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_others_can_write_is_rejected() {
    let data = folder("open");
    make_private_folder(&data);
    start(stepped_config(&data)).await.shutdown().await;
    let store = data.join("exchange.redb");
    for (path, good) in [(&data, 0o755), (&store, 0o600)] {
        for mode in [0o777, 0o775, 0o757, good | 0o020, good | 0o002] {
            set_mode(path, mode);
            let error = Sandbox::start(stepped_config(&data)).await.expect_err("rejected");
            assert!(error.is_about_data());
            let reason = std::error::Error::source(&error).expect("a reason").to_string();
            assert!(
                reason.starts_with("others may write to") && reason.contains("chmod go-w"),
                "{reason}"
            );
        }
        set_mode(path, good);
        start(stepped_config(&data)).await.shutdown().await;
    }
}

/// A fixture: a folder of a format after a kill, and its ledger. The `README.md` next to it explains how that of the
/// current format is made.
fn fixture(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/journal/format-{format}"))
}

fn ledger(sandbox: &Sandbox) -> String {
    let (fills, orders) = (sandbox.fills(), sandbox.orders());
    format!("{}\n{fills:#?}\n{orders:#?}\n{:#?}\n", sandbox.now_ms(), sandbox.balances())
}

/// Not a test: generates the fixture of the current format.
#[tokio::test]
#[ignore = "regenerates the fixture"]
async fn make_the_folder_of_format_3() {
    let data = folder("format-3-made");
    let price = Decimal::from(60_000);
    let config = stepped_config(&data).pairs([SpotPair::new("BTC", "USDT", 2, 5, price)]);
    let sandbox = start(config).await;
    let (spot, futures) = (Client::spot(&sandbox), Client::futures(&sandbox));
    let buy = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "137.5" });
    spot.order(buy).await;
    let rests = json!({ "symbol": "BTC_USDT", "side": "sell", "type": "limit", "price": "70000", "size": "0.01" });
    let id = spot.order(rests.clone()).await;
    spot.order(rests).await;
    let cancel = json!({ "symbol": "BTC_USDT", "order_id": id });
    spot.post("/spot/v3/cancel_order", cancel).await.data();
    let open = json!({ "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "cross", "size": 3 });
    futures.post("/contract/private/submit-order", open).await.data();
    let transfer = json!({ "currency": "USDT", "amount": "12.5", "type": "spot_to_contract" });
    futures.post("/account/v1/transfer-contract", transfer).await.data();
    let account = sandbox.create_account().expect("stored");
    sandbox.create_key(account, [Permission::ReadOnly]).expect("a key");
    sandbox.add_key(ApiKey::new("own", "a secret of a test", "memo")).expect("a new key");
    sandbox.set_balance(account, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    sandbox.pause_market_makers(true);
    sandbox.step_market(3);
    sandbox.pause_market_makers(false);
    sandbox.step_market(3);
    sandbox.advance(Duration::from_secs(45));
    let store = fs::read(data.join("exchange.redb")).expect("a store");
    fs::create_dir_all(fixture(3)).expect("a folder");
    let file = fs::File::create(fixture(3).join("exchange.redb.gz")).expect("a file");
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &store).expect("written");
    packed.finish().expect("written");
    fs::write(fixture(3).join("ledger.txt"), ledger(&sandbox)).expect("written");
}

/// Unpacks a fixture into a folder for a test.
fn unpack(format: u32) -> PathBuf {
    let data = folder(&format!("format-{format}"));
    make_private_folder(&data);
    let packed = fs::File::open(fixture(format).join("exchange.redb.gz")).expect("a file");
    let mut store = fs::File::create(data.join("exchange.redb")).expect("a file");
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut store).expect("unpacked");
    #[cfg(unix)]
    set_mode(&data.join("exchange.redb"), 0o600);
    data
}

async fn gives_the_same_ledger(format: u32) {
    let data = unpack(format);
    let expected = fs::read_to_string(fixture(format).join("ledger.txt")).expect("a ledger");
    // It is read again as this version has stored it, with a checkpoint and further changes.
    for round in 0..2 {
        let sandbox = start(Config::new().data(&data)).await;
        // The texts are too long for `assert_eq`.
        let found = ledger(&sandbox);
        assert!(found == expected, "round {round}: the ledger differs: {found}");
        assert!(sandbox.fills().len() >= 2 && sandbox.orders().len() >= 4);
        sandbox.pause_market_makers(true);
        sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn a_folder_of_format_2_gives_the_same_ledger() {
    gives_the_same_ledger(2).await;
}

#[tokio::test]
async fn a_folder_of_format_3_gives_the_same_ledger() {
    gives_the_same_ledger(3).await;
}

#[tokio::test]
async fn going_back_is_stored_before_anything_follows() {
    let path = folder("going_back");
    let sandbox = start(stepped_config(&path)).await;
    apply_changes(&sandbox, 0).await;
    let name = "before".to_owned();
    sandbox.operator().call(SaveSnapshot { name: name.clone() }).expect("saved");
    let saved = json_of(&sandbox);
    apply_changes(&sandbox, 1).await;
    sandbox.operator().call(GoBack { name: name.clone() }).expect("gone back");
    let gone_back = json_of(&sandbox);
    assert!(
        without_versions(&gone_back) == without_versions(&saved),
        "the state is the saved one, except that versions of books do not go back"
    );
    let at_once = copy(&path, "going_back_at_once");
    apply_changes(&sandbox, 2).await;
    // Twice, so that one checkpoint replaces another.
    sandbox.operator().call(GoBack { name }).expect("gone back");
    apply_changes(&sandbox, 3).await;
    let later = json_of(&sandbox);
    let killed = copy(&path, "going_back_killed");
    for (copied, expected) in [(at_once, &gone_back), (killed, &later)] {
        let restarted = start(stepped_config(&copied)).await;
        assert!(json_of(&restarted) == *expected, "{}", copied.display());
        restarted.shutdown().await;
    }
    sandbox.shutdown().await;
}
