use bitmart::rest::account;
use bitmart::types::Rows;

use super::super::judge::{Fit, Progress, judge};
use super::super::{Baseline, Evidence};
use super::{listed, savings, withdrawal};
use crate::output::json::Json;

const EVM: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const NOW: i64 = 1_790_000_000_000;

fn requested(members: &[(&str, &str)]) -> Vec<(String, Json)> {
    let members = members.iter();
    members.map(|(name, value)| ((*name).to_owned(), Json::Text((*value).to_owned()))).collect()
}

fn to(address: &str) -> Vec<(String, Json)> {
    requested(&[("currency", "USDT-ERC20"), ("amount", "100"), ("address", address)])
}

fn record(members: &str) -> account::FundingRecord {
    let text = format!(
        r#"{{"withdraw_id":"7","currency":"USDT-ERC20","arrival_amount":"95","fee":"5","status":0,
            "apply_time":{NOW},{members}}}"#
    );
    // The last of two equal members counts.
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    serde_json::from_value(value).expect("a record")
}

fn evidence(members: &str, parameters: &[(String, Json)]) -> Evidence {
    let rows = Rows::from(vec![record(members)]);
    let baseline = Baseline { at_ms: NOW, ..Baseline::default() };
    judge(listed(&rows, |row| withdrawal(row, parameters)), &baseline)
}

#[test]
fn a_withdrawal_is_found_in_the_forms_that_mean_the_same() {
    for members in [
        format!(r#""address":"{EVM}""#),
        format!(r#""address":"{}","address_memo":"""#, EVM.to_lowercase()),
        format!(r#""address":"{EVM}","arrival_amount":"100.00""#),
        format!(r#""address":"{EVM}","currency":"USDT""#),
        format!(r#""address":"{EVM}","currency":"USDT-ETH","status":3"#),
    ] {
        assert_eq!(evidence(&members, &to(EVM)), Evidence::Found("7".into()), "{members}");
    }
}

#[test]
fn a_new_withdrawal_of_the_coin_that_differs_proves_nothing() {
    for members in [
        r#""address":"0x5290****9EE7""#.to_owned(),
        r#""fee":null"#.to_owned(),
        format!(r#""address":"{EVM}","address_memo":"1""#),
        format!(r#""address":"{EVM}","fee":"4.99""#),
        format!(r#""address":"{EVM}","currency":"USDT-TRC20""#),
        format!(r#""address":"{EVM}","status":9"#),
        format!(r#""address":"{EVM}","withdraw_id":"""#),
    ] {
        let evidence = evidence(&members, &to(EVM));
        assert!(matches!(evidence, Evidence::Inconclusive(_)), "{members}: {evidence:?}");
    }
    let old = format!(r#""address":"0x1","apply_time":{}"#, NOW - 60_001);
    for members in [old, r#""address":"0x1","currency":"BTC""#.to_owned()] {
        assert_eq!(evidence(&members, &to(EVM)), Evidence::NotFound, "{members}");
    }
}

#[test]
fn a_withdrawal_that_failed_is_not_taken_for_a_success() {
    for status in [4, 5] {
        let members = format!(r#""address":"{EVM}","status":{status}"#);
        assert_eq!(evidence(&members, &to(EVM)), Evidence::Failed("7".into()));
    }
}

#[test]
fn a_transfer_to_another_account_matches_by_its_recipient() {
    let inside =
        requested(&[("currency", "USDT"), ("amount", "100"), ("type", "1"), ("value", "2")]);
    for members in [r#""address":"""#, r#""address":"2""#] {
        assert_eq!(evidence(members, &inside), Evidence::Found("7".into()), "{members}");
    }
    let other = evidence(r#""address":"3""#, &inside);
    assert!(matches!(other, Evidence::Inconclusive(_)), "{other:?}");
}

#[test]
fn a_row_without_a_request_number_may_be_the_one() {
    let rows = |numbers: &[Option<&str>]| {
        let rows = Rows::from(numbers.to_vec());
        savings(Some(rows), "42", Option::as_ref).rows
    };
    let fits = |rows: Vec<super::Row>| rows.iter().map(|row| row.fit).collect::<Vec<_>>();
    assert_eq!(fits(rows(&[Some("41"), Some("42")])), [Fit::Other, Fit::Exact]);
    let [row] = &rows(&[None])[..] else { panic!("one row") };
    assert_eq!((row.fit, row.id.as_ref(), row.progress), (Fit::Possible, None, Progress::Accepted));
    assert!(!savings::<Option<&str>, &str>(None, "42", Option::as_ref).is_complete);
}
