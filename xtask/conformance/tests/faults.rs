//! Recordings with defects: the check must report each with its path.

use std::fs;

use conformance::{Difference, Report, check};

/// Checks one recording.
fn report(recording: &str, known_only: bool) -> Report {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("recording.json"), recording).expect("written");
    check(&[folder.path().to_owned()], known_only).expect("the folder exists")
}

/// The differences of one recording, as `path: expected, got`.
fn differences(recording: &str) -> Vec<String> {
    report(recording, false)
        .differences
        .into_iter()
        .map(|(_, Difference { path, expected, got, .. })| format!("{path}: {expected}, {got}"))
        .collect()
}

/// A recording of the time endpoint with these members in its data.
fn time(data: &str) -> String {
    format!(
        r#"{{"method":"GET","path":"/system/time","query":null,"status":200,
            "response":{{"code":1000,"message":"OK","trace":"t","data":{data}}}}}"#
    )
}

/// A recording of a query for one order with these parameters.
fn order(body: &str) -> String {
    format!(r#"{{"method":"POST","path":"/spot/v4/query/order","body":{body},"response":null}}"#)
}

fn trades(row: &str) -> String {
    format!(
        r#"{{"method":"GET","path":"/spot/quotation/v3/trades","query":null,"status":200,
            "response":{{"code":1000,"message":"success","data":[{row}]}}}}"#
    )
}

#[test]
fn a_valid_recording_passes() {
    assert_eq!(differences(&time(r#"{"server_time":1527777538000}"#)), [""; 0]);
    assert_eq!(differences(&order(r#"{"orderId":"1","recvWindow":5000}"#)), [""; 0]);
}

#[test]
fn reports_a_member_that_the_model_drops() {
    assert_eq!(
        differences(&time(r#"{"server_time":1527777538000,"zone":"UTC"}"#)),
        [r#"response.data.zone: "UTC", nothing"#]
    );
    assert_eq!(
        differences(&time(r#"{"server_time":1527777538000,"zone":null}"#)),
        ["response.data.zone: null, nothing"],
        "a member without a value is a member"
    );
    assert_eq!(
        differences(&trades(r#"["BTC_USDT","1691743270994","1.0","2","sell","77"]"#)),
        [r#"response.data[0][5]: "77", nothing"#]
    );
}

#[test]
fn reports_a_member_of_the_envelope_that_the_client_does_not_read() {
    let recording = |envelope: &str| {
        format!(
            r#"{{"method":"GET","path":"/system/time","status":200,"response":{{{envelope}}}}}"#
        )
    };
    let data = r#""data":{"server_time":1527777538000}"#;
    assert_eq!(
        differences(&recording(&format!(r#""code":1000,"message":"OK","took":7,{data}"#))),
        ["response.took: 7, nothing"]
    );
    assert_eq!(
        differences(&recording(&format!(
            r#""code":1000,"message":{{"en":"OK"}},"trace":[],{data}"#
        ))),
        ["response.message: an object of 1, nothing", "response.trace: a list of 0, nothing"]
    );
    assert_eq!(
        differences(&recording(
            r#""code":50000,"message":"Bad Request","reason":"limit","data":{}"#
        )),
        [r#"response.reason: "limit", nothing"#],
        "in the envelope of an error as well"
    );
    assert_eq!(differences(&recording(&format!(r#""code":1000,"trace":null,{data}"#))), [""; 0]);
}

#[test]
fn a_price_compares_equal_without_the_places_that_do_not_fit_a_decimal() {
    let found = |price: &str| {
        differences(&trades(&format!(r#"["BTC_USDT","1691743270994","{price}","2","sell"]"#)))
    };
    assert_eq!(found("1.00000000000000000000000000000000001"), [""; 0]);
    // An integer part is not cut.
    let found = found("100000000000000000000000000000000000");
    let [difference] = found.as_slice() else { panic!("{found:?}") };
    assert!(difference.starts_with("response.data[0]: a row that decodes, "), "{difference}");
}

/// A recording of a ticker with these members changed, which declares its losses.
fn ticker(changes: &[(&str, &str)], lists: &str) -> String {
    let mut data: serde_json::Value = serde_json::json!({
        "symbol": "BTC_USDT", "last": "1", "v_24h": "1", "qv_24h": "1", "open_24h": "1",
        "high_24h": "1", "low_24h": "1", "fluctuation": "0", "bid_px": "1", "bid_sz": "1",
        "ask_px": "1", "ask_sz": "1", "ts": "1717737574061",
    });
    for (name, value) in changes {
        data[*name] = serde_json::from_str(value).expect("JSON");
    }
    format!(
        r#"{{"method":"GET","path":"/spot/quotation/v3/ticker","query":{{"symbol":"BTC_USDT"}},
            "response":{{"code":1000,"message":"success","data":{data}}}{lists}}}"#
    )
}

#[test]
fn exactly_the_declared_members_may_be_lost() {
    let listed = |paths: &str| format!(r#","unreadable":[{paths}]"#);
    let bid = r#""response.data.bid_px""#;
    let spoiled = [("bid_px", r#""--""#)];
    assert_eq!(differences(&ticker(&spoiled, &listed(bid))), [""; 0]);
    assert_eq!(
        differences(&ticker(&spoiled, "")).len(),
        2,
        "lost and not declared, reported as drift and not declared"
    );
    assert_eq!(
        differences(&ticker(&[], &listed(bid))),
        ["response.data.bid_px: a member that cannot be read, what decodes"]
    );
    assert_eq!(
        differences(&ticker(&[], r#","faults":["response.data[0]"]"#)),
        ["response.data[0]: a row that does not decode, what decodes"]
    );
    let markers = [("bid_px", "null"), ("ask_px", r#""""#), ("bid_sz", r#""-""#), ("ts", "0")];
    assert_eq!(
        differences(&ticker(&markers, "")),
        [""; 0],
        "spellings of no value need no declaration"
    );
}

#[test]
fn a_row_that_is_declared_as_a_fault_passes_and_the_others_are_compared() {
    let recording = |second: &str, lists: &str| {
        let rows = format!(
            r#"["BTC_USDT","1691743270994","1","2","sell"],{second},null,["BTC_USDT","1691743270994","3","2","sell"]"#
        );
        trades(&rows).replacen(r#""status":200"#, &format!(r#""status":200{lists}"#), 1)
    };
    let listed = r#","faults":["response.data[1]","response.data[2]"]"#;
    assert_eq!(differences(&recording(r#"["BTC_USDT"]"#, listed)), [""; 0]);
    assert_eq!(
        differences(&recording(r#"["BTC_USDT"]"#, "")).len(),
        2,
        "the short row and the null"
    );
    let good = r#"["BTC_USDT","1691743270994","2","2","sell"]"#;
    assert_eq!(differences(&recording(good, listed)).len(), 1, "it decodes");
}

#[test]
fn a_time_in_another_unit_is_reported_and_no_difference() {
    for time in [r#""1717737574""#, "1717737574061000", r#""1717737574.061""#] {
        let report = report(&ticker(&[("ts", time)], ""), false);
        assert_eq!((report.passed, report.units.len()), (1, 1), "{time}: {report}");
        assert!(report.to_string().contains("described as milliseconds"), "{report}");
    }
    let report = report(&ticker(&[("ts", "1717737574061.0")], ""), false);
    assert_eq!((report.passed, report.units.len()), (1, 0), "{report}");
}

#[test]
fn the_last_value_of_a_duplicate_member_counts() {
    let twice = ticker(&[], "").replacen(r#""ask_px":"1""#, r#""ask_px":"7","ask_px":"2""#, 1);
    assert_eq!(differences(&twice), [""; 0]);
}

#[test]
fn decimals_compare_by_value() {
    assert_eq!(differences(&trades(r#"["BTC_USDT","1691743270994","+1.00",2,"sell"]"#)), [""; 0]);
}

#[test]
fn reports_data_of_the_wrong_type() {
    let found = differences(&time(r#"{"server_time":[]}"#));
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("response.data.server_time: the typed response")),
        "{found:?}"
    );
    let found = differences(&trades(r#"["BTC_USDT","1691743270994","1.0",[],"sell"]"#));
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("response.data[0]: ")),
        "{found:?}"
    );
}

#[test]
fn an_unknown_endpoint_fails_unless_only_known_ones_are_checked() {
    let recording = r#"{"method":"GET","path":"/spot/v9/moon","query":null,"response":null}"#;
    assert_eq!(differences(recording), ["path: a described endpoint, GET /spot/v9/moon"]);
    let report = report(recording, true);
    assert_eq!((report.failed, report.skipped), (0, 1));
    assert_eq!(
        differences(r#"{"method":"POST","path":"/system/time","body":{},"response":null}"#),
        ["path: a described endpoint, POST /system/time"],
        "the method is part of the endpoint"
    );
}

#[test]
fn an_unknown_channel_fails() {
    assert_eq!(
        differences(r#"{"ws":"spot","frame":{"table":"spot/moon:BTC_USDT","data":[]}}"#),
        [r#"frame: a described channel, "spot/moon:BTC_USDT""#]
    );
}

#[test]
fn frames_without_a_published_sample_pass() {
    let candle = r#"{"o":"1","h":"1","l":"1","c":"1","v":"2","ts":1700533801}"#;
    for frame in [
        format!(
            r#""futures","frame":{{"group":"futures/klineBin1m:BTCUSDT","data":{{"symbol":"BTCUSDT","items":[{candle},{candle}]}}}}"#
        ),
        r#""futures","frame":{"group":"futures/depth5:BTCUSDT@100ms","data":{"symbol":"BTCUSDT","way":2,"depths":[],"ms_t":1700533801000}}"#.to_owned(),
        r#""futures","frame":{"group":"futures/trade:BTCUSDT","data":[]}"#.to_owned(),
        r#""spot","frame":{"table":"spot/bookTicker:BTC_USDT","data":{"symbol":"BTC_USDT","bid_px":"1"}}"#.to_owned(),
        r#""spot","frame":{"table":"spot/kline1M","data":[{"symbol":"BTC_USDT","candle":[1700533801,"1","1","1","1","0"]}]}"#.to_owned(),
    ] {
        let recording = format!(r#"{{"ws":{frame}}}"#);
        assert_eq!(differences(&recording), [""; 0], "{recording}");
    }
}

#[test]
fn reports_a_member_that_an_event_drops() {
    let entry = r#"{"symbol":"BTC_USDT","bid_px":"1","spread":"2"}"#;
    assert_eq!(
        differences(&format!(
            r#"{{"ws":"spot","frame":{{"table":"spot/bookTicker","data":[{entry}]}}}}"#
        )),
        [r#"frame.data[0].spread: "2", nothing"#]
    );
}

#[test]
fn reports_a_parameter_that_the_request_does_not_know() {
    assert_eq!(
        differences(&order(r#"{"orderId":"1","recvwindow":5000}"#)),
        ["body.recvwindow: a described parameter, 5000"]
    );
    assert_eq!(
        differences(&order(r#"{"orderId":"1","extra":""}"#)),
        [r#"body.extra: a described parameter, """#],
        "even without a value"
    );
    assert_eq!(
        differences(
            r#"{"method":"POST","path":"/spot/v4/batch_orders","body":{"symbol":"BTC_USDT",
            "orderParams":[{"side":"buy","type":"market","notional":"9","client_order_id":"7"}]}}"#
        ),
        [r#"body.orderParams[0].client_order_id: "7", nothing"#]
    );
}

#[test]
fn accepts_only_the_differences_of_a_request_that_the_description_lists() {
    let plan = |member: &str| {
        format!(
            r#"{{"method":"POST","path":"/contract/private/modify-plan-order","body":{{
                "symbol":"ETHUSDT","order_id":"1","trigger_price":"2","executive_price":"1",
                "price_type":1,"type":"limit",{member}:"9"}},"response":null}}"#
        )
    };
    assert_eq!(
        differences(&plan(r#""client_order_id""#)),
        [""; 0],
        "removed, but still sent by some"
    );
    assert_eq!(
        differences(&plan(r#""clientId""#)),
        [r#"body.clientId: a described parameter, "9""#]
    );

    let transfers = |query: &str| {
        format!(
            r#"{{"method":"GET","path":"/account/sub-account/v1/transfer-history",
                "query":{query},"response":null}}"#
        )
    };
    assert_eq!(differences(&transfers(r#"{"moveType":"spot to spot"}"#)), [""; 0], "N may lack");
    assert_eq!(report(&transfers(r#"{"N":"10"}"#), false).failed, 1, "moveType may not");
    let both = transfers(r#"{"moveType":"spot to spot","n":"10"}"#);
    assert_eq!(differences(&both), [r#"query.n: a described parameter, "10""#]);
}

#[test]
fn reports_a_parameter_of_the_wrong_type() {
    let found = differences(&order(r#"{"orderId":{"id":1}}"#));
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("body.orderId: the typed request")),
        "{found:?}"
    );
    let found = differences(&order(r#"{"orderId":"1","recvWindow":"soon"}"#));
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("body.recvWindow: the typed request")),
        "{found:?}"
    );
}

#[test]
fn reports_parameters_in_the_query_of_a_post() {
    let recording = r#"{"method":"POST","path":"/spot/v4/query/order","query":{"orderId":"1"}}"#;
    assert_eq!(differences(recording), ["query: parameters in the body, orderId"]);
    let empty = r#"{"method":"GET","path":"/system/time","query":null,"body":{ },"response":null}"#;
    assert_eq!(differences(empty), [""; 0]);
}

#[test]
fn an_error_response_passes_as_that_error() {
    let recording = |code: &str| {
        format!(
            r#"{{"method":"POST","path":"/spot/v4/query/order","body":null,"status":400,
                "response":{{"code":{code},"message":"Order not found","trace":"t","data":{{}}}}}}"#
        )
    };
    assert_eq!(differences(&recording("50005")), [""; 0]);
    // Its code is success and its status a failure.
    assert_eq!(report(&recording("1000"), false).failed, 1);
}

#[test]
fn invalid_recordings_fail_and_do_not_stop_the_run() {
    for text in [
        "",
        "{",
        "[]",
        "7",
        "{}",
        r#"{"method":"GET"}"#,
        r#"{"method":"GET","path":"/system/time","ws":"spot"}"#,
        r#"{"method":"GET","path":"/system/time","status":99999,"response":{"code":1000}}"#,
        r#"{"method":"GET","path":"/system/time","status":3,"response":{"code":1000}}"#,
        r#"{"method":"GET","path":"/system/time","response":"<html>"}"#,
        r#"{"method":"GET","path":"/system/time","response":{"data":{}}}"#,
        r#"{"method":"GET","path":"/system/time","query":[1],"response":null}"#,
        r#"{"ws":"moon","frame":{}}"#,
        r#"{"ws":"spot","frame":7}"#,
    ] {
        assert_eq!(report(text, false).failed, 1, "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let recording = format!(r#"{{"method":"GET","path":"/system/time","response":{deep}}}"#);
    assert_eq!(report(&recording, false).failed, 1, "nested too deeply");
}

#[test]
fn folders_are_searched_in_order_and_other_files_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("b")).expect("a folder");
    for (name, text) in [("b/two.json", "{}"), ("a.json", "{}"), ("notes.txt", "not a recording")] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let report = check(&[folder.path().to_owned()], false).expect("the folder exists");
    let files: Vec<_> = report
        .differences
        .iter()
        .map(|(file, _)| file.strip_prefix(folder.path()).expect("below").display().to_string())
        .collect();
    assert_eq!(files, ["a.json", "b/two.json"]);
    assert!(report.to_string().ends_with("0 passed, 2 failed, 0 skipped\n"), "{report}");
}

#[test]
fn a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(check(&[folder.path().join("none")], false).is_err());
}
