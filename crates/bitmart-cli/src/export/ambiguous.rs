//! Ambiguous rows: rows without an id that equal a row of an earlier page of the same window. Each is that row once
//! more, because rows moved between the pages while they were read, or another event. Nothing in the responses tells
//! which, so the row is kept once, and the dataset does not count as complete.
//!
//! An export sees them page by page. [`WindowPages`] finds them in the stored responses, for `--reread` and `verify`.

use std::collections::HashSet;

use serde_json::Value;

use super::history_rows::Read;
use super::store::StoredResponse;

/// The rows on the pages of one window that were read so far.
#[derive(Debug, Default)]
pub(super) struct WindowPages {
    /// Number of the pagination, and begin and end of the window.
    window: Option<(u32, Option<i64>, Option<i64>)>,
    ids: HashSet<String>,
}

impl WindowPages {
    /// Adds the next stored response, and returns the ids of its ambiguous rows. None is ambiguous if the exchange
    /// states the number of rows, which decides, and on a page that repeats another one, which is a gap.
    pub(super) fn add(&mut self, response: &StoredResponse, read: &Read) -> Vec<String> {
        let Some(page) = &read.page else { return Vec::new() };
        let number = |name: &str| response.request.get(name).and_then(Value::as_i64);
        let window = (response.pagination, number("from"), number("to"));
        if number("page").is_none_or(|page| page <= 1) || self.window != Some(window) {
            self.ids.clear();
            self.window = Some(window);
        }
        let faults = read.faults.iter().map(|(raw, _)| format!("fault {raw}"));
        let ids: Vec<_> =
            read.rows.iter().map(|(key, _)| key.id.clone()).chain(faults.clone()).collect();
        let is_repeated = page.is_full && ids.iter().all(|id| self.ids.contains(id));
        let mut ambiguous = Vec::new();
        if page.total.is_none() && !is_repeated {
            let rows = read.rows.iter().map(|(key, _)| key);
            let known = rows.filter(|key| key.is_content() && self.ids.contains(&key.id));
            ambiguous.extend(known.map(|key| key.id.clone()));
        }
        self.ids.extend(ids);
        ambiguous
    }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::history::RowKey;
    use serde_json::json;

    use super::super::history_rows::NumberedPage;
    use super::*;

    const FIRST: &str = r#"{"amount":"1"}"#;
    const SECOND: &str = r#"{"amount":"2"}"#;

    /// A response to this page of a window that ends at `to`.
    fn response(page: u32, to: i64) -> StoredResponse {
        StoredResponse::new(json!({ "from": 0, "to": to, "page": page }), b"")
    }

    fn read(ids: &[&str], is_full: bool, total: Option<u64>) -> Read {
        let rows = ids.iter().map(|id| (RowKey { time: None, id: (*id).to_owned() }, Vec::new()));
        let page = Some(NumberedPage { is_full, total });
        Read { rows: rows.collect(), page, ..Read::default() }
    }

    /// The ambiguous rows of a second page with these rows, after a first one with both.
    fn on_second_page(second: &Read, to: i64) -> Vec<String> {
        let mut pages = WindowPages::default();
        let first =
            read(&[FIRST, SECOND, "7"], true, second.page.as_ref().and_then(|page| page.total));
        assert!(pages.add(&response(1, 9), &first).is_empty());
        pages.add(&response(2, to), second)
    }

    #[test]
    fn an_equal_row_without_an_id_on_a_later_page_of_the_window_is_ambiguous() {
        assert_eq!(on_second_page(&read(&[SECOND, "{}"], false, None), 9), [SECOND]);
        assert_eq!(on_second_page(&read(&[SECOND], false, None), 9), [SECOND], "the last page");
        let none: [&str; 0] = [];
        assert_eq!(on_second_page(&read(&["7", "{}"], false, None), 9), none, "it has an id");
        assert_eq!(on_second_page(&read(&[SECOND], false, Some(4)), 9), none, "a total decides");
        assert_eq!(on_second_page(&read(&[SECOND], true, None), 9), none, "a repeated page");
        assert_eq!(on_second_page(&read(&[SECOND, "{}"], false, None), 8), none, "another window");
    }
}
