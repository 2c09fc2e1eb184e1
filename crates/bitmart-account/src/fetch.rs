//! REST queries of an account's state: a fetch, and the list of fills for an audit.

mod bursts;
mod orders;
#[cfg(test)]
mod tests;
mod time_ranges;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart_rest::history::{History, HistoryError};
use bitmart_rest::{Client, futures, spot};
use bitmart_types::{OrderId, Rows, Timestamp};
use futures_util::future::{try_join3, try_join4};

use crate::sync::{Page, Snapshot};
use crate::{Fill, Instrument, MalformedItem, Market, Order, convert};

use bursts::{FetchedLists, OrdersOfFills};
use orders::{FetchedOrders, UnansweredOrders};
use time_ranges::TimeRange;

/// Queries extend this far into the future, because the exchange's clock may be ahead.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// Time range of the query of open spot orders, which the exchange limits to a week by default.
const OPEN_ORDERS_RANGE: Duration = Duration::from_secs(604_800);

/// The most open futures orders that the exchange lists.
const MAX_OPEN_FUTURES_ORDERS: u32 = 100;

/// The most [bursts] of a fetch that are read with narrower requests. Each takes many.
const MAX_BURSTS: usize = 100;

/// Returns the report that a list of this many open futures orders may not be complete, if so. Tracked orders that
/// it lacks are queried by id, others stay unknown.
fn truncation(rows: usize) -> Option<MalformedItem> {
    let list = "open futures orders";
    (rows >= MAX_OPEN_FUTURES_ORDERS as usize).then_some(MalformedItem::Truncated { list, rows })
}

/// The market, time range and orders that a fetch queries.
#[derive(Debug)]
pub(crate) struct FetchPlan {
    pub(crate) market: Market,
    /// Start of the time range that may have been missed; `None` if nothing can have been missed.
    pub(crate) from: Option<Timestamp>,
    /// Orders whose last known state is open.
    pub(crate) open_orders: BTreeMap<OrderId, Instrument>,
}

/// Pages of a running fetch that its poller has not taken yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageBuffer(Arc<Mutex<Vec<Page>>>);

impl PageBuffer {
    fn push(&self, page: Page) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(page);
    }

    pub(crate) fn take(&self) -> Vec<Page> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Queries the fills of a time range, for an audit. Returns `None` if one cannot be decoded, or if the exchange
/// does not list all of them.
pub(crate) async fn fills(
    client: Client,
    market: Market,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<Vec<Fill>>, HistoryError> {
    let pages = PageBuffer::default();
    let range = (from, until);
    let mut fills = OrdersOfFills::default();
    let bursts = match market {
        Market::Spot => {
            query_fills(&client, &spot::ListFills::new(), range, &mut fills, &pages).await?
        }
        Market::Futures => {
            query_fills(&client, &futures::ListFills::new(), range, &mut fills, &pages).await?
        }
    };
    let pages = pages.take();
    let complete = bursts.is_empty() && pages.iter().all(|page| page.malformed.is_empty());
    let mut known = HashSet::new();
    let fills = pages.into_iter().flat_map(|page| page.fills);
    let distinct =
        fills.filter(|fill| known.insert((fill.order_id.clone(), fill.trade_id.clone())));
    Ok(complete.then(|| distinct.collect()))
}

impl FetchPlan {
    /// Runs the queries. Pages are passed on as they arrive.
    pub(crate) async fn run(
        self,
        client: Client,
        pages: PageBuffer,
    ) -> Result<Snapshot, HistoryError> {
        match self.market {
            Market::Spot => self.spot(&client, &pages).await,
            Market::Futures => self.futures(&client, &pages).await,
        }
    }

    async fn spot(self, client: &Client, pages: &PageBuffer) -> Result<Snapshot, HistoryError> {
        let until = client.now() + CLOCK_MARGIN;
        // Query the history after the open orders, so that orders that finish in between are found.
        let orders = async {
            let mut orders = FetchedOrders::default();
            let week = (until - OPEN_ORDERS_RANGE, until);
            query_orders(client, &spot::ListOpenOrders::new(), week, &mut orders, pages).await?;
            if let Some(from) = self.from {
                let history = &spot::ListOrderHistory::new();
                query_orders(client, history, (from, until), &mut orders, pages).await?;
            }
            Ok(orders)
        };
        let fills = async {
            let mut fills = OrdersOfFills::default();
            let Some(from) = self.from else { return Ok((fills, Vec::new())) };
            let request = spot::ListFills::new();
            let bursts = query_fills(client, &request, (from, until), &mut fills, pages).await?;
            Ok((fills, bursts))
        };
        let wallet = async { client.account().spot_wallet().await.map_err(HistoryError::Request) };
        let (mut orders, (fills, bursts), wallet) = try_join3(orders, fills, wallet).await?;
        let mut unanswered = UnansweredOrders::default();
        for (id, instrument) in orders.unlisted(self.open_orders, &fills) {
            let order = client.spot().order(id.clone()).await;
            if let Some(page) = unanswered.read(id, instrument, order, &mut orders)? {
                pages.push(page);
            }
        }
        if let Some(from) = self.from {
            bursts::read_spot(client, &bursts, from, &orders, &unanswered, pages).await?;
        }
        let (balances, mut malformed) = converted(wallet.balances, convert::spot_balance_row);
        let balances_incomplete = !malformed.is_empty();
        malformed.extend(unanswered.malformed);
        Ok(Snapshot {
            balances,
            malformed,
            balances_incomplete,
            orders_not_found: unanswered.not_found,
            finished_orders: unanswered.finished,
            unknown_instruments: unanswered.unknown_instruments,
            ..Snapshot::default()
        })
    }

    /// The exchange lists finished futures orders per contract only. Orders that another client placed
    /// and canceled without a fill during a disconnect stay unknown.
    async fn futures(self, client: &Client, pages: &PageBuffer) -> Result<Snapshot, HistoryError> {
        let futures = client.futures();
        let until = client.now() + CLOCK_MARGIN;
        let orders = async {
            let mut orders = FetchedOrders::default();
            let request = futures::ListOpenOrders::new().limit(MAX_OPEN_FUTURES_ORDERS);
            let open = futures.open_orders(request).await.map_err(HistoryError::Request)?;
            let truncation = truncation(open.len() + open.faults().len());
            pages.push(orders.add(open));
            Ok((orders, truncation))
        };
        let fills = async {
            let mut fills = OrdersOfFills::default();
            let Some(from) = self.from else { return Ok((fills, Vec::new())) };
            let request = futures::ListFills::new();
            let bursts = query_fills(client, &request, (from, until), &mut fills, pages).await?;
            Ok((fills, bursts))
        };
        let positions = async {
            futures.positions(futures::ListPositions::new()).await.map_err(HistoryError::Request)
        };
        let balances = async { futures.balances().await.map_err(HistoryError::Request) };
        let ((mut orders, truncation), (mut fills, bursts), positions, balances) =
            try_join4(orders, fills, positions, balances).await?;
        let mut unanswered = UnansweredOrders::default();
        for (id, instrument) in orders.unlisted(self.open_orders, &fills) {
            if let Instrument::Contract(symbol) = &instrument {
                let request = futures::QueryOrder::new(symbol.clone(), id.clone());
                let order = futures.order(request).await;
                if let Some(page) = unanswered.read(id, instrument, order, &mut orders)? {
                    pages.push(page);
                }
            }
        }
        if let Some(from) = self.from {
            let fetched = FetchedLists {
                range: (from, until),
                orders: &mut orders,
                truncation: truncation.as_ref(),
                unanswered: &mut unanswered,
                fills: &mut fills,
            };
            bursts::read_futures(client, &bursts, fetched, pages).await?;
        }
        let (rows, faults) = positions.into_parts();
        let mut malformed: Vec<_> = faults.into_iter().map(MalformedItem::Row).collect();
        let mut positions = Vec::new();
        for row in rows {
            // A flat one needs no side.
            let is_open = convert::is_open(&row);
            match convert::position_row(row) {
                Ok(position) => positions.push(position),
                Err(item) if is_open => malformed.push(item),
                Err(_) => {}
            }
        }
        let positions_incomplete = !malformed.is_empty();
        let (balances, faults) = converted(balances.balances, convert::futures_balance_row);
        let balances_incomplete = !faults.is_empty();
        malformed.extend(faults);
        malformed.extend(truncation);
        malformed.extend(unanswered.malformed);
        let positions = Some(positions);
        Ok(Snapshot {
            balances,
            positions,
            malformed,
            positions_incomplete,
            balances_incomplete,
            orders_not_found: unanswered.not_found,
            finished_orders: unanswered.finished,
            unknown_instruments: unanswered.unknown_instruments,
        })
    }
}

/// Queries a list of orders. An error if it does not list all of them.
async fn query_orders<H>(
    client: &Client,
    request: &H,
    range: TimeRange,
    orders: &mut FetchedOrders,
    pages: &PageBuffer,
) -> Result<(), HistoryError>
where
    H: History<Row: TryInto<Order, Error = MalformedItem>>,
{
    let add = |rows: Rows<H::Row>| pages.push(orders.add(rows));
    time_ranges::query_all(client, request, range, 0, add).await.map(drop)
}

/// Queries fills. Returns the [bursts] in which the exchange did not list all of them.
async fn query_fills<H: History<Row: Into<Fill>>>(
    client: &Client,
    request: &H,
    range: TimeRange,
    fills: &mut OrdersOfFills,
    pages: &PageBuffer,
) -> Result<Vec<TimeRange>, HistoryError> {
    let add = |rows: Rows<H::Row>| pages.push(fills.add(rows));
    time_ranges::query_all(client, request, range, MAX_BURSTS, add).await
}

fn split_rows<T, U>(rows: Rows<T>) -> (Vec<U>, Vec<MalformedItem>)
where
    T: TryInto<U, Error: Into<MalformedItem>>,
{
    converted(rows, |row| row.try_into().map_err(Into::into))
}

/// Converts rows. Returns those that decode and convert, and the others.
fn converted<T, U, C: FromIterator<U>>(
    rows: Rows<T>,
    convert: impl Fn(T) -> Result<U, MalformedItem>,
) -> (C, Vec<MalformedItem>) {
    let (rows, faults) = rows.into_parts();
    let mut malformed: Vec<_> = faults.into_iter().map(MalformedItem::Row).collect();
    let convert = |row| convert(row).map_err(|item| malformed.push(item)).ok();
    let converted = rows.into_iter().filter_map(convert).collect();
    (converted, malformed)
}
