//! Bursts: short times with more fills than the exchange returns at once.
//!
//! A response with fills is truncated to a page, and the shortest time range that can be requested is 1 ms on spot and
//! 1 s on futures. A burst has more fills in that time than a page. Its fills are requested by order on spot. On
//! futures they are requested by contract and, where that is still more than a page, by order of the contract. Orders
//! and contracts whose fills may not be complete even then are reported, so that the fetch fails and is repeated.
//!
//! Limit: an order is not noticed if no list contains it and the tracker does not know it.

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

/// For this long after its delisting a contract may still have fills. An assumption, on the safe side.
const DELISTING_MARGIN: Duration = Duration::from_secs(86_400);

/// The orders of all fills that were fetched so far.
#[derive(Debug, Default)]
pub(super) struct OrdersOfFills(BTreeMap<OrderId, Instrument>);

impl OrdersOfFills {
    /// Adds the orders of these rows. Returns the rows as a page.
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

/// Fetches the fills of spot bursts order by order, and reports orders whose fills may not be complete. `from` is the
/// begin of the time range that the fetch covers.
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
        // The filled size of an order that is older than the fetch includes fills that the list may no longer have.
        let is_older = |time| time < from;
        let least_size = match order {
            Some(order) if !order.create_time.is_some_and(is_older) => order.filled_size,
            _ => Decimal::ZERO,
        };
        let mut page = Page::default();
        if !read_order(client, id, least_size, &mut page).await? {
            page.malformed.push(unlisted_fills(id, instrument, time));
        }
        pages.push(page);
    }
    Ok(())
}

/// Fetches the fills of a spot order. They are complete only if they have at least `least_size` in total. Returns
/// whether they are proven to be complete.
async fn read_order(
    client: &Client,
    id: &OrderId,
    least_size: Decimal,
    page: &mut Page,
) -> Result<bool, HistoryError> {
    let mut is_short = false;
    match client.spot().order_fills(id.clone()).await {
        Ok(rows) => {
            // No maximum length of this list is documented, so a list as long as a page may be truncated.
            is_short = rows.len() + rows.faults().len() < page_size::<spot::ListFills>();
            *page = OrdersOfFills::default().add(rows);
        }
        Err(error) if error.is_order_not_found() || is_unknown_symbol(&error) => {}
        Err(error) => return Err(HistoryError::Request(error)),
    }
    let Some(listed) = total_size(&page.fills) else { return Ok(false) };
    if is_short {
        return Ok(least_size <= listed);
    }
    // The order may have filled since its row was read: then new fills add up to `least_size` although old ones are
    // missing. So the order is queried once more, after its fills.
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

/// Returns the sum of the sizes of an order's fills, each counted once; `None` if a decimal cannot hold it.
fn total_size(fills: &[Fill]) -> Option<Decimal> {
    let sizes: HashMap<_, _> = fills.iter().map(|fill| (&fill.trade_id, fill.size)).collect();
    sizes.into_values().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// What the lists of a futures fetch returned, which the requests for bursts complete.
pub(super) struct FetchedLists<'a> {
    /// The time range of the fetch. Orders that finished before it have no fill in it.
    pub(super) range: TimeRange,
    pub(super) orders: &'a mut FetchedOrders,
    /// Set if the list of open orders was as long as the exchange allows, so that it may lack some.
    pub(super) truncation: Option<&'a MalformedItem>,
    pub(super) unanswered: &'a mut UnansweredOrders,
    pub(super) fills: &'a mut OrdersOfFills,
}

/// Fetches the fills of futures bursts contract by contract, and where that is not enough, order by order. Reports
/// contracts and orders whose fills may not be complete.
pub(super) async fn read_futures(
    client: &Client,
    bursts: &[TimeRange],
    mut fetched: FetchedLists<'_>,
    pages: &PageBuffer,
) -> Result<(), HistoryError> {
    let Some(time) = span(bursts) else { return Ok(()) };
    let bursts = joined(bursts);
    let mut malformed = Vec::new();
    let mut needs_all_orders = false;
    for symbol in contracts(client, time, &fetched, &mut malformed).await? {
        let contract = Instrument::Contract(symbol.clone());
        let is_unknown = fetched.unanswered.unknown_instruments.contains(&contract)
            || match read_contract(client, &symbol, &bursts, &mut fetched, pages).await {
                Ok(by_order) => {
                    malformed.extend(by_order.reports);
                    needs_all_orders |= by_order.has_read_orders;
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
    if needs_all_orders {
        // An order that the list of open orders lacks may have fills.
        malformed.extend(fetched.truncation.cloned());
    }
    if !malformed.is_empty() {
        pages.push(Page { malformed, ..Page::default() });
    }
    Ok(())
}

/// How the fills of a contract were fetched.
#[derive(Default)]
struct ContractFills {
    /// The list of the contract was not enough, so that the fills of each known order were fetched.
    has_read_orders: bool,
    /// Orders whose fills may not be complete.
    reports: Vec<MalformedItem>,
}

/// Fetches the fills of a contract in these bursts.
async fn read_contract(
    client: &Client,
    symbol: &ContractSymbol,
    bursts: &[TimeRange],
    fetched: &mut FetchedLists<'_>,
    pages: &PageBuffer,
) -> Result<ContractFills, HistoryError> {
    let request = futures::ListFills::new().symbol(symbol.clone());
    let bursts = joined(&read_all(client, &request, bursts, fetched.fills, pages).await?);
    let Some(time) = span(&bursts) else { return Ok(ContractFills::default()) };
    let history = futures::ListOrderHistory::new(symbol.clone());
    query_orders(client, &history, fetched.range, fetched.orders, pages).await?;
    let contract = Instrument::Contract(symbol.clone());
    let known = fetched.orders.iter().map(|(id, order)| (id, &order.instrument));
    let known = known.chain(fetched.unanswered.iter()).chain(fetched.fills.orders());
    let of_contract = known.filter(|(_, instrument)| **instrument == contract);
    let ids: BTreeSet<OrderId> = of_contract.map(|(id, _)| id.clone()).collect();
    let mut reports = Vec::new();
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
    Ok(ContractFills { has_read_orders: true, reports })
}

/// Fetches the fills of these bursts with a narrower request. Returns the times in which it still has more than a page.
async fn read_all(
    client: &Client,
    request: &futures::ListFills,
    bursts: &[TimeRange],
    fills: &mut OrdersOfFills,
    pages: &PageBuffer,
) -> Result<Vec<TimeRange>, HistoryError> {
    let mut remaining = Vec::new();
    for burst in bursts {
        remaining.extend(query_fills(client, request, *burst, fills, pages).await?);
    }
    Ok(remaining)
}

/// Returns every contract that may have a fill in this time: those that were listed then, and those of known orders and
/// fills. A row that cannot be decoded may be another one, so it is reported.
async fn contracts(
    client: &Client,
    (begin, _): TimeRange,
    fetched: &FetchedLists<'_>,
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

/// Joins bursts that overlap or follow each other, so that one request fetches them if it has less than a page.
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
