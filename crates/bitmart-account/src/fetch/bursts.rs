//! Bursts: times with more fills than the exchange lists at once.
//!
//! A list of fills is truncated to a page, and a time range cannot be split below its resolution: 1 ms on spot, 1 s
//! on futures. What remains is read with narrower requests, which prove that nothing is missing: on spot, every
//! fill belongs to an order, and the orders are known with their filled sizes; on futures, every contract is asked,
//! and where one contract is still too much, every order of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use bitmart_rest::history::HistoryError;
use bitmart_rest::{Client, futures, spot};
use bitmart_types::{ContractSymbol, Decimal, OrderId, Rows, TradeId};

use super::orders::{FetchedOrders, UnansweredOrders, is_unknown_symbol};
use super::time_ranges::{TimeRange, page_size};
use super::{PageBuffer, query_fills, query_orders, split_rows};
use crate::sync::Page;
use crate::{Fill, Instrument, MalformedItem};

/// A contract is asked for fills until this long after its delisting, to be safe.
const DELISTING_MARGIN: Duration = Duration::from_secs(86_400);

/// The fills that lists have returned, by order.
#[derive(Debug, Default)]
pub(super) struct ListedFills(BTreeMap<OrderId, OrderFills>);

#[derive(Debug)]
struct OrderFills {
    instrument: Instrument,
    trade_ids: HashSet<TradeId>,
    /// Sum of the sizes; `None` if it is beyond what a decimal can hold.
    size: Option<Decimal>,
}

impl ListedFills {
    /// Adds the rows of a list, of which some may be known. Returns them as a page.
    pub(super) fn add<T>(&mut self, rows: Rows<T>) -> Page
    where
        T: Into<Fill>,
    {
        let (fills, malformed): (Vec<Fill>, _) = split_rows(rows);
        for fill in &fills {
            let order = self.0.entry(fill.order_id.clone()).or_insert_with(|| OrderFills {
                instrument: fill.instrument.clone(),
                trade_ids: HashSet::new(),
                size: Some(Decimal::ZERO),
            });
            if order.trade_ids.insert(fill.trade_id.clone()) {
                order.size = order.size.and_then(|size| size.checked_add(fill.size));
            }
        }
        Page { fills, malformed, ..Page::default() }
    }

    /// Returns the orders of the fills.
    pub(super) fn orders(&self) -> impl Iterator<Item = (&OrderId, &Instrument)> {
        self.0.iter().map(|(id, order)| (id, &order.instrument))
    }

    /// Whether the fills of an order add up to its filled size.
    fn has_all(&self, id: &OrderId, filled_size: Decimal) -> bool {
        let listed = self.0.get(id).map_or(Some(Decimal::ZERO), |order| order.size);
        listed.is_some_and(|listed| listed >= filled_size)
    }
}

/// Reads the fills of bursts order by order, and reports orders with fills that the exchange does not list.
pub(super) async fn read_spot(
    client: &Client,
    bursts: &[TimeRange],
    orders: &FetchedOrders,
    unanswered: &UnansweredOrders,
    fills: &mut ListedFills,
    pages: &PageBuffer,
) -> Result<(), HistoryError> {
    let Some(time) = span(bursts) else { return Ok(()) };
    let known = orders.iter().map(|(id, order)| (id, &order.instrument, Some(order.filled_size)));
    let others = unanswered.iter().map(|(id, instrument)| (id, instrument, None));
    for (id, instrument, filled_size) in known.chain(others) {
        if filled_size.is_some_and(|size| fills.has_all(id, size)) {
            continue;
        }
        let rows = match client.spot().order_fills(id.clone()).await {
            Ok(rows) => rows,
            Err(error) if error.is_order_not_found() || is_unknown_symbol(&error) => {
                Rows::default()
            }
            Err(error) => return Err(HistoryError::Request(error)),
        };
        // No limit of this list is documented, so a long one may be truncated.
        let is_long = rows.len() + rows.faults().len() >= page_size::<spot::ListFills>();
        let mut page = fills.add(rows);
        if filled_size.map_or(is_long, |size| !fills.has_all(id, size)) {
            page.malformed.push(unlisted_fills(id, instrument, time));
        }
        pages.push(page);
    }
    Ok(())
}

/// What a fetch has read before its bursts.
pub(super) struct Fetched<'a> {
    /// The time range of the fetch. Orders that finished before it have no fill in it.
    pub(super) range: TimeRange,
    pub(super) orders: &'a mut FetchedOrders,
    pub(super) unanswered: &'a UnansweredOrders,
    pub(super) fills: &'a mut ListedFills,
}

/// Reads the fills of bursts contract by contract, and where that is not enough, order by order. Reports orders with
/// fills that the exchange does not list.
pub(super) async fn read_futures(
    client: &Client,
    bursts: &[TimeRange],
    fetched: Fetched<'_>,
    pages: &PageBuffer,
) -> Result<(), HistoryError> {
    let Some(time) = span(bursts) else { return Ok(()) };
    let Fetched { range, orders, unanswered, fills } = fetched;
    let mut malformed = Vec::new();
    for symbol in contracts(client, time, orders, unanswered, fills, &mut malformed).await? {
        let contract = Instrument::Contract(symbol.clone());
        // It is reported already.
        if unanswered.unknown_instruments.contains(&contract) {
            continue;
        }
        let request = futures::ListFills::new().symbol(symbol.clone());
        let bursts = read_all(client, &request, bursts, fills, pages).await?;
        if bursts.is_empty() {
            continue;
        }
        let history = futures::ListOrderHistory::new(symbol.clone());
        query_orders(client, &history, range, orders, pages).await?;
        let known = orders.iter().map(|(id, order)| (id, &order.instrument));
        let known = known.chain(unanswered.iter()).chain(fills.orders());
        let of_contract = known.filter(|(_, instrument)| **instrument == contract);
        let ids: BTreeSet<OrderId> = of_contract.map(|(id, _)| id.clone()).collect();
        for id in ids {
            if orders.filled_size(&id).is_some_and(|size| fills.has_all(&id, size)) {
                continue;
            }
            let request = request.clone().order_id(id.clone());
            let bursts = read_all(client, &request, &bursts, fills, pages).await?;
            if let Some(time) = span(&bursts) {
                malformed.push(unlisted_fills(&id, &contract, time));
            }
        }
    }
    if !malformed.is_empty() {
        pages.push(Page { malformed, ..Page::default() });
    }
    Ok(())
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
    orders: &FetchedOrders,
    unanswered: &UnansweredOrders,
    fills: &ListedFills,
    malformed: &mut Vec<MalformedItem>,
) -> Result<BTreeSet<ContractSymbol>, HistoryError> {
    let contracts = client.futures().contracts(()).await.map_err(HistoryError::Request)?;
    let (rows, faults) = contracts.contracts.into_parts();
    malformed.extend(faults.into_iter().map(MalformedItem::Row));
    let was_listed = |contract: &futures::Contract| {
        contract.delist_time.is_none_or(|time| begin - DELISTING_MARGIN <= time)
    };
    let listed = rows.into_iter().filter(was_listed).map(|contract| contract.symbol);
    let known = orders.iter().map(|(_, order)| &order.instrument);
    let known = known
        .chain(unanswered.iter().map(|(_, instrument)| instrument))
        .chain(fills.orders().map(|(_, instrument)| instrument));
    let known = known.filter_map(|instrument| match instrument {
        Instrument::Contract(symbol) => Some(symbol.clone()),
        Instrument::Pair(_) => None,
    });
    Ok(listed.chain(known).collect())
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
