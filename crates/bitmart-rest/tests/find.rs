//! `find` of every list that has it: each returns the row with that key.

use bitmart_rest::futures::{FindPosition, PositionSide};
use bitmart_rest::{account, affiliate, earn, futures, margin, spot, sub_account};
use bitmart_types::{Keyed, Rows};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::Index;
use serde_json::{Value, json};

/// Decodes a list of two rows that differ in `key`, and finds each of them. `member` holds the list;
/// empty if the response is the list.
fn check<T: DeserializeOwned, R: Serialize>(
    member: &str,
    row: &Value,
    key: impl Index + Copy,
    find: for<'a> fn(&'a T, &str) -> Option<&'a R>,
) {
    let name = std::any::type_name::<T>();
    let with_key = |id: &str| {
        let mut row = row.clone();
        row[key] = id.into();
        row
    };
    let rows = json!([with_key("11"), with_key("22")]);
    let response = if member.is_empty() { rows } else { json!({ member: rows }) };
    let list: T = serde_json::from_value(response).expect(name);
    for id in ["11", "22"] {
        let row = find(&list, id).unwrap_or_else(|| panic!("{name} has {id}"));
        let row = serde_json::to_value(row).expect(name);
        assert_eq!(row[key].to_string().trim_matches('"'), id, "{name}");
    }
    assert!(find(&list, "33").is_none(), "{name}");
}

#[test]
fn account_lists_find_their_rows() {
    check("wallet", &json!({ "available": "1" }), "id", account::SpotWallet::find);
    check("wallet", &json!({ "available": "1" }), "currency", account::Wallet::find);
    check("currencies", &json!({}), "currency", account::FundingCurrencies::find);
    let funding = json!({ "currency": "USDT" });
    check("records", &funding, "deposit_id", account::FundingHistory::find);
    check("records", &funding, "withdraw_id", account::FundingHistory::find);
    check("list", &json!({}), "address", account::WithdrawAddresses::find);
}

#[test]
fn affiliate_lists_find_their_rows() {
    fn rebate<'a>(rebates: &'a affiliate::Rebates, uid: &str) -> Option<&'a affiliate::Rebate> {
        assert!(rebates.find(uid, "BTC").is_none(), "another currency");
        rebates.find(uid, "USDT")
    }
    let row = json!({ "rebate_coin": "USDT", "total_rebate_amount": "1" });
    check("rebate_detail_page_data", &row, "trade_user_id", rebate);
    check("list", &json!({}), "cid", affiliate::Customers::find);
}

#[test]
fn earn_lists_find_their_rows() {
    check("", &json!({}), "coinName", Rows::<earn::Holding>::find);
    check("list", &json!({}), "productId", earn::FixedProducts::find);
    check("list", &json!({ "productId": "33" }), "earnId", earn::FixedHoldings::find);
    check("list", &json!({ "productId": "33" }), "recordId", earn::FixedRecords::find);
    check("list", &json!({}), "productId", earn::FlexibleProducts::find);
    check("list", &json!({ "productId": "33" }), "earnId", earn::FlexibleHoldings::find);
    check("list", &json!({ "productId": "33" }), "recordId", earn::FlexibleRecords::find);
}

#[test]
fn futures_lists_find_their_rows() {
    let transfer = json!({ "currency": "USDT", "amount": "1", "type": "spot_to_contract" });
    check("symbols", &json!({ "contract_size": "1" }), "symbol", futures::Contracts::find);
    check("list", &json!({}), "symbol", futures::FundingRates::find);
    check("rules", &json!({ "brackets": [] }), "symbol", futures::LeverageRules::find);
    check("", &json!({ "available_balance": "1" }), "currency", futures::Balances::find);
    check("wallet", &json!({ "available": "1" }), "currency", futures::SubAccountWallet::find);
    check("records", &transfer, "transfer_id", futures::Transfers::find);
    let order = json!({ "symbol": "BTCUSDT", "side": 1, "state": 2 });
    check("", &order, "order_id", Rows::<futures::Order>::find);
    check("", &order, "order_id", Rows::<futures::PlanOrder>::find);
    let fill =
        json!({ "order_id": "33", "symbol": "BTCUSDT", "side": 1, "price": "1", "vol": "1" });
    check("", &fill, "trade_id", Rows::<futures::Fill>::find);
}

/// Finds positions in a list of one type of row: a long and a short one of `BTCUSDT`, a long one of
/// `ETHUSDT`, and a row without a side. `side` is the member with the side, `size` that with the number of
/// contracts: 1, 2, 3 and 0 in this order.
fn check_positions<R: Serialize + DeserializeOwned>(
    side: &str,
    size: &str,
    [long, short]: [Value; 2],
) where
    Rows<R>: FindPosition<Position = R>,
{
    let row = |symbol: &str, position_side: &Value, contracts: &str| {
        json!({
            "symbol": symbol, side: position_side, size: contracts,
        })
    };
    let rows = json!([
        row("BTCUSDT", &long, "1"),
        row("BTCUSDT", &short, "2"),
        row("ETHUSDT", &long, "3"),
        row("SOLUSDT", &Value::Null, "0"),
    ]);
    let rows: Rows<R> = serde_json::from_value(rows).expect("positions");
    let contracts = |symbol: &str, side: &PositionSide| {
        let row = rows.find_position(symbol, side)?;
        Some(serde_json::to_value(row).expect("a position")[size].clone())
    };
    assert_eq!(contracts("BTCUSDT", &PositionSide::Long), Some("1".into()));
    assert_eq!(contracts("BTCUSDT", &PositionSide::Short), Some("2".into()));
    assert_eq!(contracts("ETHUSDT", &PositionSide::Long), Some("3".into()));
    assert_eq!(contracts("ETHUSDT", &PositionSide::Short), None);
    assert_eq!(contracts("SOLUSDT", &PositionSide::Both), None, "a row without a side");
}

#[test]
fn positions_are_found_by_contract_and_side() {
    let text = || ["long", "short"].map(Value::from);
    check_positions::<futures::Position>("position_side", "current_amount", text());
    check_positions::<futures::PositionRisk>("position_side", "position_amt", text());
    check_positions::<futures::PositionV1>(
        "position_type",
        "current_amount",
        [1, 2].map(Value::from),
    );
}

#[test]
fn margin_lists_find_their_rows() {
    let loan = json!({ "currency": "USDT", "borrow_amount": "1" });
    let repayment = json!({ "currency": "USDT", "repaid_amount": "1" });
    check("symbols", &json!({}), "symbol", margin::Accounts::find);
    check("symbols", &json!({}), "symbol", margin::Pairs::find);
    check("records", &loan, "borrow_id", margin::BorrowRecords::find);
    check("records", &repayment, "repay_id", margin::RepayRecords::find);
}

#[test]
fn spot_lists_find_their_rows() {
    let ticker = json!(["", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
    check("", &ticker, 0, Rows::<spot::TickerRow>::find);
    check("currencies", &json!({}), "id", spot::Currencies::find);
    check("symbols", &json!({ "quote_increment": "1" }), "symbol", spot::SymbolDetails::find);
    let order = json!({ "symbol": "BTC_USDT", "side": "buy", "state": "new" });
    check("", &order, "orderId", Rows::<spot::Order>::find);
    check("", &json!({}), "orderId", Rows::<spot::AlgoOrder>::find);
    let fill =
        json!({ "orderId": "33", "symbol": "BTC_USDT", "side": "buy", "price": "1", "size": "1" });
    check("", &fill, "tradeId", Rows::<spot::Fill>::find);
    let pairs = json!({ "symbols": ["BTC_USDT"] });
    let pairs: spot::Symbols = serde_json::from_value(pairs).expect("a pair");
    assert!(pairs.find("BTC_USDT").is_some() && pairs.find("ETH_USDT").is_none());
}

#[test]
fn sub_account_lists_find_their_rows() {
    check("subAccountList", &json!({}), "accountName", sub_account::Accounts::find);
    check("wallet", &json!({ "available": "1" }), "currency", sub_account::Wallet::find);
}

#[test]
fn a_row_without_a_key_is_not_found() {
    let holdings: Rows<earn::Holding> = serde_json::from_value(json!([{}])).expect("a row");
    assert_eq!(holdings[0].key(), None);
    assert_eq!(holdings.find(""), None);
}
