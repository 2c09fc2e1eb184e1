//! The endpoints with a history.

use bitmart_types::{Rows, Timestamp};
use serde::Serialize;

use super::{History, HistorySpec, RowKey, Window};
use crate::api::catalog::history_specs as specs;
use crate::{account, earn, futures, margin, spot};

fn key(time: Option<Timestamp>, id: &impl ToString) -> RowKey {
    RowKey { time, id: id.to_string() }
}

/// A missing list counts as empty only if the total is zero.
fn rows_or_none<T>(rows: Option<Rows<T>>, total: Option<u64>) -> Option<Rows<T>> {
    rows.or_else(|| (total == Some(0)).then(Rows::default))
}

/// Members that change while a row goes from pending to done.
const STATE: [&str; 7] =
    ["state", "status", "tx_id", "cancelSource", "updateTime", "update_time", "updated_at"];

/// Identity of a row without an id: all of its members but those of its state. Equal rows of a response are
/// numbered by the caller.
fn content(row: &impl Serialize) -> String {
    let mut row = serde_json::to_value(row).unwrap_or_default();
    if let Some(members) = row.as_object_mut() {
        members.retain(|name, value| !value.is_null() && !STATE.contains(&name.as_str()));
    }
    row.to_string()
}

/// The unit of the time is not documented, but any unit gives the same order.
fn unverified_key<I: ToString>(time: Option<i64>, id: Option<&I>, row: &impl Serialize) -> RowKey {
    let id = id.map_or_else(|| content(row), ToString::to_string);
    RowKey { time: time.map(Timestamp::from_millis), id }
}

/// A trade with itself is two fills with one trade id, each of another order.
fn fill_key(time: Option<Timestamp>, trade: &impl ToString, order: &impl ToString) -> RowKey {
    RowKey { time, id: format!("{} {}", trade.to_string(), order.to_string()) }
}

/// Transaction ids are not unique: they are often the millisecond, which several contracts share.
fn transaction_key(row: &futures::Transaction) -> RowKey {
    let text = |part: Option<String>| part.unwrap_or_default();
    let id = format!(
        "{} {} {} {} {} {}",
        row.id,
        text(row.timestamp.map(|time| time.as_millis().to_string())),
        text(row.type_name.as_ref().map(ToString::to_string)),
        text(row.symbol.as_ref().map(ToString::to_string)),
        row.currency,
        row.amount.normalize(),
    );
    RowKey { time: row.timestamp, id }
}

macro_rules! histories {
    ($($request:ty => $row:ty, $spec:expr, |$this:ident, $window:ident| $within:expr,
        |$response:ident| $rows:expr, |$one:ident| $key:expr
        $(, |$whole:ident| $total:expr)?;)+) => {$(
        impl History for $request {
            type Row = $row;
            const SPEC: HistorySpec = $spec;

            fn within(&self, $window: &Window) -> Self {
                let $this = self.clone();
                $within
            }
            fn rows($response: Self::Response) -> Option<Rows<$row>> {
                $rows
            }
            fn key($one: &$row) -> RowKey {
                $key
            }
            $(fn total($whole: &Self::Response) -> Option<u64> {
                $total
            })?
        }
    )+};
}

// No maximum window is documented for spot orders and trades, only a default of seven days, and none for
// klines and savings. A full page is requested again in narrower windows in any case.
histories! {
    spot::ListOrderHistory => spot::Order, specs::SPOT_ORDER_HISTORY,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response), |row| key(row.create_time, &row.order_id);
    // Open orders are listed by time range, too: without one, those of the last week.
    spot::ListOpenOrders => spot::Order, specs::SPOT_OPEN_ORDERS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response), |row| key(row.create_time, &row.order_id);
    spot::ListAlgoOrderHistory => spot::AlgoOrder, specs::SPOT_ALGO_ORDER_HISTORY,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| response.into_value(),
        |row| unverified_key(row.create_time, row.order_id.as_ref(), row);
    spot::ListFills => spot::Fill, specs::SPOT_FILLS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response),
        |row| fill_key(row.timestamp, &row.trade_id, &row.order_id);
    account::ListFundingHistory => account::FundingRecord, specs::ACCOUNT_FUNDING_HISTORY,
        |this, window| account::ListFundingHistory { limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| Some(response.records),
        |row| {
            let id = row.withdraw_id.as_ref().map(|id| format!("withdrawal {id}"));
            let id = id.or_else(|| row.deposit_id.as_ref().map(|id| format!("deposit {id}")));
            key(row.apply_time, &id.unwrap_or_else(|| content(row)))
        };
    margin::ListBorrowRecords => margin::BorrowRecord, specs::MARGIN_BORROW_RECORDS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response.records), |row| key(row.create_time, &row.borrow_id);
    margin::ListRepayRecords => margin::RepayRecord, specs::MARGIN_REPAY_RECORDS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response.records), |row| key(row.repay_time, &row.repay_id);
    futures::ListOrderHistory => futures::Order, specs::FUTURES_ORDER_HISTORY,
        |this, window| this.start_time(window.from).end_time(window.to),
        |response| Some(response), |row| key(row.create_time, &row.order_id);
    futures::ListFills => futures::Fill, specs::FUTURES_FILLS,
        |this, window| this.start_time(window.from).end_time(window.to),
        |response| Some(response),
        |row| fill_key(row.timestamp, &row.trade_id, &row.order_id);
    futures::ListTransactions => futures::Transaction, specs::FUTURES_TRANSACTIONS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response), |row| transaction_key(row);
    futures::ListTransfers => futures::Transfer, specs::FUTURES_TRANSFERS,
        |this, window| futures::ListTransfers { page: window.page, limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| Some(response.transfers), |row| key(row.timestamp, &row.transfer_id);
    // `after` and `before` are the limits of the window; code 70000 means that it contains no candle.
    spot::ListKlines => spot::Kline, specs::SPOT_KLINES,
        |this, window| this.after(window.from).before(window.to).limit(window.rows),
        |response| Some(response), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    futures::ListKlines => futures::Kline, specs::FUTURES_KLINES,
        |this, window| Self { start_time: window.from, end_time: window.to, ..this },
        |response| Some(response), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    futures::ListMarkPriceKlines => futures::Kline, specs::FUTURES_MARK_PRICE_KLINES,
        |this, window| Self { start_time: window.from, end_time: window.to, ..this },
        |response| Some(response), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    // At most 20 rows per page according to third parties; without times, the last week.
    futures::ListAutoRepayments => futures::AutoRepayment, specs::FUTURES_AUTO_REPAYMENTS,
        |this, window| this.start_time(window.from).end_time(window.to)
            .page(window.page).limit(window.rows),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.repayments, response.total)
        },
        // The format of its time is not documented.
        |row| unverified_key(None, None::<&String>, row),
        |response| response.value()?.total;
    futures::ListCollateralInterest => futures::CollateralInterest, specs::FUTURES_COLLATERAL_INTEREST,
        |this, window| this.start_time(window.from).end_time(window.to)
            .page(window.page).limit(window.rows),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.interest, response.total)
        },
        |row| unverified_key(row.interest_time, row.id.as_ref(), row),
        |response| response.value()?.total;
    earn::ListFlexibleRecords => earn::FlexibleRecord, specs::EARN_FLEXIBLE_RECORDS,
        |this, window| Self { page: window.page, limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.records, response.total)
        },
        |row| unverified_key(row.time, row.record_id.as_ref(), row),
        |response| response.value()?.total;
    earn::ListFixedRecords => earn::FixedRecord, specs::EARN_FIXED_RECORDS,
        |this, window| Self { page: window.page, limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.records, response.total)
        },
        |row| unverified_key(row.time, row.record_id.as_ref(), row),
        |response| response.value()?.total;
}
