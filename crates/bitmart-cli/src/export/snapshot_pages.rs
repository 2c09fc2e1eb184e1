//! Reads a list that has no past, page by page, until its rows are those of one moment.

use std::collections::BTreeSet;

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{EndpointEntry, Paging};
use bitmart::rest::history::HistoryError;
use serde_json::{Value, json};

use super::Export;
use super::history_rows;
use super::pages::with_snapshot_time;
use super::snapshot::{NO_LIST, SnapshotLines, count, snapshot_lines};
use super::store::{NewRows, Store, StoredResponse};
use crate::failure::{Failure, chain};

/// Maximum number of pages of a snapshot.
const MAX_PAGES: u32 = 1_000;

/// Maximum number of times that a list of several pages is read, until it does not change meanwhile.
const MAX_ATTEMPTS: u32 = 3;

const CHANGED: &str =
    "the list changed whenever its pages were read: rows may be missing, or there twice";

const UNREAD: &str =
    "a later page was not understood when it came: there may be more, and rows may have moved";

/// A list without a past, and how it is requested.
pub(super) struct List {
    pub(super) entry: &'static EndpointEntry,
    /// `None` if one response is enough.
    pub(super) paging: Option<Paging>,
    /// Parameters of the next request.
    pub(super) parameters: Value,
}

impl List {
    /// Stores a snapshot of the list. `false` if the exchange does not return a page, which the store records.
    ///
    /// A row that is added or removed between two requests moves others to another page: one is then there twice, or
    /// missing. So a list of several pages is read once more, and if a page has other rows then, begun anew.
    pub(super) async fn store(
        &mut self,
        export: &mut Export,
        store: &mut Store,
    ) -> Result<bool, Failure> {
        for _ in 0..MAX_ATTEMPTS {
            // What an earlier attempt stored is discarded.
            store.begin_snapshot(export.run, export.now().as_millis())?;
            let Some(pages) = self.store_pages(export, store).await? else { return Ok(false) };
            match self.is_unchanged(export, store, &pages).await? {
                None => return Ok(false),
                Some(true) => return Ok(true),
                Some(false) => {}
            }
        }
        store.set_unproven(CHANGED.to_owned());
        Ok(true)
    }

    /// Requests and stores all pages. `None` if the exchange does not return one.
    async fn store_pages(
        &mut self,
        export: &mut Export,
        store: &mut Store,
    ) -> Result<Option<Vec<PageRows>>, Failure> {
        let taken = store.state.snapshot.map(|snapshot| snapshot.taken);
        let mut pages: Vec<PageRows> = Vec::new();
        let mut all_received: u64 = 0;
        for number in 1.. {
            self.set_page(number);
            let Some(body) = self.request(export, store).await? else { return Ok(None) };
            let mut response = StoredResponse::new(self.parameters.clone(), &body);
            (response.pagination, response.taken) = (store.state.pagination, taken);
            let read = match self.lines(&body) {
                Ok(read) => read,
                Err(error) => {
                    store.append_undecoded(&response, None, &error)?;
                    if number > 1 {
                        store.set_unproven(UNREAD.to_owned());
                    }
                    break;
                }
            };
            let total = self.paging.and_then(|paging| paging.page).and(history_rows::total(&body));
            let page = PageRows::new(&read);
            let is_repeated = pages.last().is_some_and(|before| page.repeats(before));
            if is_repeated && total.is_some_and(|total| all_received >= total) {
                // The exchange returns the last page for any number beyond it.
                break;
            }
            pages.push(page);
            let received = (read.lines.len() + read.faults.len()) as u64;
            append(export, store, &response, read)?;
            if !is_repeated {
                all_received += received;
            }
            let Some(paging) = self.paging else { break };
            let is_full = received >= u64::from(paging.max);
            let is_missing = total.is_some_and(|total| all_received < total);
            if !is_full && !is_missing {
                break;
            }
            let why = match (paging.page, total) {
                (None, _) => "it gave the most rows that it gives; there may be more".to_owned(),
                (Some(_), Some(total)) if is_missing && (received == 0 || is_repeated) => {
                    format!("the exchange states {total} rows and returned {all_received}")
                }
                (Some(_), _) if is_repeated => {
                    "the same page comes again and again; there may be more".to_owned()
                }
                (Some(_), _) if number >= MAX_PAGES => {
                    "it does not end after 1000 pages; there may be more".to_owned()
                }
                (Some(_), _) => continue,
            };
            store.set_unproven(why);
            break;
        }
        Ok(Some(pages))
    }

    /// Whether every page of a list of several pages has the same rows when all are requested once more: then these are
    /// the rows of the moment between. `None` if the exchange does not return a page.
    async fn is_unchanged(
        &mut self,
        export: &mut Export,
        store: &mut Store,
        pages: &[PageRows],
    ) -> Result<Option<bool>, Failure> {
        // One page is one moment.
        if pages.len() < 2 || store.state.unproven.is_some() {
            return Ok(Some(true));
        }
        for (number, page) in (1..).zip(pages) {
            self.set_page(number);
            let Some(body) = self.request(export, store).await? else { return Ok(None) };
            let is_same = self.lines(&body).is_ok_and(|read| PageRows::new(&read).ids == page.ids);
            if !is_same {
                return Ok(Some(false));
            }
        }
        Ok(Some(true))
    }

    fn set_page(&mut self, number: u32) {
        if let Some(name) = self.paging.and_then(|paging| paging.page) {
            self.parameters[name] = json!(number);
        }
    }

    /// Requests a page; `None` if the exchange does not return it, which the store records.
    async fn request(
        &self,
        export: &mut Export,
        store: &mut Store,
    ) -> Result<Option<Bytes>, Failure> {
        let payload = self
            .entry
            .encode_request(&self.parameters.to_string())
            .map_err(|error| Failure::usage(format!("{}: {}", store.name, chain(&error))))?;
        loop {
            match export.client.send_raw(&self.entry.metadata, payload.clone()).await {
                Ok(response) => {
                    export.retries.succeeded();
                    return Ok(Some(response.raw));
                }
                Err(error) => {
                    if !export.should_retry(store, HistoryError::Request(error)).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Decodes the rows of a page.
    fn lines(&self, body: &Bytes) -> Result<SnapshotLines, String> {
        let read = snapshot_lines(self.entry, body)?;
        // A response without a list is read as a single row.
        if self.paging.is_some() && !read.lines.is_empty() && count(body).is_none() {
            return Err(NO_LIST.to_owned());
        }
        Ok(read)
    }
}

/// Stores a page and its rows.
fn append(
    export: &mut Export,
    store: &mut Store,
    response: &StoredResponse,
    read: SnapshotLines,
) -> Result<(), Failure> {
    if let Some(last) = read.faults.last() {
        store.count_faulty_rows(read.faults.len(), last);
    }
    store.state.unreadable += read.losses.unreadable as u64;
    store.state.cut += read.losses.cut as u64;
    let rows = read.lines.len();
    let lines = read.lines.into_iter().map(|line| with_snapshot_time(line, response.taken));
    let lines = lines.collect::<Vec<_>>().concat();
    let span = Some((response.at, response.at));
    store.append(&NewRows { response, lines: &lines, rows, span, cursor: None, replaced: &[] })?;
    export.overall.add(rows, lines.len() + response.body.len());
    export.page_done();
    Ok(())
}

/// Which rows a page has.
#[derive(Debug)]
struct PageRows {
    /// The ids of each row, and the whole text of a row without one. Sorted: the exchange may change the order.
    ids: Vec<String>,
    /// The rows as a whole.
    lines: BTreeSet<Vec<u8>>,
    /// How many rows have an id.
    with_id: usize,
}

impl PageRows {
    fn new(read: &SnapshotLines) -> Self {
        let with_id = read.lines.iter().filter(|line| row_id(line).is_some()).count();
        let whole = |line: &Vec<u8>| String::from_utf8_lossy(line).into_owned();
        let ids = read.lines.iter().map(|line| row_id(line).unwrap_or_else(|| whole(line)));
        let mut ids: Vec<_> = ids.chain(read.faults.iter().cloned()).collect();
        ids.sort();
        Self { ids, lines: read.lines.iter().cloned().collect(), with_id }
    }

    /// Whether the page is the one before once more, although values of its rows may have changed: it has the same
    /// ids, or mostly the same rows. A row that moved to the next page is on both.
    fn repeats(&self, before: &Self) -> bool {
        let known = self.lines.intersection(&before.lines).count();
        let is_same_ids = self.with_id * 2 > self.ids.len() && self.ids == before.ids;
        known * 2 > self.lines.len() || is_same_ids
    }
}

/// The ids in a row; `None` if it has none.
fn row_id(line: &[u8]) -> Option<String> {
    let row: Value = serde_json::from_slice(line).ok()?;
    let is_id = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.ends_with("id") || matches!(name.as_str(), "symbol" | "currency" | "coinname")
    };
    let members = row.as_object()?.iter().filter(|(name, _)| is_id(name));
    let ids: Vec<_> = members.map(|(_, value)| value.to_string()).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::Losses;

    use super::{PageRows, SnapshotLines};

    /// A page of orders with these ids and this price.
    fn orders(from: u32, to: u32, price: u32) -> SnapshotLines {
        let row = |id| format!("{{\"order_id\":\"{id}\",\"price\":{price}}}\n").into_bytes();
        let lines = (from..to).map(row).collect();
        SnapshotLines { lines, faults: Vec::new(), losses: Losses::default() }
    }

    #[test]
    fn a_page_is_repeated_though_a_value_changes() {
        let first = PageRows::new(&orders(0, 100, 1));
        // A row was added: one moved to the next page.
        let second = PageRows::new(&orders(99, 199, 1));
        assert!(!second.repeats(&first));
        let repriced = orders(99, 199, 2);
        assert!(PageRows::new(&repriced).repeats(&second), "the ids are the same");
        let mut with_another = repriced;
        let before = PageRows::new(&with_another);
        with_another.lines[0] = b"{\"x\":1}\n".to_vec();
        assert!(PageRows::new(&with_another).repeats(&before), "most rows are the same");
    }
}
