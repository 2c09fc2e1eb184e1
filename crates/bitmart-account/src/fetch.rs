//! REST queries of an account's state.

mod time_ranges;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart_rest::history::{History, HistoryError};
use bitmart_rest::{Client, Error, futures, spot};
use bitmart_types::{OrderId, Rows, Timestamp};
use futures_util::future::{try_join3, try_join4};

use crate::sync::{Page, Snapshot};
use crate::{Fill, Instrument, MalformedItem, Market, Order, convert};

/// Queries extend this far into the future, because the exchange's clock may be ahead.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// Time range of the query of open spot orders, which the exchange limits to a week by default.
const OPEN_ORDERS_RANGE: Duration = Duration::from_secs(604_800);

/// The most open futures orders that the exchange lists.
const MAX_OPEN_FUTURES_ORDERS: u32 = 100;

/// The remark that a list of this many open futures orders may not be complete. Tracked orders that it lacks are
/// queried by id, others stay unknown.
fn truncated(rows: usize) -> Option<MalformedItem> {
    let list = "open futures orders";
    (rows >= MAX_OPEN_FUTURES_ORDERS as usize).then_some(MalformedItem::Truncated { list, rows })
}

/// What a fetch queries.
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

/// Queries the fills of a time range, for an audit. Returns `None` if one cannot be decoded.
pub(crate) async fn fills(
    client: Client,
    market: Market,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<Vec<Fill>>, HistoryError> {
    let pages = PageBuffer::default();
    let range = (from, until);
    match market {
        Market::Spot => query_fills(&client, spot::ListFills::new(), range, &pages).await?,
        Market::Futures => query_fills(&client, futures::ListFills::new(), range, &pages).await?,
    };
    let pages = pages.take();
    let complete = pages.iter().all(|page| page.malformed.is_empty());
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
            let mut listed = ListedOrders::default();
            let open = (until - OPEN_ORDERS_RANGE, until);
            time_ranges::query_all(client, &spot::ListOpenOrders::new(), open, |rows| {
                listed.add(rows, pages);
            })
            .await?;
            if let Some(from) = self.from {
                let history = &spot::ListOrderHistory::new();
                time_ranges::query_all(client, history, (from, until), |rows| {
                    listed.add(rows, pages);
                })
                .await?;
            }
            Ok(listed)
        };
        let fills = async {
            let Some(from) = self.from else { return Ok(BTreeMap::new()) };
            query_fills(client, spot::ListFills::new(), (from, until), pages).await
        };
        let wallet = async { client.account().spot_wallet().await.map_err(HistoryError::Request) };
        let (listed, filled, wallet) = try_join3(orders, fills, wallet).await?;
        let mut queried = QueriedOrders::default();
        for (id, _) in listed.unlisted(self.open_orders, filled) {
            let order = client.spot().order(id.clone()).await;
            queried.add(id, order, pages)?;
        }
        let (balances, malformed) = converted(wallet.balances, convert::spot_balance_row);
        let balances_incomplete = !malformed.is_empty();
        Ok(Snapshot {
            balances,
            malformed,
            balances_incomplete,
            unknown_orders: queried.unknown,
            finished_orders: queried.finished,
            ..Snapshot::default()
        })
    }

    /// The exchange lists finished futures orders per contract only. Orders that another client placed
    /// and canceled without a fill during a disconnect stay unknown.
    async fn futures(self, client: &Client, pages: &PageBuffer) -> Result<Snapshot, HistoryError> {
        let futures = client.futures();
        let until = client.now() + CLOCK_MARGIN;
        let orders = async {
            let mut listed = ListedOrders::default();
            let request = futures::ListOpenOrders::new().limit(MAX_OPEN_FUTURES_ORDERS);
            let open = futures.open_orders(request).await.map_err(HistoryError::Request)?;
            let truncated = truncated(open.len() + open.faults().len());
            listed.add(open, pages);
            Ok((listed, truncated))
        };
        let fills = async {
            let Some(from) = self.from else { return Ok(BTreeMap::new()) };
            query_fills(client, futures::ListFills::new(), (from, until), pages).await
        };
        let positions = async {
            futures.positions(futures::ListPositions::new()).await.map_err(HistoryError::Request)
        };
        let balances = async { futures.balances().await.map_err(HistoryError::Request) };
        let ((listed, truncated), filled, positions, balances) =
            try_join4(orders, fills, positions, balances).await?;
        let mut queried = QueriedOrders::default();
        for (id, instrument) in listed.unlisted(self.open_orders, filled) {
            if let Instrument::Contract(symbol) = instrument {
                let order = futures.order(futures::QueryOrder::new(symbol, id.clone())).await;
                queried.add(id, order, pages)?;
            }
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
        malformed.extend(truncated);
        let positions = Some(positions);
        Ok(Snapshot {
            balances,
            positions,
            malformed,
            positions_incomplete,
            balances_incomplete,
            unknown_orders: queried.unknown,
            finished_orders: queried.finished,
        })
    }
}

/// The ids of orders that were in one of the lists.
#[derive(Default)]
struct ListedOrders(HashSet<OrderId>);

impl ListedOrders {
    fn add<T>(&mut self, rows: Rows<T>, pages: &PageBuffer)
    where
        T: TryInto<Order, Error = MalformedItem>,
    {
        let (orders, malformed): (Vec<Order>, _) = split_rows(rows);
        self.0.extend(orders.iter().map(|order| order.order_id.clone()));
        pages.push(Page { orders, malformed, ..Page::default() });
    }

    /// Returns the orders to query one by one: those that were open or have fills, and that are in no
    /// list.
    fn unlisted(
        self,
        open: BTreeMap<OrderId, Instrument>,
        filled: BTreeMap<OrderId, Instrument>,
    ) -> BTreeMap<OrderId, Instrument> {
        let mut orders = open;
        orders.extend(filled);
        orders.retain(|id, _| !self.0.contains(id));
        orders
    }
}

/// Queries fills. Returns the orders that they belong to.
async fn query_fills<H: History<Row: Into<Fill>>>(
    client: &Client,
    request: H,
    range: (Timestamp, Timestamp),
    pages: &PageBuffer,
) -> Result<BTreeMap<OrderId, Instrument>, HistoryError> {
    let mut filled = BTreeMap::new();
    let add = |rows: Rows<H::Row>| {
        let (fills, malformed): (Vec<Fill>, _) = split_rows(rows);
        filled.extend(fills.iter().map(|fill| (fill.order_id.clone(), fill.instrument.clone())));
        pages.push(Page { fills, malformed, ..Page::default() });
    };
    time_ranges::query_all(client, &request, range, add).await?;
    Ok(filled)
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

/// Orders that were queried by id without a result.
#[derive(Default)]
struct QueriedOrders {
    /// The exchange forgets old orders after a while.
    unknown: Vec<OrderId>,
    finished: Vec<OrderId>,
}

impl QueriedOrders {
    fn add<T: TryInto<Order, Error = MalformedItem>>(
        &mut self,
        id: OrderId,
        result: Result<T, Error>,
        pages: &PageBuffer,
    ) -> Result<(), HistoryError> {
        match result {
            Ok(order) => pages.push(match order.try_into() {
                Ok(order) => Page { orders: vec![order], ..Page::default() },
                Err(item) => Page { malformed: vec![item], ..Page::default() },
            }),
            Err(error) if error.is_order_finished() => self.finished.push(id),
            Err(error) if error.is_order_not_found() => self.unknown.push(id),
            Err(error) => return Err(HistoryError::Request(error)),
        }
        Ok(())
    }
}
