//! Trades whose fee is not known.

use bitmart::Decimal;
use serde_json::{Value, json};

use super::super::{Entry, Ledger};
use crate::export::Archive;

#[test]
fn a_trade_without_a_readable_fee_is_booked_and_its_fee_is_reported_as_unknown() {
    let trade = |fee: Value, coin: Value| {
        json!({
            "tradeId": "1", "orderId": "1", "clientOrderId": "", "symbol": "BTC_USDT",
            "side": "buy", "type": "limit", "stpMode": "none", "orderMode": "spot", "price": "1",
            "size": "1", "notional": "2", "fee": fee, "feeCoinName": coin, "tradeRole": "maker",
            "createTime": 1_750_000_000_000_i64, "updateTime": 1_750_000_000_000_i64,
        })
    };
    let zero = trade(json!("0"), Value::Null);
    let mut absent = trade(Value::Null, Value::Null);
    absent.as_object_mut().expect("a row").remove("fee");
    for (row, is_unknown) in [
        (zero, false),
        (absent, true),
        (trade(Value::Null, json!("BMX")), true),
        (trade(json!(""), json!("BMX")), true),
        (trade(json!("0.1"), Value::Null), true),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Archive::with_rows(
            folder.path(),
            &[("trades", "spot_account_trades", vec![row.clone()])],
        );
        let (sums, problems) = Ledger::new(&archive).sums(None).expect("sums");
        let amounts: Vec<_> = sums.values().map(Decimal::to_string).collect();
        assert_eq!(amounts, ["1", "-2"], "{row}");
        let wanted = "trades: 1 row not complete in the ledger: the fee is not known: 1 1";
        let lines = problems.lines();
        assert_eq!(lines, if is_unknown { vec![wanted] } else { Vec::new() }, "{row}");
        let mut entry = None;
        let each = |one: &Entry| {
            entry = Some(one.clone());
            Ok(())
        };
        Ledger::new(&archive).each(each).expect("rows");
        let entry = entry.expect("a trade");
        assert_eq!(entry.is_fee_unknown, is_unknown, "{row}");
        assert_eq!(entry.note.as_deref(), is_unknown.then_some("fee unknown"), "{row}");
    }
}
