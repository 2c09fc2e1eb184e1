//! The data folder: what was answered survives a stop, a kill, and a disk that is full.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bitmart_sandbox::{
    ApiKey, Config, Contract, Decimal, Permission, Sandbox, SpotPair, WalletKind,
};
use common::{Client, start};
use serde_json::json;

/// A folder of its own for every test, empty.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("durability").join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

/// Few markets, so that the beats are quick.
fn still(folder: &Path) -> Config {
    let price = Decimal::from;
    let pairs = [
        SpotPair::new("BTC", "USDT", 2, 5, price(60_000)),
        SpotPair::new("ETH", "USDT", 2, 4, price(3_000)),
    ];
    let contracts = [Contract::new("BTC", "USDT", Decimal::new(1, 3), 1, price(60_000))];
    let config = Config::new().pairs(pairs).contracts(contracts);
    config.seed(9).stepped_clock(1_700_000_000_000).rate_limits(false).data(folder)
}

/// Inputs of every kind.
async fn act(sandbox: &Sandbox, round: u32) -> ApiKey {
    let (spot, futures) = (Client::spot(sandbox), Client::futures(sandbox));
    for (side, price) in [("buy", "50000"), ("sell", "70000")] {
        let order = json!({ "symbol": "BTC_USDT", "side": side, "type": "limit", "price": price, "size": "0.01" });
        let id = spot.order(order).await;
        if round.is_multiple_of(2) {
            let cancel = json!({ "symbol": "BTC_USDT", "order_id": id });
            spot.post("/spot/v3/cancel_order", cancel).await.data();
        }
    }
    // A number that is not written the way it is printed, and an order that is refused.
    let body = json!({ "symbol": "ETH_USDT", "side": "buy", "type": "market", "notional": 137.50 });
    spot.order(body).await;
    let rich =
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "9000000" });
    assert_eq!(spot.post("/spot/v2/submit_order", rich).await.code(), 50020);
    let open = json!({ "symbol": "BTCUSDT", "side": 1, "type": "market", "leverage": "10", "open_type": "cross", "size": 3 });
    futures.post("/contract/private/submit-order", open).await.data();
    let transfer = json!({ "currency": "USDT", "amount": "12.5", "type": "spot_to_contract" });
    futures.post("/account/v1/transfer-contract", transfer).await.data();
    sandbox.deposit(1, "BTC", Decimal::ONE).expect("an id");
    let account = sandbox.create_account();
    sandbox.create_key(account, [Permission::ReadOnly]).expect("a key");
    let name = format!("own{round}");
    let own = ApiKey::new(&name, "a secret of my own", "memo").account(account);
    sandbox.add_key(own.clone()).expect("a new key");
    sandbox.set_balance(account, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    sandbox.hold_market(round.is_multiple_of(2));
    sandbox.step_market(7);
    sandbox.hold_market(false);
    sandbox.advance(Duration::from_secs(45));
    own
}

fn json_of(sandbox: &Sandbox) -> Vec<u8> {
    sandbox.snapshot().to_json().expect("JSON")
}

/// Makes a folder that only its owner may write, whatever is usual here.
fn make(path: &Path) {
    fs::create_dir_all(path).expect("a folder");
    #[cfg(unix)]
    set_mode(path, 0o755);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// What a kill would leave behind: the folder as it lies on the disk.
fn copy(from: &Path, name: &str) -> PathBuf {
    let to = folder(name);
    make(&to);
    fs::copy(from.join("exchange.redb"), to.join("exchange.redb")).expect("copies");
    to
}

#[tokio::test]
async fn the_journal_alone_brings_back_the_very_same_state() {
    let data = folder("journal");
    let first = start(still(&data)).await;
    let mut own = Vec::new();
    for round in 0..4 {
        own.push(act(&first, round).await);
    }
    // Other seed, markets, funds and manners: what happened does not depend on how it is started again.
    let again = || Config::new().seed(1).lenient(true).spot_balance("BTC", Decimal::TEN);
    let left = copy(&data, "journal-left");
    let second = start(again().rate_limits(false).data(&left)).await;
    assert!(json_of(&second) == json_of(&first), "the state is another one");
    assert_eq!(second.credentials(), first.credentials());
    for key in &own {
        let client = Client { key, ..Client::spot(&second) };
        let wallet = client.get("/spot/v1/wallet").await.data();
        let rows = wallet["wallet"].as_array().expect("rows");
        assert!(rows.iter().any(|row| row["id"] == "BTC" && row["available"] == "2.00000000"));
    }
    // And both go on alike.
    for sandbox in [&first, &second] {
        sandbox.step_market(5);
        assert_eq!(sandbox.create_key(1, []).expect("a key").account, 1);
    }
    assert!(json_of(&second) == json_of(&first), "they part");
}

#[tokio::test]
async fn a_stop_keeps_everything_and_frees_the_folder() {
    let data = folder("stop");
    let mut before = None;
    for round in 0..3 {
        let sandbox = start(still(&data)).await;
        if let Some(before) = before {
            assert!(json_of(&sandbox) == before, "round {round}");
        }
        act(&sandbox, round).await;
        before = Some(json_of(&sandbox));
        sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_refused_in_words() {
    let refused = async |config: Config| {
        let error = Sandbox::start(config).await.expect_err("refused");
        format!("{error}: {}", std::error::Error::source(&error).expect("a reason"))
    };
    let data = folder("refused");
    let first = start(still(&data)).await;
    let words = refused(still(&data)).await;
    assert!(words.contains("refused: it is in use by another sandbox"), "{words}");
    let snapshot = first.snapshot();
    first.shutdown().await;
    let words = refused(Config::new().restore(snapshot.clone()).data(&data)).await;
    assert!(words.contains("there is an exchange in it"), "{words}");
    fs::write(data.join("exchange.redb"), "something else").expect("writes");
    let words = refused(still(&data)).await;
    assert!(words.contains("no data of a sandbox, or damaged"), "{words}");
    let file = data.join("exchange.redb");
    assert!(refused(still(&file)).await.contains("cannot use the data folder"));
    // An empty folder takes a snapshot, also when a first start was broken off in it.
    let fresh = folder("fresh");
    make(&fresh);
    fs::write(fresh.join("exchange.redb.new"), "half a store").expect("writes");
    let second = start(Config::new().restore(snapshot.clone()).data(&fresh)).await;
    assert!(json_of(&second) == snapshot.to_json().expect("JSON"));
}

#[cfg(unix)]
#[tokio::test]
async fn folder_and_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let data = folder("modes");
    let _sandbox = start(still(&data)).await;
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> =
        fs::read_dir(&data).expect("reads").map(|file| file.expect("a file")).collect();
    assert_eq!(files.len(), 3);
    assert!(files.iter().all(|file| mode(&file.path()) == 0o600));
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_others_may_write_is_refused() {
    let data = folder("open");
    make(&data);
    start(still(&data)).await.shutdown().await;
    let store = data.join("exchange.redb");
    for (path, good) in [(&data, 0o755), (&store, 0o600)] {
        for mode in [0o777, 0o775, 0o757, good | 0o020, good | 0o002] {
            set_mode(path, mode);
            let error = Sandbox::start(still(&data)).await.expect_err("refused");
            assert!(error.is_about_data());
            let why = std::error::Error::source(&error).expect("a reason").to_string();
            assert!(why.starts_with("others may write to") && why.contains("chmod go-w"), "{why}");
        }
        set_mode(path, good);
        start(still(&data)).await.shutdown().await;
    }
}

/// A folder of the present format as a kill leaves it, and the ledger that belongs to it. `README.md` next to it
/// says how to make it anew.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal/format-2")
}

fn ledger(sandbox: &Sandbox) -> String {
    let (fills, orders) = (sandbox.fills(), sandbox.orders());
    format!("{}\n{fills:#?}\n{orders:#?}\n{:#?}\n", sandbox.now_ms(), sandbox.balances())
}

/// Not run with the others: it makes the fixture of the next test.
#[tokio::test]
#[ignore = "makes the fixture anew"]
async fn make_the_folder_of_format_2() {
    let data = folder("format-2-made");
    let price = Decimal::from(60_000);
    let config = still(&data).pairs([SpotPair::new("BTC", "USDT", 2, 5, price)]);
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
    let account = sandbox.create_account();
    sandbox.create_key(account, [Permission::ReadOnly]).expect("a key");
    sandbox.add_key(ApiKey::new("own", "a secret of a test", "memo")).expect("a new key");
    sandbox.set_balance(account, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    sandbox.hold_market(true);
    sandbox.step_market(3);
    sandbox.hold_market(false);
    sandbox.step_market(3);
    sandbox.advance(Duration::from_secs(45));
    let store = fs::read(data.join("exchange.redb")).expect("a store");
    let file = fs::File::create(kept().join("exchange.redb.gz")).expect("a file");
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &store).expect("written");
    packed.finish().expect("written");
    fs::write(kept().join("ledger.txt"), ledger(&sandbox)).expect("written");
}

#[tokio::test]
async fn a_folder_that_an_older_version_left_gives_the_same_ledger() {
    let data = folder("format-2");
    make(&data);
    let packed = fs::File::open(kept().join("exchange.redb.gz")).expect("a file");
    let mut store = fs::File::create(data.join("exchange.redb")).expect("a file");
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut store).expect("unpacked");
    drop(store);
    #[cfg(unix)]
    set_mode(&data.join("exchange.redb"), 0o600);
    let expected = fs::read_to_string(kept().join("ledger.txt")).expect("a ledger");
    let sandbox = start(Config::new().data(&data)).await;
    // A difference is found by eye in the two texts, which are long.
    assert!(ledger(&sandbox) == expected, "the ledger is another one: {}", ledger(&sandbox));
    assert!(sandbox.fills().len() >= 2 && sandbox.orders().len() >= 4);
}
