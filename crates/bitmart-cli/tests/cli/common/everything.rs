//! The archive of a month in which everything happened that an account can do; made once for all tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use bitmart::sandbox::WalletKind;
use bitmart::{Decimal, dec};
use serde_json::json;

use super::month::{DAY, Month};

/// An archive of a month in which everything happened that an account can do.
pub(crate) struct Archive {
    pub(crate) home: tempfile::TempDir,
    /// The balances of all wallets of the account itself, without sub-accounts.
    pub(crate) holdings: BTreeMap<String, Decimal>,
}

impl Archive {
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("archive")
    }
}

pub(crate) static ARCHIVE: LazyLock<Archive> = LazyLock::new(make);

fn make() -> Archive {
    let mut month = Month::begin_earlier(Duration::from_secs(3600));
    begin_with_deposits(&month);
    for day in 0..30 {
        if day % 3 == 2 {
            month.advance(Duration::from_secs(82_800));
        } else {
            month.day(day);
        }
        match day {
            2 => savings(&month),
            5 => margin(&month),
            8 => sub_account(&month),
            _ => {}
        }
        month.advance(Duration::from_secs(3600));
    }
    month.advance(DAY);
    let home = tempfile::tempdir().expect("a folder");
    let run = month.export(&home.path().join("archive"), &[]);
    assert_eq!(run.code, 0, "{}", run.err);
    let mut holdings: BTreeMap<String, Decimal> = BTreeMap::new();
    for balance in month.place.sandbox.balances().into_iter().filter(|one| one.account == 1) {
        *holdings.entry(balance.currency).or_default() += balance.available + balance.frozen;
    }
    holdings.retain(|_, amount| !amount.is_zero());
    Archive { home, holdings }
}

/// Everything that the account has came by a row.
fn begin_with_deposits(month: &Month) {
    let sandbox = &month.place.sandbox;
    for (wallet, kind) in [("spot", WalletKind::Spot), ("futures", WalletKind::Futures)] {
        let own = |one: &bitmart::sandbox::Balance| one.account == 1 && one.wallet == wallet;
        for balance in sandbox.balances().into_iter().filter(own) {
            sandbox.set_balance(1, kind, &balance.currency, Decimal::ZERO).expect("a wallet");
        }
    }
    // The operator's changes are before the archive.
    month.advance(Duration::from_secs(3600));
    sandbox.deposit(1, "USDT", dec!(50_000)).expect("a deposit");
    sandbox.deposit(1, "BTC", dec!(1)).expect("a deposit");
    month.advance(Duration::from_secs(3600));
    month.runtime.block_on(transfer(month, "5000"));
}

async fn transfer(month: &Month, amount: &str) {
    let asked = json!({ "currency": "USDT", "amount": amount, "type": "spot_to_contract" });
    month.owner.send("futures_transfer", asked).await;
}

/// Some of it is taken out again; interest comes every day.
fn savings(month: &Month) {
    let owner = &month.owner;
    month.runtime.block_on(async {
        let asked = json!({ "currentPage": 1, "sizePage": 100, "coinName": "USDT" });
        let products = owner.send("earn_flexible_products", asked).await;
        let product = products["data"]["list"][0]["productId"].clone();
        let asked =
            json!({ "productId": product, "amount": "1000", "requestNo": "00000000000000000001" });
        owner.send("earn_subscribe_flexible", asked).await;
    });
    month.advance(Duration::from_secs(3600));
    month.runtime.block_on(async {
        let asked = json!({ "currentPage": 1, "sizePage": 100 });
        let holdings = owner.send("earn_flexible_holdings", asked).await;
        let id = holdings["data"]["list"][0]["earnId"].clone();
        let asked = json!({ "earnId": id, "amount": "250.5", "requestNo": "00000000000000000002" });
        owner.send("earn_redeem_flexible", asked).await;
    });
}

/// A loan, its interest and its repayment.
fn margin(month: &Month) {
    let owner = &month.owner;
    let money =
        |amount: &str| json!({ "symbol": "BTC_USDT", "currency": "USDT", "amount": amount });
    month.runtime.block_on(async {
        let mut asked = money("500");
        asked["side"] = json!("in");
        owner.send("margin_transfer", asked).await;
        owner.send("margin_borrow", money("100")).await;
    });
    month.advance(Duration::from_secs(18_000));
    month.runtime.block_on(owner.send("margin_repay", money("40")));
}

fn sub_account(month: &Month) {
    let owner = &month.owner;
    month.runtime.block_on(async {
        let listed = owner.send("sub_accounts_list", json!({})).await;
        let name = listed["data"]["subAccountList"][0]["accountName"].clone();
        let asked =
            json!({ "requestNo": "tax-3", "amount": "12.5", "currency": "USDT", "subAccount": name });
        owner.send("sub_accounts_transfer_main_to_sub", asked).await;
    });
}
