//! What the exchange does not send is unread, and neither zero nor off.

use bitmart::rest::{Unverified, earn};
use bitmart::types::Rows;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::super::facts::Facts;
use super::*;

fn rows<T: DeserializeOwned>(row: &Value) -> Vec<T> {
    vec![serde_json::from_value(row.clone()).expect("a row")]
}

/// Asserts that `add` leaves nothing unread of the whole row, and one thing without any of `members`.
fn each_absence_is_unread(whole: &Value, members: &[&str], add: impl Fn(&mut Facts, &Value)) {
    let unread = |row: &Value| {
        let mut facts = Facts::default();
        add(&mut facts, row);
        facts.unread
    };
    assert_eq!(unread(whole), [""; 0], "{whole}");
    for member in members {
        let mut row = whole.clone();
        *row.pointer_mut(member).expect("a member") = Value::Null;
        let unread = unread(&row);
        assert_eq!(unread.len(), 1, "without {member}: {unread:?}");
    }
}

#[test]
fn an_absent_amount_of_spot_or_futures_is_unread() {
    let spot = json!({ "id": "BTC", "available": "1", "frozen": "0" });
    each_absence_is_unread(&spot, &["/available", "/frozen"], |facts, row| {
        add_spot(facts, rows(row), &mut BTreeMap::new());
    });
    let futures = json!({
        "currency": "USDT", "available_balance": "1", "frozen_balance": "0", "position_deposit": "0",
    });
    let members = ["/available_balance", "/frozen_balance", "/position_deposit"];
    each_absence_is_unread(&futures, &members, |facts, row| add_futures(facts, rows(row)));
}

#[test]
fn an_absent_amount_of_funding_is_unread_also_in_one_row() {
    let row = json!({ "currency": "BTC", "fundAvailable": "1", "fundFroze": "0" });
    each_absence_is_unread(&row, &["/fundAvailable"], |facts, row| {
        let mut all = rows(&json!({ "currency": "USDT", "fundAvailable": "1", "fundFroze": "0" }));
        all.extend(rows(row));
        add_funding(facts, all, &BTreeMap::new());
    });
    let mut facts = Facts::default();
    add_funding(&mut facts, rows(&json!({ "currency": "BTC" })), &BTreeMap::new());
    assert_eq!(facts.unread, ["funding account: the exchange does not send it"]);
}

#[test]
fn an_absent_frozen_amount_of_funding_is_unknown_and_the_available_one_stays_known() {
    let mut facts = Facts::default();
    let row = json!({ "currency": "BTC", "fundAvailable": "2", "fundFroze": null });
    add_funding(&mut facts, rows(&row), &BTreeMap::new());
    let [balance] = &facts.balances[..] else { panic!("{facts:?}") };
    assert_eq!((balance.free, balance.held.len()), (Decimal::TWO, 0));
    let currency = "BTC".to_owned();
    assert_eq!(facts.unknown_frozen, [UnknownFrozen { wallet: Wallet::Funding, currency }]);
    assert_eq!(facts.unread, [""; 0], "no query failed");
    let plan = super::super::super::plan::plan(&facts, &BTreeMap::new());
    let unknown = plan.stuck.iter().find(|stuck| stuck.amount.is_none());
    let stuck = unknown.expect("the frozen amount");
    assert_eq!((&*stuck.place, &*stuck.currency), ("funding", "BTC"));
    assert!(stuck.reason.contains("does not send how much is frozen"), "{stuck:?}");
}

#[test]
fn an_absent_part_of_isolated_margin_is_unread() {
    let side = |currency: &str| {
        json!({
            "currency": currency, "available": "1", "frozen": "0", "borrow_unpaid": "0",
            "interest_unpaid": "0",
        })
    };
    let row = json!({ "symbol": "BTC_USDT", "base": side("BTC"), "quote": side("USDT") });
    let parts = ["", "/currency", "/available", "/frozen", "/borrow_unpaid", "/interest_unpaid"];
    let members: Vec<_> = ["/base", "/quote"]
        .iter()
        .flat_map(|side| parts.iter().map(move |part| format!("{side}{part}")))
        .collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    each_absence_is_unread(&row, &members, |facts, row| add_margin(facts, rows(row)));
}

#[test]
fn automatic_saving_is_off_only_if_the_exchange_says_so() {
    for (status, is_on, is_read) in [
        (json!({ "batchSubscribeStatus": "open" }), true, true),
        (json!({ "batchSubscribeStatus": "close" }), false, true),
        (json!({ "batchSubscribeStatus": null }), false, false),
        (json!({ "batchSubscribeStatus": "paused" }), false, false),
    ] {
        let mut facts = Facts::default();
        let value: earn::AutoSaving = serde_json::from_value(status.clone()).expect("a status");
        add_auto_saving(&mut facts, Some(value));
        assert_eq!((facts.auto_saving, facts.unread.is_empty()), (is_on, is_read), "{status}");
    }
    let mut facts = Facts::default();
    add_auto_saving(&mut facts, None);
    assert_eq!(facts.unread.len(), 1, "of another form");
}

#[test]
fn a_page_of_another_form_is_unread() {
    for (text, is_read) in [
        (r#"{"total":0}"#, true),
        (r#"{"total":0,"list":[]}"#, true),
        (r#"{"total":3}"#, false),
        (r#"{"rows":[]}"#, false),
        ("[]", false),
        ("\"closed\"", false),
    ] {
        let page: Unverified<earn::FlexibleHoldings> = serde_json::from_str(text).expect("JSON");
        let mut facts = Facts::default();
        let found = facts.unverified_rows_or_note("flexible savings", Ok(page), |page| {
            rows_or_empty(page.holdings, page.total)
        });
        assert!(found.is_empty(), "{text}");
        assert_eq!(facts.unread.is_empty(), is_read, "{text}: {:?}", facts.unread);
    }
    let page: Unverified<Rows<earn::Holding>> = serde_json::from_str("true").expect("JSON");
    let mut facts = Facts::default();
    assert!(facts.unverified_rows_or_note("savings by coin", Ok(page), Some).is_empty());
    assert_eq!(facts.unread.len(), 1, "{:?}", facts.unread);
}
