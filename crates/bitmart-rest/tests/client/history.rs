//! Paginating histories with an exchange that fails and misbehaves.

use std::sync::atomic::{AtomicUsize, Ordering};

use bitmart_auth::Credentials;
use bitmart_rest::history::{Cursor, HistoryError};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::{Client, earn, futures};
use bitmart_types::{Environment, Timestamp};
use futures_util::{FutureExt as _, StreamExt as _};

/// A client whose exchange responds by the number of the request, from 0, and its query.
fn client(
    response: impl Fn(usize, &str) -> String + Send + Sync + 'static,
) -> (Client, ScriptedTransport) {
    let count = AtomicUsize::new(0);
    let exchange = ScriptedTransport::from_fn(move |request| {
        let query = request.uri.query().unwrap_or_default();
        ScriptedResponse::raw(response(count.fetch_add(1, Ordering::SeqCst), query))
    });
    let client = Client::builder()
        .environment(Environment::live())
        .credentials(Credentials::new("key", "secret", "memo").unwrap())
        .limiter(Limiter::new(LimitPolicy::Off))
        .transport(exchange.clone())
        .build()
        .unwrap();
    (client, exchange)
}

fn success(data: &str) -> String {
    format!(r#"{{"code":1000,"message":"success","trace":"t","data":{data}}}"#)
}

fn parameter(query: &str, name: &str) -> i64 {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    value.expect("a parameter").parse().expect("a number")
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_millis(number * 86_400_000)
}

/// A page of records at `times`, newest first.
fn records(times: &[i64], query: &str) -> String {
    let (from, to) = (parameter(query, "startTime"), parameter(query, "endTime"));
    let (page, size) = (parameter(query, "currentPage"), parameter(query, "sizePage"));
    let inside = times.iter().enumerate().rev().filter(|(_, at)| (from..=to).contains(*at));
    let total = inside.clone().count();
    let rows = inside.skip(usize::try_from((page - 1) * size).unwrap());
    let rows: Vec<_> = rows
        .take(usize::try_from(size).unwrap())
        .map(|(id, at)| format!(r#"{{"recordId":"r{id}","type":"interest","time":{at}}}"#))
        .collect();
    success(&format!(r#"{{"total":{},"list":[{}]}}"#, total, rows.join(",")))
}

#[tokio::test]
async fn each_row_is_returned_once_across_failures_and_stored_cursors() {
    // 250 rows with one timestamp, which is more than a page, and some at window boundaries.
    let month = 30 * 86_400_000;
    let mut times = vec![month - 1, month, month, month + 1];
    times.extend([month + 5_000; 250]);
    times.push(3 * month);
    let listed = times.clone();
    let (client, _) = client(move |n, query| {
        if n % 3 == 1 {
            return r#"{"code":59002,"message":"Internal Server Error","trace":"t"}"#.to_owned();
        }
        records(&listed, query)
    });
    let request = earn::ListFlexibleRecords::new(earn::RecordType::Interest, 1, 1);
    let mut pages = client.history(request.clone(), day(1), day(100));
    let (mut ids, mut failures) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let Ok(page) = page else {
            failures += 1;
            let stored = serde_json::to_string(pages.cursor()).unwrap();
            let cursor: Cursor = serde_json::from_str(&stored).unwrap();
            pages = client.resume_history(request.clone(), cursor);
            continue;
        };
        ids.extend(page.into_iter().filter_map(|row| row.record_id));
    }
    assert!(failures > 1);
    ids.sort();
    let mut all: Vec<_> = (0..times.len()).map(|id| format!("r{id}")).collect();
    all.sort();
    assert_eq!(ids, all);
}

#[tokio::test]
async fn a_page_contains_the_raw_response() {
    let row = r#"{"recordId":"r1","type":"interest","time":86400000,"new":[1.50]}"#;
    let response = success(&format!(r#"{{"total":1, "list":[{row}]}}"#));
    let sent = response.clone();
    let (client, _) =
        client(move |n, _| if n == 0 { sent.clone() } else { success(r#"{"total":0,"list":[]}"#) });
    let request = earn::ListFlexibleRecords::new(earn::RecordType::Interest, 1, 100);
    let mut pages = client.history(request, day(1), day(2));
    let page = pages.next_page().await.expect("a page").expect("rows");
    assert_eq!(page.rows.len(), 1);
    // With unknown fields and unchanged digits.
    assert_eq!(page.raw, response);
    assert!(page.window.from <= day(1) && page.window.to == day(2));
    assert!(pages.next_page().await.is_none());
}

#[tokio::test]
async fn a_stream_returns_each_page_with_its_cursor_and_continues_after_an_error() {
    let times: Vec<_> = (1..=99).map(|day| day * 86_400_000).collect();
    let listed = times.clone();
    let (client, _) =
        client(move |n, query| if n == 2 { "<html>".to_owned() } else { records(&listed, query) });
    let request = earn::ListFlexibleRecords::new(earn::RecordType::Interest, 1, 1);
    let mut stream = client.history(request.clone(), day(0), day(100)).into_stream();
    let (mut ids, mut failures, mut last) = (Vec::new(), 0, None);
    while let Some(page) = stream.next().await {
        let Ok(page) = page else {
            failures += 1;
            continue;
        };
        ids.extend(page.rows.into_iter().filter_map(|row| row.record_id));
        // Abandons the request for the next page and resumes from the cursor.
        let _ = stream.next().now_or_never();
        stream = client.resume_history(request.clone(), page.cursor.clone()).into_stream();
        last = Some(page.cursor);
    }
    assert!(stream.next().await.is_none(), "a finished stream stays finished");
    assert_eq!(last.map(|cursor| cursor.next), Some(day(100)));
    assert_eq!(failures, 1);
    assert_eq!(ids, (0..times.len()).map(|id| format!("r{id}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_response_of_another_form_is_an_error_and_not_an_empty_page() {
    for data in ["[]", r#"{"total":3}"#, r#"{"total":3,"list":"many"}"#, "null"] {
        let (client, _) = client(move |_, _| success(data));
        let request = earn::ListFlexibleRecords::new(earn::RecordType::Redeem, 1, 1);
        let mut pages = client.history(request, day(1), day(2));
        for _ in 0..2 {
            let result = pages.next().await.expect("it is not done");
            assert!(matches!(result, Err(HistoryError::Unreadable { .. })), "{data}: {result:?}");
        }
    }
    let (client, _) = client(|_, _| success(r#"{"total":0}"#));
    let request = earn::ListFlexibleRecords::new(earn::RecordType::Redeem, 1, 1);
    let mut pages = client.history(request, day(1), day(2));
    assert!(pages.next().await.expect("a window").unwrap().is_empty());
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn futures_klines_are_paginated_in_windows_that_fit_a_page() {
    // One kline per minute, at most the newest 500 of a window.
    let (client, exchange) = client(|_, query| {
        let (from, to) = (parameter(query, "start_time"), parameter(query, "end_time"));
        let minutes = (from.div_euclid(60) + 1..=to.div_euclid(60)).rev().take(500);
        let rows: Vec<_> = minutes
            .map(|minute| {
                let time = minute * 60;
                format!(
                    r#"{{"timestamp":{time},"open_price":"1","high_price":"1","low_price":"1",
                    "close_price":"1","volume":"1"}}"#
                )
            })
            .collect();
        success(&format!("[{}]", rows.join(",")))
    });
    let request = futures::ListKlines::new("BTCUSDT", day(20_000), day(20_000));
    let mut pages = client.history(request, day(20_001), day(20_003));
    let mut times = Vec::new();
    while let Some(page) = pages.next().await {
        times.extend(page.unwrap().into_iter().map(|row| row.timestamp.as_secs() / 60));
    }
    assert!(times.iter().is_sorted_by(|left, right| *left + 1 == **right), "without a gap");
    assert_eq!((times[0], times[times.len() - 1]), (20_001 * 1_440, 20_003 * 1_440));
    assert!(exchange.count() < 40);
}
