//! Why each essential member is required. Any other member may be absent without the loss of its row.

use std::collections::BTreeSet;

use bitmart_rest::catalog::ENDPOINTS;
use bitmart_rest::endpoint::Effect;
use bitmart_ws::catalog::channels;

/// Ids of what a write created. Nothing else is required of a write: the rest repeats the request.
const RESULT_IDS: &[&str] = &["order_id", "withdraw_id", "transfer_id", "borrow_id", "repay_id"];

/// Last names of essential members, and why a row is meaningless without one.
const REASONS: &[(&str, &[&str])] = &[
    (
        "identity: which order, fill, loan, transfer, transaction or sub-account it is",
        &[
            "order_id",
            "orderId",
            "trade_id",
            "tradeId",
            "borrow_id",
            "repay_id",
            "transfer_id",
            "tran_id",
            "withdraw_id",
            "accountName",
            "trade_user_id",
        ],
    ),
    (
        "identity: of which pair or contract a row of a list is, or the order that it belongs to",
        &["symbol", "symbols[]"],
    ),
    (
        "identity: of which currency a row of a list is, and what its amounts are in",
        &["currency", "id", "ccy", "asset", "rebate_coin"],
    ),
    ("identity: where money goes", &["address"]),
    (
        "direction: a sale is not a purchase, and money in is not money out",
        &["side", "way", "type"],
    ),
    ("state of an order: without it an order is neither open nor finished", &["state"]),
    (
        "amount: the row has no other content",
        &[
            "amount",
            "price",
            "size",
            "vol",
            "qty",
            "deal_price",
            "deal_vol",
            "total_rebate_amount",
            "borrow_amount",
            "repaid_amount",
            "current_amount",
            "position_amt",
            "hold_volume",
            "funding_rate",
        ],
    ),
    ("unit: without it amounts in contracts have no meaning", &["contract_size"]),
    ("step: orders are rounded to it", &["quote_increment"]),
    ("bracket: the row is the limit of one leverage", &["initial_leverage", "notional_cap"]),
    (
        "candle: when it opened and its prices",
        &[
            "timestamp",
            "open_price",
            "high_price",
            "low_price",
            "close_price",
            "o",
            "h",
            "l",
            "c",
            "ts",
        ],
    ),
    ("when a rate was paid: the row is a rate at a time", &["funding_time"]),
    ("version: an update of a book applies to one version", &["version"]),
    ("the only content of the response", &["isInviteUser", "server_time"]),
    (
        "the list: rows under another name are not absent",
        &[
            "wallet",
            "records",
            "currencies",
            "symbols",
            "list",
            "rules",
            "brackets",
            "service",
            "asks",
            "bids",
            "historyList",
            "subAccountList",
            "rebate_detail_page_data",
        ],
    ),
    ("items of a list: each is a fault alone", &["orderIds[]", "successIds[]", "failIds[]"]),
];

/// The name by which a path has its reason. `None` for a column, whose form has its name.
fn name(path: &str) -> Option<&str> {
    let last = path.rsplit('.').next().unwrap_or(path);
    let is_column = last.ends_with(']') && !last.ends_with("[]");
    (!is_column).then_some(last)
}

#[test]
fn every_essential_member_has_a_reason() {
    let known = || REASONS.iter().flat_map(|(_, names)| *names).copied();
    let mut used = BTreeSet::new();
    let mut unknown = Vec::new();
    let rest = ENDPOINTS.iter().map(|entry| (entry.metadata.id, entry.essential));
    let ws = channels().iter().map(|channel| (channel.pattern, channel.essential));
    for (place, essential) in rest.chain(ws) {
        for path in essential {
            let Some(name) = name(path) else { continue };
            if !known().any(|known| known == name) {
                unknown.push(format!("{place} `{path}`"));
            }
            used.insert(name);
        }
    }
    assert!(unknown.is_empty(), "essential without a reason: {unknown:#?}");
    let unused: Vec<_> = known().filter(|known| !used.contains(known)).collect();
    assert!(unused.is_empty(), "no longer essential: {unused:?}");
}

#[test]
fn only_the_id_of_its_result_is_required_of_a_write() {
    let writes = ENDPOINTS.iter().filter(|entry| entry.metadata.effect != Effect::Read);
    for entry in writes {
        let other: Vec<_> = entry
            .essential
            .iter()
            .filter(|path| !RESULT_IDS.contains(path) && !path.ends_with("[]"))
            .collect();
        assert!(other.is_empty(), "{}: {other:?}", entry.metadata.id);
    }
}

#[test]
fn what_the_request_names_is_not_required_of_a_single_result() {
    let echoes = ["symbol", "currency", "cid", "leverage", "position_mode"];
    for entry in ENDPOINTS {
        // An order is the same type in lists, and a ticker the same as of the list of all tickers.
        let is_row = entry.essential.iter().any(|path| ["order_id", "orderId"].contains(path))
            || entry.metadata.path == "/spot/quotation/v3/ticker";
        let echo = entry.essential.iter().find(|path| echoes.contains(path));
        assert!(is_row || echo.is_none(), "{}: {echo:?}", entry.metadata.id);
    }
}
