//! Spellings that compare equal, and frames without data.

use std::fs;

fn check(name: &str, recording: &str) -> conformance::Report {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), recording).expect("a file");
    conformance::check(&[folder.path().to_owned()], false).expect("a report")
}

#[test]
fn keywords_compare_without_case_and_unknown_ones_are_kept() {
    let order = |margin: &str| {
        format!(
            r#"{{"method":"POST","path":"/contract/private/submit-order","body":{{"symbol":"BTCUSDT",
            "side":1,"type":"market","size":1,"leverage":"10","open_type":"{margin}"}},
            "status":200,"response":{{"code":1000,"message":"Ok","data":{{"order_id":1,"price":"1"}}}}}}"#
        )
    };
    assert_eq!(check("same.json", &order("Cross")).failed, 0);
    assert_eq!(check("new.json", &order("portfolio")).failed, 0);
}

#[test]
fn control_frames_pass_if_the_dialect_knows_them() {
    let known = r#"{"ws":"spot","frame":{"event":"subscribe","topic":"spot/ticker:BTC_USDT"}}"#;
    assert_eq!(check("ack.json", known).passed, 1);
    let rejection = r#"{"ws":"futures","frame":{"action":"subscribe","group":"Depth:1",
        "success":false,"error":"authentication is temporarily unavailable"}}"#;
    assert_eq!(check("rejection.json", rejection).passed, 1);
    let unknown = r#"{"ws":"spot","frame":{"hello":"world"}}"#;
    assert_eq!(check("unknown.json", unknown).failed, 1);
}

#[test]
fn an_empty_text_in_an_order_update_is_kept() {
    let frame = r#"{"ws":"futures","frame":{"group":"futures/order","data":[{"action":3,"order":{
        "order_id":"1","client_order_id":"","price":"1","size":"1","symbol":"BTCUSDT","state":4,
        "side":4,"type":"plan_order","leverage":"5","open_type":"cross","deal_avg_price":"0",
        "deal_size":"0","create_time":1662368173000,"update_time":1662368173000,
        "plan_order_id":"","last_trade":null,"trigger_price":"100",
        "trigger_price_type":"last_price","execution_price":"-","activation_price_type":"-",
        "activation_price":"-","callback_rate":"-","position_mode":"one_way_mode"}}]}}"#;
    let report = check("order.json", frame);
    assert_eq!((report.passed, report.failed), (1, 0), "{report}");
}

#[test]
fn a_withdrawal_id_may_be_a_number() {
    let recording = r#"{"method":"POST","path":"/account/v1/withdraw/apply",
        "body":{"currency":"USDT-TRC20","amount":"100","address":"abc"},
        "status":200,"response":{"code":1000,"message":"OK","data":{"withdraw_id":121212}}}"#;
    let report = check("withdraw.json", recording);
    assert_eq!((report.passed, report.failed), (1, 0), "{report}");
}
