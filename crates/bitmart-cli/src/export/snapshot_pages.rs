//! Reads a list that has no past, page by page, until two readings have the same rows.
//!
//! A row that is added or removed between two requests moves others to another page: one is then there twice, or
//! missing. Two readings whose pages have the same ids prove that no row is, if none was moved away and back again
//! meanwhile. They prove nothing about values such as amounts: those of two pages may be of different moments.

use std::collections::BTreeSet;

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{EndpointEntry, Paging};
use bitmart::rest::history::HistoryError;
use serde_json::{Value, json};

use super::Export;
use super::history_rows;
use super::list_end::ListEnd;
use super::pages::with_snapshot_time;
use super::snapshot::{NO_LIST, SnapshotLines, count, snapshot_lines};
use super::store::{NewRows, State, Store, StoredResponse};
use crate::failure::{Failure, chain};

/// Maximum number of pages of a snapshot.
const MAX_PAGES: u32 = 1_000;

/// Maximum number of times that a list of several pages is read, until it does not change meanwhile.
const MAX_READINGS: u32 = 4;

const CHANGED: &str =
    "the list changed whenever its pages were read: rows may be missing, or there twice";

const NOT_REPEATED: &str =
    "it could not be read once more, to prove that no row is missing or there twice";

const UNREAD: &str =
    "a page was not understood when it came: there may be more, and rows may have moved";

/// A list without a past, and how it is requested.
pub(super) struct List {
    pub(super) entry: &'static EndpointEntry,
    /// `None` if one response is enough.
    pub(super) paging: Option<Paging>,
    /// Parameters of the next request.
    pub(super) parameters: Value,
}

/// One reading of a list.
struct Reading {
    /// The exchange's time when it began, in milliseconds.
    taken: i64,
    /// Whether its responses are held until it is complete, because it replaces another reading. Otherwise each is
    /// stored when it comes.
    is_held: bool,
    /// The held responses, each with its rows or why it does not decode.
    held: Vec<(StoredResponse, Result<SnapshotLines, String>)>,
    /// The rows of each page that decodes.
    pages: Vec<PageRows>,
    /// Why it may not be the whole list.
    unproven: Option<String>,
}

impl Reading {
    fn new(taken: i64, is_held: bool) -> Self {
        Self { taken, is_held, held: Vec::new(), pages: Vec::new(), unproven: None }
    }

    /// Whether one more reading is needed. One page is one moment, and nothing proves what did not end.
    fn needs_proof(&self) -> bool {
        self.pages.len() > 1 && self.unproven.is_none()
    }

    fn has_same_rows(&self, other: &Self) -> bool {
        self.unproven.is_none()
            && self.pages.iter().map(|page| &page.ids).eq(other.pages.iter().map(|page| &page.ids))
    }

    /// Stores a page, or holds it.
    fn add(
        &mut self,
        export: &mut Export,
        store: &mut Store,
        response: StoredResponse,
        read: Result<SnapshotLines, String>,
    ) -> Result<(), Failure> {
        if self.is_held {
            self.held.push((response, read));
            return Ok(());
        }
        append(export, store, &response, read)
    }

    /// Replaces the stored reading if this one is held.
    fn finish(&mut self, export: &mut Export, store: &mut Store) -> Result<(), Failure> {
        if self.is_held {
            store.begin_snapshot(export.run, self.taken)?;
        }
        for (response, read) in self.held.drain(..) {
            append(export, store, &response, read)?;
        }
        if let Some(why) = &self.unproven {
            store.set_unproven(why.clone());
        }
        Ok(())
    }
}

impl List {
    /// Stores a snapshot of the list. `false` if the exchange does not return a page, which the store records.
    ///
    /// What is stored is replaced only by a reading that came to its end, so that a rejection or an outage leaves the
    /// pages of an earlier one.
    pub(super) async fn store(
        &mut self,
        export: &mut Export,
        store: &mut Store,
    ) -> Result<bool, Failure> {
        let mut reading = Reading::new(export.now().as_millis(), has_unfinished(&store.state));
        if !reading.is_held {
            store.begin_snapshot(export.run, reading.taken)?;
        }
        if !self.read(export, store, &mut reading).await? {
            return Ok(false);
        }
        reading.finish(export, store)?;
        for _ in 1..MAX_READINGS {
            if !reading.needs_proof() {
                return Ok(true);
            }
            let mut again = Reading::new(export.now().as_millis(), true);
            let postponed = export.retries.postponed;
            let outcome = self.read(export, store, &mut again).await;
            if !matches!(outcome, Ok(true)) {
                // The list is done, though not proven, and is not requested again in this run.
                export.retries.postponed = postponed;
                store.set_unproven(NOT_REPEATED.to_owned());
                if outcome.is_err() {
                    store.finish()?;
                }
                return outcome.map(|_| true);
            }
            if again.has_same_rows(&reading) {
                return Ok(true);
            }
            if again.unproven.is_none() {
                again.finish(export, store)?;
                reading = again;
            }
        }
        store.set_unproven(CHANGED.to_owned());
        Ok(true)
    }

    /// Requests all pages. `false` if the exchange does not return one.
    async fn read(
        &mut self,
        export: &mut Export,
        store: &mut Store,
        reading: &mut Reading,
    ) -> Result<bool, Failure> {
        let mut end = ListEnd::default();
        for number in 1.. {
            self.set_page(number);
            let Some(body) = self.request(export, store).await? else { return Ok(false) };
            let mut response = StoredResponse::new(self.parameters.clone(), &body);
            (response.pagination, response.taken) = (store.state.pagination, Some(reading.taken));
            let total = self.paging.and_then(|paging| paging.page).and(history_rows::total(&body));
            let most = self.paging.map(|paging| u64::from(paging.max));
            let read = match self.lines(&body) {
                Ok(read) => read,
                Err(error) => {
                    if let Some(rows) = count(&body) {
                        end.add(rows, most, total);
                    }
                    let is_last = count(&body).is_some() && !end.may_go_on();
                    if number > 1 || (self.paging.is_some() && !is_last) {
                        reading.unproven = Some(UNREAD.to_owned());
                    }
                    reading.add(export, store, response, Err(error))?;
                    break;
                }
            };
            let page = PageRows::new(&read);
            let is_repeated = reading.pages.last().is_some_and(|before| page.repeats(before));
            if is_repeated && total.is_some_and(|total| end.received >= total) {
                // The exchange returns the last page for any number beyond it.
                break;
            }
            reading.pages.push(page);
            let rows = read.lines.len() + read.faults.len();
            let received_before = end.received;
            end.add(rows, most, total);
            if is_repeated {
                end.received = received_before;
            }
            reading.add(export, store, response, Ok(read))?;
            let Some(paging) = self.paging else { break };
            if !end.may_go_on() {
                break;
            }
            let why = match paging.page {
                None => "it gave the most rows that it gives; there may be more".to_owned(),
                Some(_) if rows == 0 || is_repeated => match end.missing() {
                    Some(why) => why,
                    None => "the same page comes again and again; there may be more".to_owned(),
                },
                Some(_) if number >= MAX_PAGES => {
                    "it does not end after 1000 pages; there may be more".to_owned()
                }
                Some(_) => continue,
            };
            reading.unproven = Some(why);
            break;
        }
        Ok(true)
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

/// Whether pages of a snapshot are stored that did not come to its end.
fn has_unfinished(state: &State) -> bool {
    !state.done && state.responses > state.snapshot.unwrap_or_default().responses
}

/// Stores a page and its rows, or only the page if it does not decode.
fn append(
    export: &mut Export,
    store: &mut Store,
    response: &StoredResponse,
    read: Result<SnapshotLines, String>,
) -> Result<(), Failure> {
    let read = match read {
        Ok(read) => read,
        Err(error) => return store.append_undecoded(response, None, &error),
    };
    if let Some(last) = read.faults.last() {
        store.count_faulty_rows(read.faults.len(), last);
    }
    store.state.unreadable += read.losses.unreadable as u64;
    store.state.cut += read.losses.truncated_decimals as u64;
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
