//! Bursts: times with more fills than the exchange lists at once.
//!
//! A list of fills is truncated to a page, and a time range cannot be split below its resolution: 1 ms on spot, 1 s
//! on futures. What remains is read with narrower requests: on spot, the list of every known order; on futures, the
//! list of every contract, and where it is still too long, that of every order of the contract. What these do not
//! prove to be complete is reported, so that the fetch fails. An order that no list contains and nobody tracks is not
//! noticed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_rest::{Client, futures, spot};
use bitmart_types::{ContractSymbol, Decimal, OrderId, Rows, Timestamp};

use super::orders::{FetchedOrders, UnansweredOrders, is_unknown_symbol};
use super::time_ranges::{TimeRange, page_size};
use super::{PageBuffer, query_fills, query_orders, split_rows};
use crate::sync::Page;
use crate::{Fill, Instrument, MalformedItem, Order};

/// The fills of a contract are queried until this long after its delisting, to be safe.
const DELISTING_MARGIN: Duration = Duration::from_secs(86_400);

/// The orders of all fills that lists have returned.
#[derive(Debug, Default)]
pub(super) struct ListedFills(BTreeMap<OrderId, Instrument>);

impl ListedFills {
    /// Adds the rows of a list, of which some may be known. Returns them as a page.
    pub(super) fn add<T>(&mut self, rows: Rows<T>) -> Page
    where
        T: Into<Fill>,
    {
        let (fills, malformed): (Vec<Fill>, _) = split_rows(rows);
        for fill in &fills {
            if !self.0.contains_key(&fill.order_id) {
                self.0.insert(fill.order_id.clone(), fill.instrument.clone());
            }
        }
        Page { fills, malformed, ..Page::default() }
    }

    /// Returns the orders of the fills.
    pub(super) fn orders(&self) -> impl Iterator<Item = (&OrderId, &Instrument)> {
        self.0.iter()
    }
}

/// Reads the fills of bursts order by order, and reports orders with fills that the exchange may not list. `from` is
/// the begin of the fetched time range.
pub(super) async fn read_spot(
    client: &Client,
    bursts: &[TimeRange],
    from: Timestamp,
    orders: &FetchedOrders,
    unanswered: &UnansweredOrders,
    pages: &PageBuffer,
) -> Result<(), HistoryError> {
    let Some(time) = span(bursts) else { return Ok(()) };
    let known = orders.iter().map(|(id, order)| (id, &order.instrument, Some(order)));
    let others = unanswered.iter().map(|(id, instrument)| (id, instrument, None));
    for (id, instrument, order) in known.chain(others) {
        if order.is_some_and(|order| order.is_final && order.filled_size.is_zero()) {
            continue;
        }
        // The list may lack fills from before the fetch, which the filled size contains.
        let least_size = order.filter(|order| order.create_time.is_none_or(|time| from <= time));
        let least_size = least_size.map_or(Decimal::ZERO, |order| order.filled_size);
        let mut page = Page::default();
        if !read_order(client, id, least_size, &mut page).await? {
            page.malformed.push(unlisted_fills(id, instrument, time));
        }
        pages.push(page);
    }
    Ok(())
}

/// Reads the fills of a spot order, of at least this size in total. Returns whether the list proves that these are
/// all.
async fn read_order(
    client: &Client,
    id: &OrderId,
    least_size: Decimal,
    page: &mut Page,
) -> Result<bool, HistoryError> {
    let mut is_short = false;
    match client.spot().order_fills(id.clone()).await {
        Ok(rows) => {
            // No limit of this list is documented, so a long one may be truncated.
            is_short = rows.len() + rows.faults().len() < page_size::<spot::ListFills>();
            *page = ListedFills::default().add(rows);
        }
        Err(error) if error.is_order_not_found() || is_unknown_symbol(&error) => {}
        Err(error) => return Err(HistoryError::Request(error)),
    }
    let Some(listed) = total_size(&page.fills) else { return Ok(false) };
    if is_short {
        return Ok(least_size <= listed);
    }
    // An older row may be exceeded by newer fills while others are missing.
    match client.spot().order(id.clone()).await {
        Ok(order) => match Order::try_from(order) {
            Ok(order) => {
                let is_complete = order.filled_size.max(least_size) <= listed;
                page.orders.push(order);
                Ok(is_complete)
            }
            Err(item) => {
                page.malformed.push(item);
                Ok(false)
            }
        },
        Err(error) if error.is_order_not_open() || is_unknown_symbol(&error) => Ok(false),
        Err(error) => Err(HistoryError::Request(error)),
    }
}

/// Returns the sum of the sizes of different fills of an order; `None` if it is beyond what a decimal can hold.
fn total_size(fills: &[Fill]) -> Option<Decimal> {
    let sizes: HashMap<_, _> = fills.iter().map(|fill| (&fill.trade_id, fill.size)).collect();
    sizes.into_values().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// What a fetch has read before its bursts.
pub(super) struct Fetched<'a> {
    /// The time range of the fetch. Orders that finished before it have no fill in it.
    pub(super) range: TimeRange,
    pub(super) orders: &'a mut FetchedOrders,
    /// The report that the list of open orders may lack some, if so.
    pub(super) truncation: Option<&'a MalformedItem>,
    pub(super) unanswered: &'a mut UnansweredOrders,
    pub(super) fills: &'a mut ListedFills,
}

/// Reads the fills of bursts contract by contract, and where that is not enough, order by order. Reports contracts and
/// orders with fills that the exchange may not list.
pub(super) async fn read_futures(
    client: &Client,
    bursts: &[TimeRange],
    mut fetched: Fetched<'_>,
    pages: &PageBuffer,
) -> Result<(), HistoryError> {
    let Some(time) = span(bursts) else { return Ok(()) };
    let bursts = joined(bursts);
    let mut malformed = Vec::new();
    for symbol in contracts(client, time, &fetched, &mut malformed).await? {
        let contract = Instrument::Contract(symbol.clone());
        let is_unknown = fetched.unanswered.unknown_instruments.contains(&contract)
            || match read_contract(client, &symbol, &bursts, &mut fetched, pages).await {
                Ok(reports) => {
                    malformed.extend(reports);
                    false
                }
                Err(HistoryError::Request(error)) if is_unknown_symbol(&error) => true,
                Err(error) => return Err(error),
            };
        if is_unknown {
            fetched.unanswered.unknown_instruments.insert(contract.clone());
            let (from, until) = time;
            malformed.push(MalformedItem::UnlistedInstrument { instrument: contract, from, until });
        }
    }
    if !malformed.is_empty() {
        pages.push(Page { malformed, ..Page::default() });
    }
    Ok(())
}

/// Reads the fills of a contract. Returns reports of those that the exchange may not list.
async fn read_contract(
    client: &Client,
    symbol: &ContractSymbol,
    bursts: &[TimeRange],
    fetched: &mut Fetched<'_>,
    pages: &PageBuffer,
) -> Result<Vec<MalformedItem>, HistoryError> {
    let request = futures::ListFills::new().symbol(symbol.clone());
    let bursts = joined(&read_all(client, &request, bursts, fetched.fills, pages).await?);
    let Some(time) = span(&bursts) else { return Ok(Vec::new()) };
    let history = futures::ListOrderHistory::new(symbol.clone());
    query_orders(client, &history, fetched.range, fetched.orders, pages).await?;
    let contract = Instrument::Contract(symbol.clone());
    let known = fetched.orders.iter().map(|(id, order)| (id, &order.instrument));
    let known = known.chain(fetched.unanswered.iter()).chain(fetched.fills.orders());
    let of_contract = known.filter(|(_, instrument)| **instrument == contract);
    let ids: BTreeSet<OrderId> = of_contract.map(|(id, _)| id.clone()).collect();
    // An order that the list lacks may have fills.
    let mut reports = Vec::from_iter(fetched.truncation.cloned());
    for id in ids {
        let request = request.clone().order_id(id.clone());
        match read_all(client, &request, &bursts, fetched.fills, pages).await {
            Ok(bursts) => {
                reports.extend(span(&bursts).map(|time| unlisted_fills(&id, &contract, time)));
            }
            Err(HistoryError::Request(error)) if error.is_order_not_open() => {
                reports.push(unlisted_fills(&id, &contract, time));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(reports)
}

/// Reads the fills of these bursts with a narrower request. Returns the parts that it does not list completely.
async fn read_all(
    client: &Client,
    request: &futures::ListFills,
    bursts: &[TimeRange],
    fills: &mut ListedFills,
    pages: &PageBuffer,
) -> Result<Vec<TimeRange>, HistoryError> {
    let mut remaining = Vec::new();
    for burst in bursts {
        remaining.extend(query_fills(client, request, *burst, fills, pages).await?);
    }
    Ok(remaining)
}

/// Returns every contract that may have a fill at this time: those that were listed then, and those of known orders
/// and fills. A row that cannot be decoded may hide one.
async fn contracts(
    client: &Client,
    (begin, _): TimeRange,
    fetched: &Fetched<'_>,
    malformed: &mut Vec<MalformedItem>,
) -> Result<BTreeSet<ContractSymbol>, HistoryError> {
    let contracts = client.futures().contracts(()).await.map_err(HistoryError::Request)?;
    let (rows, faults) = contracts.contracts.into_parts();
    malformed.extend(faults.into_iter().map(MalformedItem::Row));
    let was_listed = |contract: &futures::Contract| {
        contract.delist_time.is_none_or(|time| begin - DELISTING_MARGIN <= time)
    };
    let listed = rows.into_iter().filter(was_listed).map(|contract| contract.symbol);
    let known = fetched.orders.iter().map(|(_, order)| &order.instrument);
    let known = known
        .chain(fetched.unanswered.iter().map(|(_, instrument)| instrument))
        .chain(fetched.fills.orders().map(|(_, instrument)| instrument));
    let known = known.filter_map(|instrument| match instrument {
        Instrument::Contract(symbol) => Some(symbol.clone()),
        Instrument::Pair(_) => None,
    });
    Ok(listed.chain(known).collect())
}

/// Joins bursts that touch, so that one request reads them where it returns less than a page.
fn joined(bursts: &[TimeRange]) -> Vec<TimeRange> {
    let mut bursts = bursts.to_vec();
    bursts.sort_unstable();
    bursts.dedup_by(|(from, until), (_, end)| {
        let touches = *from <= *end;
        if touches {
            *end = (*end).max(*until);
        }
        touches
    });
    bursts
}

/// Returns the time from the begin of the first to the end of the last.
fn span(bursts: &[TimeRange]) -> Option<TimeRange> {
    let begin = bursts.iter().map(|(from, _)| *from).min()?;
    let end = bursts.iter().map(|(_, until)| *until).max()?;
    Some((begin, end))
}

fn unlisted_fills(
    order_id: &OrderId,
    instrument: &Instrument,
    (from, until): TimeRange,
) -> MalformedItem {
    let (order_id, instrument) = (order_id.clone(), instrument.clone());
    MalformedItem::UnlistedFills { order_id, instrument, from, until }
}
