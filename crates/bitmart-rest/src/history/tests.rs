//! The pagination with a model of the exchange.

use std::collections::BTreeSet;

use bitmart_types::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::{Cursor, History, HistorySpec, Pagination, Progress, RowKey, Window, number_equal};
use crate::{account, futures};

/// An exchange with rows at `times`; the id of a row is its index.
#[derive(Clone, Debug)]
struct Exchange {
    times: Vec<i64>,
    includes_begin: bool,
    includes_end: bool,
    newest_first: bool,
}

impl Exchange {
    fn response(&self, spec: &HistorySpec, window: &Window) -> Vec<RowKey> {
        let (from, to) = (window.from.as_millis(), window.to.as_millis());
        let inside = |time: i64| {
            (from < time || (from == time && self.includes_begin))
                && (time < to || (time == to && self.includes_end))
        };
        let mut rows: Vec<_> = self
            .times
            .iter()
            .enumerate()
            .filter(|(_, time)| inside(**time))
            .map(|(id, time)| RowKey {
                time: Some(Timestamp::from_millis(*time)),
                id: id.to_string(),
            })
            .collect();
        rows.sort();
        if self.newest_first {
            rows.reverse();
        }
        let size = spec.page_size as usize;
        let skip = if spec.numbered { (window.page as usize - 1) * size } else { 0 };
        rows.into_iter().skip(skip).take(size).collect()
    }
}

/// Paginates to the end, resuming from a stored cursor at each `stop`. `None` if it cannot continue.
fn paginate(
    exchange: &Exchange,
    spec: HistorySpec,
    to: i64,
    stops: &[bool],
) -> Option<Vec<RowKey>> {
    let mut pagination =
        Pagination::new(spec, Timestamp::from_millis(0), Timestamp::from_millis(to));
    let mut rows = Vec::new();
    let mut stops = stops.iter().cycle();
    for _ in 0..100_000 {
        let Some(window) = pagination.window() else { return Some(rows) };
        let response = exchange.response(&spec, &window);
        match pagination.advance(&response) {
            Progress::NewRows(fresh) => {
                rows.extend(fresh.into_iter().map(|at| response[at].clone()));
            }
            Progress::Narrowed => {}
            Progress::TooManyRows => return None,
            rejected => panic!("the model does not repeat pages: {rejected:?}"),
        }
        if *stops.next().unwrap_or(&false) {
            let stored = serde_json::to_string(pagination.cursor()).expect("a cursor encodes");
            let cursor: Cursor = serde_json::from_str(&stored).expect("a cursor decodes");
            pagination = Pagination::resume(spec, cursor);
        }
    }
    panic!("the pagination does not end");
}

fn specs() -> impl Strategy<Value = HistorySpec> {
    (prop_oneof![Just(1_i64), Just(10)], 20_i64..400, 2_u32..12, any::<bool>()).prop_map(
        |(time_unit, max_window, page_size, numbered)| {
            let spec = HistorySpec { time_unit, max_window, ..HistorySpec::new(1, page_size) };
            if numbered { spec.numbered() } else { spec }
        },
    )
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    let times = proptest::collection::vec(prop_oneof![0_i64..1_000, 500_i64..530], 0..120);
    (times, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(times, includes_begin, includes_end, newest_first)| Exchange {
            times,
            includes_begin,
            includes_end,
            newest_first,
        },
    )
}

proptest! {
    #[test]
    fn every_row_is_returned_once_or_the_pagination_reports_too_many_rows(
        exchange in exchanges(),
        spec in specs(),
        stops in proptest::collection::vec(any::<bool>(), 1..20),
    ) {
        // Beyond the last row, because exchanges differ in whether the end is inclusive.
        if let Some(rows) = paginate(&exchange, spec, 1_100, &stops) {
            let mut ids: Vec<usize> =
                rows.iter().map(|row| row.id.parse().expect("a number")).collect();
            ids.sort_unstable();
            let begin = i64::from(!exchange.includes_begin);
            let all: Vec<usize> =
                (0..exchange.times.len()).filter(|id| exchange.times[*id] >= begin).collect();
            prop_assert_eq!(ids, all);
        } else {
            // Only if the narrowest window, with its overlap, contains a full page.
            let has_full_window = (0..1_100).any(|at| {
                let near = |time: &&i64| **time >= at && **time <= at + 3 * spec.time_unit;
                exchange.times.iter().filter(near).count() >= spec.page_size as usize
            });
            prop_assert!(has_full_window && !spec.numbered);
        }
    }
}

proptest! {
    #[test]
    fn skipped_pages_hide_no_row_of_other_pages(
        exchange in exchanges(),
        spec in specs(),
        broken in proptest::collection::vec(0_usize..120, 0..5),
    ) {
        let mut pagination = Pagination::new(spec, Timestamp::from_millis(0), Timestamp::from_millis(1_100));
        let (mut returned, mut skipped) = (Vec::new(), BTreeSet::new());
        while let Some(window) = pagination.window() {
            let response = exchange.response(&spec, &window);
            let ids = response.iter().map(|row| row.id.parse::<usize>().expect("a number"));
            let ids: Vec<_> = ids.collect();
            let is_unreadable = ids.iter().any(|id| broken.contains(id));
            match if is_unreadable { pagination.skip(response.len()) } else { pagination.advance(&response) } {
                Progress::NewRows(fresh) => {
                    returned.extend(fresh.into_iter().map(|at| ids[at]));
                    // Rows of an overlapping window may have been returned already.
                    skipped.extend(ids.into_iter().filter(|_| is_unreadable));
                }
                Progress::Narrowed => {}
                Progress::TooManyRows => return Ok(()),
                rejected => panic!("there are no thousand pages: {rejected:?}"),
            }
        }
        let once: BTreeSet<_> = returned.iter().copied().collect();
        prop_assert_eq!(once.len(), returned.len());
        prop_assert!(broken.iter().all(|id| !once.contains(id)));
        let begin = i64::from(!exchange.includes_begin);
        for id in (0..exchange.times.len()).filter(|id| exchange.times[*id] >= begin) {
            prop_assert!(once.contains(&id) || skipped.contains(&id), "{id} is missing");
        }
    }
}

#[test]
fn skipping_pages_ends() {
    let spec = HistorySpec::new(1, 20).numbered();
    let mut pagination =
        Pagination::new(spec, Timestamp::from_millis(0), Timestamp::from_millis(100));
    let ended = (0..10_000).any(|_| pagination.skip(20) == Progress::RepeatedPage);
    assert!(ended);
}

#[test]
fn rows_are_ordered_by_time() {
    let exchange = Exchange {
        times: (0..300).rev().collect(),
        includes_begin: true,
        includes_end: true,
        newest_first: true,
    };
    let spec = HistorySpec { max_window: 1_000, ..HistorySpec::new(1, 20) };
    let rows = paginate(&exchange, spec, 400, &[false]).expect("the pagination continues");
    assert!(rows.is_sorted(), "{rows:?}");
    assert_eq!(rows.len(), 300);
}

#[test]
fn more_rows_at_one_time_than_a_page_are_reported() {
    let exchange = Exchange {
        times: vec![50; 30],
        includes_begin: true,
        includes_end: true,
        newest_first: true,
    };
    assert_eq!(paginate(&exchange, HistorySpec::new(1, 20), 100, &[true]), None);
    let numbered = HistorySpec::new(1, 20).numbered();
    assert_eq!(paginate(&exchange, numbered, 100, &[true]).map(|rows| rows.len()), Some(30));
}

fn key(time: i64, id: &str) -> RowKey {
    RowKey { time: Some(Timestamp::from_millis(time)), id: id.to_owned() }
}

#[test]
fn an_instant_that_is_too_full_is_stepped_over_and_the_rest_is_read() {
    let times = (0..100).map(|at| if at < 30 { 50 } else { at }).collect();
    let exchange = Exchange { times, includes_begin: true, includes_end: true, newest_first: true };
    let spec = HistorySpec { max_window: 1_000, ..HistorySpec::new(1, 20) };
    let at = Timestamp::from_millis;
    let mut pagination = Pagination::new(spec, at(0), at(200));
    let (mut ids, mut gaps) = (Vec::new(), 0);
    while let Some(window) = pagination.window() {
        let response = exchange.response(&spec, &window);
        let fresh = match pagination.advance(&response) {
            Progress::NewRows(fresh) => fresh,
            Progress::TooManyRows => {
                gaps += 1;
                pagination.step_over(&response)
            }
            _ => continue,
        };
        ids.extend(fresh.into_iter().map(|row| response[row].id.clone()));
    }
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "no row is returned twice");
    assert!(gaps > 0 && (30..100).all(|id| different.contains(&id.to_string())), "{different:?}");
}

#[test]
fn pages_that_are_shorter_than_requested_are_read_until_the_stated_total() {
    let spec = HistorySpec::new(1, 100).numbered();
    let mut pagination =
        Pagination::new(spec, Timestamp::from_millis(0), Timestamp::from_millis(100));
    let page: Vec<_> = (0..20).map(|id| key(50, &format!("{id:02}"))).collect();
    assert_eq!(pagination.advance_to(&page, Some(30)), Progress::NewRows((0..20).collect()));
    assert_eq!(pagination.window().map(|window| window.page), Some(2));
    let cursor = pagination.cursor().clone();
    let ended = Progress::MissingRows { seen: 20, total: 30 };
    assert_eq!(pagination.advance_to(&[], Some(30)), ended);
    assert_eq!(pagination.cursor(), &cursor, "the same page is requested again");
    let page: Vec<_> = (20..30).map(|id| key(50, &format!("{id:02}"))).collect();
    assert_eq!(pagination.advance_to(&page, Some(30)), Progress::NewRows((0..10).collect()));
    assert_eq!(pagination.window(), None);
}

#[test]
fn equal_ids_are_numbered_and_ordered_part_by_part() {
    let mut keys =
        ["10 2", "9 3", "9 3", "9 10", "9", "deposit 10", "deposit 9"].map(|id| key(1, id));
    number_equal(&mut keys);
    assert_eq!(keys[1].id_and_number(), ("9 3", 1));
    assert_eq!(keys[2].id_and_number(), ("9 3", 2));
    keys.sort();
    let ids: Vec<_> = keys.iter().map(RowKey::id_and_number).collect();
    let wanted = [
        ("9", 1),
        ("9 3", 1),
        ("9 3", 2),
        ("9 10", 1),
        ("10 2", 1),
        ("deposit 9", 1),
        ("deposit 10", 1),
    ];
    assert_eq!(ids, wanted);
}

/// The key of a row of an endpoint.
fn key_of<H: History<Row: serde::de::DeserializeOwned>>(row: serde_json::Value) -> RowKey {
    H::key(&serde_json::from_value(row).expect("a row"))
}

#[test]
fn rows_that_differ_have_different_keys_and_a_change_of_state_keeps_the_key() {
    let funding = |symbol: &str| {
        key_of::<futures::ListTransactions>(json!({ "time": "1734422402121", "asset": "USDT",
            "type": "Funding Fee", "amount": "-0.00008253", "symbol": symbol,
            "tran_id": "1734422402121", "flow_type": "3" }))
    };
    assert_ne!(funding("LTCUSDT"), funding("ETHUSDT"));
    let fill = |order: &str| {
        key_of::<futures::ListFills>(
            json!({ "order_id": order, "trade_id": "7", "symbol": "BTCUSDT",
            "side": 1, "price": "1", "vol": "1", "create_time": 1_734_422_402_121_i64 }),
        )
    };
    assert_ne!(fill("1"), fill("2"));
    let withdrawal = |address: &str, status: u32, tx_id: &str| {
        key_of::<account::ListFundingHistory>(json!({ "withdraw_id": "", "deposit_id": "",
            "operation_type": "withdraw", "currency": "USDT", "apply_time": 1_734_422_402_121_i64,
            "arrival_amount": "5", "fee": "1", "status": status, "address": address,
            "address_memo": "", "tx_id": tx_id }))
    };
    assert_eq!(withdrawal("a", 1, ""), withdrawal("a", 3, "0x1"));
    assert_ne!(withdrawal("a", 1, ""), withdrawal("b", 1, ""));
}

#[test]
fn an_invalid_cursor_does_not_widen_the_windows() {
    let spec = HistorySpec::new(7, 200);
    let text = r#"{"next":0,"end":99999999999,"span":-5,"page":0,"seen":[],"current":[]}"#;
    let pagination = Pagination::resume(spec, serde_json::from_str(text).expect("a cursor"));
    let window = pagination.window().expect("a window");
    assert!(window.to.as_millis() - window.from.as_millis() <= spec.max_window + spec.time_unit);
    assert_eq!(window.page, 1);
}

#[test]
fn a_repeated_page_is_reported() {
    let spec = HistorySpec::new(1, 20).numbered();
    let mut pagination =
        Pagination::new(spec, Timestamp::from_millis(0), Timestamp::from_millis(100));
    let time = Timestamp::from_millis(50);
    let page: Vec<_> =
        (0..20).map(|id| RowKey { time: Some(time), id: format!("{id:02}") }).collect();
    assert_eq!(pagination.advance(&page), Progress::NewRows((0..20).collect()));
    let cursor = pagination.cursor().clone();
    assert_eq!(pagination.advance(&page), Progress::RepeatedPage);
    assert_eq!(pagination.cursor(), &cursor, "the same page is requested again");
    // Half of the next page was on the previous one, because rows were added.
    let next: Vec<_> =
        (10..30).map(|id| RowKey { time: Some(time), id: format!("{id:02}") }).collect();
    assert_eq!(pagination.advance(&next), Progress::NewRows((10..20).collect()));
}

#[test]
fn an_empty_or_reversed_range_has_no_window() {
    let at = Timestamp::from_millis;
    let spec = HistorySpec::new(7, 200).seconds();
    for (from, to) in [(5, 5), (5, 4), (i64::MAX, i64::MIN), (i64::MAX, i64::MAX), (0, -1)] {
        assert_eq!(Pagination::new(spec, at(from), at(to)).window(), None, "{from} to {to}");
    }
}

#[test]
fn windows_at_extreme_times_are_ordered() {
    let at = Timestamp::from_millis;
    let spec = HistorySpec::new(7, 200).seconds();
    for (from, to) in [(i64::MIN, 0), (i64::MIN, i64::MIN + 1), (-5, -4), (i64::MAX - 1, i64::MAX)]
    {
        let mut pagination = Pagination::new(spec, at(from), at(to));
        let Some(window) = pagination.window() else { continue };
        assert!(window.from < window.to, "{window:?}");
        let _ = pagination.advance(&[]);
        assert!(pagination.cursor().next > at(from.max(0)));
    }
}

#[test]
fn duplicate_and_unordered_rows_are_returned_once_and_in_order() {
    let spec = HistorySpec::new(7, 200);
    let mut pagination =
        Pagination::new(spec, Timestamp::from_millis(0), Timestamp::from_millis(100));
    let response = [key(9, "c"), key(3, "a"), key(9, "c"), key(3, "b"), key(3, "a")];
    assert_eq!(pagination.advance(&response), Progress::NewRows(vec![1, 3, 0]));
}

#[test]
fn equal_rows_without_an_id_on_two_pages_are_counted_unless_a_total_decides() {
    let spec = HistorySpec::new(1, 2).numbered();
    let at = Timestamp::from_millis;
    let start = || Pagination::new(spec, at(0), at(100));
    let pages = |second: &str| {
        let page = |rows: [&str; 2]| rows.map(|id| key(50, id)).to_vec();
        (page([r#"{"a":1}"#, r#"{"b":1}"#]), page([second, r#"{"c":1}"#]))
    };
    let (first, second) = pages(r#"{"b":1}"#);
    let mut pagination = start();
    assert_eq!(pagination.advance(&first), Progress::NewRows(vec![0, 1]));
    assert_eq!(pagination.ambiguous_rows(), 0);
    assert_eq!(pagination.advance(&second), Progress::NewRows(vec![1]));
    assert_eq!(pagination.ambiguous_rows(), 1);
    assert_eq!(pagination.advance(&[]), Progress::NewRows(Vec::new()));
    assert_eq!(pagination.ambiguous_rows(), 0);

    // The exchange states as many rows as there are different ones, or one more.
    let mut pagination = start();
    let _ = pagination.advance_to(&first, Some(3));
    let _ = pagination.advance_to(&second, Some(3));
    assert_eq!(pagination.ambiguous_rows(), 0);
    assert_eq!(pagination.advance_to(&[], Some(3)), Progress::NewRows(Vec::new()));
    let mut pagination = start();
    let _ = pagination.advance_to(&first, Some(4));
    let _ = pagination.advance_to(&second, Some(4));
    let missing = Progress::MissingRows { seen: 3, total: 4 };
    assert_eq!(pagination.advance_to(&[], Some(4)), missing);

    // A row with an id that moved to the next page is the same row.
    let mut pagination = start();
    let _ = pagination.advance(&[key(50, "1"), key(50, "2")]);
    let _ = pagination.advance(&[key(50, "2"), key(50, "3")]);
    assert_eq!(pagination.ambiguous_rows(), 0);
}
