//! Lists that change while an export reads their pages, and rows without an id on two pages: whatever an archive calls
//! complete must be all that the exchange has, and nothing twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bitmart::Timestamp;
use serde_json::{Value, json};

use crate::common::scripted::{Query, Scripted};

const HOLDINGS_PATH: &str = "/newearn/cloud/v1/saving/earn";
const HOLDINGS: &str = "holdings-flexible";
const RECORDS_PATH: &str = "/newearn/cloud/v1/saving/record";
/// The dataset of [`RECORDS_PATH`] that the tests fill.
const INTEREST: &str = "earn-flexible-interest";
/// The exchange's code for a list that the account does not have.
const NO_SUCH_LIST: i64 = 61006;
/// Its code for maintenance, which every request gets and which ends a run.
const MAINTENANCE: i64 = 30016;
/// Rows of a page, as an export requests them.
const PAGE: usize = 100;

/// The page that is requested.
fn page(rows: &[Value], query: &Query, rows_per_page: usize) -> Vec<Value> {
    let number = usize::try_from(query.number("currentPage")).expect("a page");
    rows.iter().skip((number - 1) * rows_per_page).take(rows_per_page).cloned().collect()
}

/// Holdings of savings, of which each request sees those that `at_request` returns for its number, from 0.
fn holdings(
    rows_per_page: usize,
    total: impl Fn(usize) -> Option<usize> + Send + Sync + 'static,
    at_request: impl Fn(usize) -> std::ops::Range<usize> + Send + Sync + 'static,
) -> Scripted {
    failing_holdings(rows_per_page, total, move |request| Ok(at_request(request)))
}

/// Like [`holdings`]; a request may be rejected with a code.
fn failing_holdings(
    rows_per_page: usize,
    total: impl Fn(usize) -> Option<usize> + Send + Sync + 'static,
    at_request: impl Fn(usize) -> Result<std::ops::Range<usize>, i64> + Send + Sync + 'static,
) -> Scripted {
    let requests = AtomicUsize::new(0);
    Scripted::new(move |path, query| match path {
        HOLDINGS_PATH => {
            let ids = at_request(requests.fetch_add(1, Ordering::SeqCst))?;
            let row = |id: usize| json!({ "earnId": id.to_string(), "coinName": "USDT" });
            let all: Vec<_> = ids.map(row).collect();
            let list = page(&all, query, rows_per_page);
            Ok(match total(all.len()) {
                Some(total) => json!({ "total": total, "list": list }),
                None => json!({ "list": list }),
            })
        }
        _ => Err(NO_SUCH_LIST),
    })
}

/// The ids of the exported holdings, sorted.
fn exported_holdings(folder: &Path) -> Vec<usize> {
    let text = std::fs::read_to_string(folder.join(format!("{HOLDINGS}.jsonl"))).expect("rows");
    let id = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        row["earnId"].as_str().expect("an id").parse().expect("a number")
    };
    let mut ids: Vec<usize> = text.lines().map(id).collect();
    ids.sort_unstable();
    ids
}

/// `Ok` if the exported holdings count as complete. The exchange does not have the other balances.
fn what_holdings_lack(folder: &Path) -> Result<(), String> {
    let manifest = read(&folder.join("manifest.json"));
    let datasets = manifest["datasets"].as_array().expect("datasets");
    let dataset = datasets.iter().find(|dataset| dataset["name"] == HOLDINGS).expect(HOLDINGS);
    match &dataset["lacks"] {
        Value::Null if dataset["complete"] == true => Ok(()),
        lacks => Err(lacks.as_str().unwrap_or_default().to_owned()),
    }
}

#[test]
fn a_list_that_changes_between_two_pages_is_read_until_two_readings_have_the_same_ids() {
    // After the first page a holding is added at the front, or removed there: 100 moves to another page.
    for changed in [0..150, 2..150] {
        let wanted: Vec<_> = changed.clone().collect();
        let exchange = holdings(
            PAGE,
            |_| None,
            move |request| match request {
                0 => 1..150,
                _ => changed.clone(),
            },
        );
        let folder = tempfile::tempdir().expect("a folder");
        let sent = exchange.export(folder.path(), "balances", &[]);
        assert_eq!(exported_holdings(folder.path()), wanted, "{}", sent.err);
        assert_eq!(what_holdings_lack(folder.path()), Ok(()), "{}", sent.err);
        let verified = exchange.verify(folder.path());
        assert!(!verified.err.contains(HOLDINGS), "{}", verified.err);
    }
}

#[test]
fn a_list_that_never_stays_the_same_is_not_complete() {
    let exchange = holdings(PAGE, |_| None, |request| 0..150 + request);
    let folder = tempfile::tempdir().expect("a folder");
    exchange.export(folder.path(), "balances", &[]);
    assert!(what_holdings_lack(folder.path()).is_err());
    let why = "holdings-flexible: the list changed whenever its pages were read";
    let verified = exchange.verify(folder.path());
    assert_eq!(verified.code, 10, "{}", verified.err);
    assert!(verified.err.contains(why), "{}", verified.err);
}

#[test]
fn the_number_of_rows_that_the_exchange_states_decides_whether_a_list_has_another_page() {
    // It returns fewer rows per page than requested.
    let exchange = holdings(20, Some, |_| 0..50);
    let folder = tempfile::tempdir().expect("a folder");
    let sent = exchange.export(folder.path(), "balances", &[]);
    assert_eq!(what_holdings_lack(folder.path()), Ok(()), "{}", sent.err);
    assert_eq!(exported_holdings(folder.path()), (0..50).collect::<Vec<_>>());

    let exchange = holdings(20, |rows| Some(rows + 1), |_| 0..50);
    let folder = tempfile::tempdir().expect("a folder");
    exchange.export(folder.path(), "balances", &[]);
    let why = "the exchange states 51 rows and returned 50".to_owned();
    assert_eq!(what_holdings_lack(folder.path()), Err(why));
}

const NOT_REPEATED: &str = "it could not be read once more";

#[test]
fn a_list_that_cannot_be_read_once_more_keeps_its_rows() {
    // Two pages are read. The second reading is rejected at once, ended by maintenance, or has another first page and
    // is rejected then.
    for (changed, error, failing_request) in
        [(0..150, NO_SUCH_LIST, 2), (0..150, MAINTENANCE, 2), (1..151, NO_SUCH_LIST, 3)]
    {
        let exchange = failing_holdings(
            PAGE,
            |_| None,
            move |request| match request {
                0 | 1 => Ok(0..150),
                _ if request < failing_request => Ok(changed.clone()),
                _ => Err(error),
            },
        );
        let folder = tempfile::tempdir().expect("a folder");
        let sent = exchange.export(folder.path(), "balances", &[]);
        assert_ne!(sent.code, 0, "{}", sent.err);
        let wanted: Vec<_> = (0..150).collect();
        assert_eq!(exported_holdings(folder.path()), wanted, "{}", sent.err);
        // The run is continued, or another one begins and gets nothing.
        let sent = exchange.export(folder.path(), "balances", &[]);
        assert_eq!(sent.code, 10, "{}", sent.err);
        assert_eq!(exported_holdings(folder.path()), wanted, "{}", sent.err);
        let state = read(&folder.path().join(format!("state/{HOLDINGS}.json")));
        let why =
            if state["done"] == true { &state["unproven"] } else { &state["previous"]["lacks"] };
        assert!(why.as_str().expect("why").contains(NOT_REPEATED), "{state}");
        let verified = exchange.verify(folder.path());
        assert_eq!(verified.code, 10, "{}", verified.err);
        assert!(verified.err.contains(NOT_REPEATED), "{}", verified.err);
    }
}

#[test]
fn the_first_page_of_an_earlier_run_stays_until_another_one_has_read_the_list() {
    let exchange = failing_holdings(
        PAGE,
        |_| None,
        |request| match request {
            1 | 2 => Err(NO_SUCH_LIST),
            _ => Ok(0..150),
        },
    );
    let folder = tempfile::tempdir().expect("a folder");
    for run in 1..=2 {
        // The first run gets the first page, the second one nothing.
        let sent = exchange.export(folder.path(), "balances", &[]);
        assert_eq!(sent.code, 10, "{}", sent.err);
        let first_page: Vec<_> = (0..PAGE).collect();
        assert_eq!(exported_holdings(folder.path()), first_page, "run {run}: {}", sent.err);
    }
    let responses = || {
        let raw = std::fs::read_to_string(folder.path().join(format!("raw/{HOLDINGS}.ndjson")));
        raw.expect("responses")
    };
    let before = responses();
    assert_eq!(before.lines().count(), 1);
    let sent = exchange.export(folder.path(), "balances", &[]);
    assert_eq!(exported_holdings(folder.path()), (0..150).collect::<Vec<_>>(), "{}", sent.err);
    assert_eq!(what_holdings_lack(folder.path()), Ok(()), "{}", sent.err);
    assert_eq!(responses().lines().count(), 2, "they are those of the last run");
    assert!(!responses().contains(&before));
}

/// Makes the archive that of an older program, which could not decode the first page and stopped there.
fn forget_all_but_the_first_page(folder: &Path) {
    let raw = folder.join(format!("raw/{HOLDINGS}.ndjson"));
    let responses = std::fs::read_to_string(&raw).expect("responses");
    let first = responses.lines().next().expect("a response").to_owned() + "\n";
    let path = folder.join(format!("state/{HOLDINGS}.json"));
    let mut state = read(&path);
    for (member, value) in [
        ("rows", json!(0)),
        ("bytes", json!(0)),
        ("span", Value::Null),
        ("responses", json!(1)),
        ("raw_bytes", json!(first.len())),
        ("unread", json!(1)),
        ("lacks", json!("1 responses are not understood and kept as they came; the last: a test")),
    ] {
        state[member] = value;
    }
    write(&path, &state);
    std::fs::write(raw, first).expect("written");
    std::fs::write(folder.join(format!("{HOLDINGS}.jsonl")), "").expect("written");
}

#[test]
fn a_page_that_a_newer_program_decodes_is_no_complete_list_if_the_exchange_states_more_rows() {
    // 20 rows a page, of 50 or of 20.
    for (rows, lacks) in
        [(50, Err("the exchange states 50 rows and returned 20".to_owned())), (20, Ok(()))]
    {
        let exchange = holdings(20, Some, move |_| 0..rows);
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        exchange.export(folder, "balances", &[]);
        forget_all_but_the_first_page(folder);
        let reread = exchange.run(&["export", "--reread", folder.to_str().expect("text")]);
        assert!(reread.err.contains("20 rows are gained"), "{}", reread.err);
        assert_eq!(what_holdings_lack(folder), lacks, "{}", reread.err);
    }
}

#[test]
fn a_first_page_that_does_not_decode_may_not_be_the_last() {
    let exchange = Scripted::new(|path, _| match path {
        HOLDINGS_PATH => Ok(json!({ "total": 50, "list": "none" })),
        _ => Err(NO_SUCH_LIST),
    });
    let folder = tempfile::tempdir().expect("a folder");
    exchange.export(folder.path(), "balances", &[]);
    let lacks = what_holdings_lack(folder.path()).expect_err("a page is missing");
    assert!(lacks.contains("a page was not understood when it came"), "{lacks}");
}

/// The amount and time of these payments of interest, which have no id.
fn payments(numbers: std::ops::Range<usize>, time: i64) -> Vec<Value> {
    let row = |number: usize| {
        json!({ "type": "interest", "coinName": "USDT", "amount": format!("0.{}", 1_000 + number),
            "time": time })
    };
    numbers.map(row).collect()
}

/// 150 payments on two pages. While `moved` is set, the second page begins with the last row of the first one; while
/// `closed` is set, the exchange rejects the second page.
fn interest(moved: &Arc<AtomicBool>, closed: &Arc<AtomicBool>) -> Scripted {
    let time = (Timestamp::now().as_millis() / 1_000 - 86_400) * 1_000;
    let (moved, closed) = (moved.clone(), closed.clone());
    Scripted::new(move |path, query| match path {
        RECORDS_PATH if query.text("type") == "interest" => {
            let is_within = (query.number("startTime")..=query.number("endTime")).contains(&time);
            let number = query.number("currentPage");
            if number > 1 && closed.load(Ordering::SeqCst) {
                return Err(NO_SUCH_LIST);
            }
            let begin = if moved.load(Ordering::SeqCst) { PAGE - 1 } else { PAGE };
            let rows = match number {
                _ if !is_within => Vec::new(),
                1 => payments(0..PAGE, time),
                2 => payments(begin..150, time),
                _ => Vec::new(),
            };
            Ok(json!({ "list": rows }))
        }
        _ => Err(NO_SUCH_LIST),
    })
}

fn flag(is_set: bool) -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(is_set))
}

fn number_of_payments(folder: &Path) -> usize {
    let rows = std::fs::read_to_string(folder.join(format!("{INTEREST}.jsonl"))).expect("rows");
    rows.lines().count()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn write(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).expect("written");
}

const ONE_AMBIGUOUS: &str = "1 rows without an id equal one of an earlier page";

#[test]
fn ambiguous_rows_of_a_span_that_is_requested_again_make_its_list_incomplete() {
    let moved = flag(false);
    let exchange = interest(&moved, &flag(false));
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let sent = exchange.export(folder, "earn", &[]);
    assert_eq!(sent.code, 0, "{}", sent.err);
    moved.store(true, Ordering::SeqCst);
    for run in 2..=3 {
        let sent = exchange.export(folder, "earn", &[]);
        assert_eq!(sent.code, 10, "run {run}: {}", sent.err);
        assert!(sent.err.contains(ONE_AMBIGUOUS), "it is counted once, run {run}: {}", sent.err);
        assert_eq!(number_of_payments(folder), 150, "run {run}");
    }
    let reread = exchange.run(&["export", "--reread", folder.to_str().expect("text")]);
    assert!(reread.err.contains("nothing is gained"), "{}", reread.err);
    let verified = exchange.verify(folder);
    assert_eq!(verified.code, 10, "{}", verified.err);
    assert!(verified.err.contains(ONE_AMBIGUOUS), "{}", verified.err);
}

#[test]
fn ambiguous_rows_of_an_archive_that_does_not_count_them_are_found_in_its_responses() {
    let exchange = interest(&flag(true), &flag(false));
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    assert_eq!(exchange.export(folder, "earn", &[]).code, 10);
    // As older programs wrote it.
    let path = folder.join(format!("state/{INTEREST}.json"));
    let mut state = read(&path);
    for member in ["ambiguous", "ambiguous_rows", "model"] {
        state.as_object_mut().expect("an object").remove(member);
    }
    write(&path, &state);
    let path = folder.join("manifest.json");
    let mut manifest = read(&path);
    let datasets = manifest["datasets"].as_array_mut().expect("datasets");
    let dataset = datasets.iter_mut().find(|dataset| dataset["name"] == INTEREST).expect("it");
    (dataset["complete"], dataset["lacks"]) = (true.into(), Value::Null);
    write(&path, &manifest);

    let verified = exchange.verify(folder);
    assert_eq!(verified.code, 10, "{}", verified.err);
    let why = "the responses have 1 ambiguous rows, of which 0 are counted";
    assert!(verified.err.contains(why), "{}", verified.err);
    let reread = exchange.run(&["export", "--reread", folder.to_str().expect("text")]);
    assert_eq!(reread.code, 10, "{}", reread.err);
    let verified = exchange.verify(folder);
    assert!(verified.err.contains(ONE_AMBIGUOUS), "{}", verified.err);
}

#[test]
fn rows_of_a_window_that_is_continued_after_a_reread_are_compared_with_its_earlier_pages() {
    let closed = flag(true);
    let exchange = interest(&flag(true), &closed);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    assert_eq!(exchange.export(folder, "earn", &[]).code, 10);
    assert_eq!(number_of_payments(folder), PAGE);
    // As if an older program could not decode the first page.
    let path = folder.join(format!("state/{INTEREST}.json"));
    let mut state = read(&path);
    assert_eq!(state["cursor"]["page"], 2);
    state["cursor"]["current"] = json!([]);
    for (member, value) in [
        ("rows", json!(0)),
        ("bytes", json!(0)),
        ("span", Value::Null),
        ("unread", json!(1)),
        ("lacks", json!("1 responses are not understood and kept as they came; the last: a test")),
    ] {
        state[member] = value;
    }
    write(&path, &state);
    std::fs::write(folder.join(format!("{INTEREST}.jsonl")), "").expect("written");

    let reread = exchange.run(&["export", "--reread", folder.to_str().expect("text")]);
    assert!(reread.err.contains("100 rows are gained"), "{}", reread.err);
    closed.store(false, Ordering::SeqCst);
    let sent = exchange.export(folder, "earn", &[]);
    assert_eq!(sent.code, 10, "{}", sent.err);
    assert!(sent.err.contains(ONE_AMBIGUOUS), "{}", sent.err);
    assert_eq!(number_of_payments(folder), 150);
}
