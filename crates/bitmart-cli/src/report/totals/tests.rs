//! Fees and sides that are not known.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_fee_that_is_not_known_is_counted_as_such_and_is_in_no_sum() {
    let trade = |id: u32, fee: Value| {
        json!({
            "tradeId": id.to_string(), "orderId": "1", "clientOrderId": "", "symbol": "BTC_USDT",
            "side": "buy", "type": "limit", "stpMode": "none", "orderMode": "spot", "price": "1",
            "size": "1", "notional": "1", "fee": fee, "feeCoinName": "USDT", "tradeRole": "maker",
            "createTime": 1_750_000_000_000_i64, "updateTime": 1_750_000_000_000_i64,
        })
    };
    let folder = tempfile::tempdir().expect("a folder");
    let rows = vec![trade(1, json!("0.5")), trade(2, Value::Null), trade(3, json!(""))];
    let archive = Archive::with_rows(folder.path(), &[("trades", "spot_account_trades", rows)]);
    let (totals, problems) = collect(&archive, &Zone::utc()).expect("sums");
    let month = "2025-06".to_owned();
    let known = [((month.clone(), Market::Spot, "USDT".to_owned()), Decimal::new(5, 1))];
    assert_eq!(totals.fees, known.into());
    assert_eq!(totals.unknown_fees, [((month, Market::Spot), 2)].into());
    let pair = &totals.pairs[&(Market::Spot, "BTC_USDT".to_owned())];
    assert_eq!((pair.unknown_fees, pair.volume.trades), (2, 3));
    let fees: Vec<_> = totals.trades.iter().map(|row| row[7].as_str()).collect();
    assert_eq!(fees, ["unknown", "unknown", "0.5 USDT"]);
    let wanted = "trades: 2 rows not complete in the ledger: the fee is not known: 2 1; 3 1";
    assert_eq!(problems.lines(), [wanted]);
}

#[test]
fn a_futures_trade_of_an_unknown_side_is_neither_bought_nor_sold() {
    let trade = |id: u32, side: Value| {
        json!({
            "trade_id": id.to_string(), "order_id": "1", "symbol": "BTCUSDT", "side": side,
            "price": "100", "vol": "3", "exec_type": "Maker", "profit": false,
            "realised_profit": "0", "paid_fees": "0", "create_time": 1_750_000_000_000_i64,
        })
    };
    let contract = json!({
        "symbol": "BTCUSDT", "base_currency": "BTC", "quote_currency": "USDT",
        "contract_size": "0.01",
    });
    let folder = tempfile::tempdir().expect("a folder");
    let archive = Archive::with_rows(
        folder.path(),
        &[
            ("reference-contracts", "futures_contracts", vec![contract]),
            ("futures-trades", "futures_fills", vec![trade(1, json!(1)), trade(2, json!(9))]),
        ],
    );
    let (totals, _) = collect(&archive, &Zone::utc()).expect("sums");
    let pair = &totals.pairs[&(Market::Futures, "BTCUSDT".to_owned())];
    // 3 contracts of 0.01 BTC, at 100 USDT.
    assert_eq!((pair.bought, pair.sold), (Decimal::new(3, 2), Decimal::ZERO));
    assert_eq!((pair.volume.bought, pair.volume.sold), (Decimal::from(3), Decimal::ZERO));
    assert_eq!((pair.volume.trades, totals.without_volume), (2, 1));
}
