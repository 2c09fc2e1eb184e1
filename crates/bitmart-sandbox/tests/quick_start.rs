//! The orders of BitMart's quick start: each is accepted with other addresses and keys only.

mod common;

use bitmart_sandbox::{Config, Decimal};
use common::{Client, start};
use serde_json::{Value, json};

/// The orders of the samples. Those of Python, Go, Java, PHP, JavaScript, Ruby, C#, Rust and C++ are the same sell
/// order; the SDK samples of Python and PHP buy; those of Node and Go sell with numbers instead of strings.
fn sample_orders() -> Vec<Value> {
    let sell = json!({ "size": "100", "price": "500000", "side": "sell", "symbol": "BTC_USDT", "type": "limit" });
    let mut orders = vec![sell; 9];
    orders.extend([
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.01", "price": "8800" }),
        json!({ "symbol": "BTC_USDT", "side": "sell", "type": "limit", "size": 10000, "price": "500000" }),
        json!({ "size": 100, "price": 50000, "side": "sell", "symbol": "BTC_USDT", "type": "limit" }),
        json!({ "symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.1", "price": "8800",
                "client_order_id": "test20000000001" }),
    ]);
    orders
}

#[tokio::test]
async fn the_default_account_can_pay_for_every_sample_order_several_times() {
    let sandbox = start(Config::new().stepped_clock(1_700_000_000_000).rate_limits(false)).await;
    let client = Client::spot(&sandbox);
    for order in sample_orders() {
        client.order(order).await;
    }
    for mut order in [sample_orders(), sample_orders()].concat() {
        order.as_object_mut().expect("an order").remove("client_order_id");
        client.order(order).await;
    }
}

#[tokio::test]
async fn an_account_starts_with_the_configured_balances() {
    let config = Config::new().rate_limits(false).market_maker(false);
    let sandbox = start(config.starting_balances("BTC=0.5,USDT=1234.5").expect("a list")).await;
    let available = |account: u32, wallet: &str, currency: &str| {
        let rows = sandbox.balances();
        let row = rows
            .iter()
            .find(|row| (row.account, row.wallet, &*row.currency) == (account, wallet, currency));
        row.map_or(Decimal::ZERO, |row| row.available)
    };
    let later = sandbox.create_account().expect("stored");
    for account in [1, later] {
        assert_eq!(available(account, "spot", "BTC"), Decimal::new(5, 1));
        assert_eq!(available(account, "spot", "USDT"), Decimal::new(12_345, 1));
        assert_eq!(available(account, "futures", "USDT"), Decimal::new(12_345, 1));
        assert_eq!(available(account, "spot", "ETH"), Decimal::from(50));
    }
    assert_eq!(available(2, "spot", "USDT"), Decimal::ZERO, "sub-accounts start empty");
}
