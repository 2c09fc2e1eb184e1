//! The histories of the exchange.

use bitmart_types::{Rows, Timestamp};

use super::{History, HistorySpec, RowKey, Window};
use crate::api::catalog::history_specs as specs;
use crate::{account, earn, futures, margin, spot};

fn key(time: Option<Timestamp>, id: &impl ToString) -> RowKey {
    RowKey { time, id: id.to_string() }
}

/// A list that is missing is empty only if the response says so.
fn rows_or_none<T>(rows: Option<Rows<T>>, total: Option<u64>) -> Option<Rows<T>> {
    rows.or_else(|| (total == Some(0)).then(Rows::default))
}

/// Nobody documents the unit of the time, but in one unit the order is the same. A row without an
/// id is identified by all its fields.
fn unverified_key<I: ToString>(
    time: Option<i64>,
    id: Option<&I>,
    row: &impl std::fmt::Debug,
) -> RowKey {
    let id = id.map_or_else(|| format!("{row:?}"), ToString::to_string);
    RowKey { time: time.map(Timestamp::from_millis), id }
}

macro_rules! histories {
    ($($request:ty => $row:ty, $spec:expr, |$this:ident, $window:ident| $within:expr,
        |$response:ident| $rows:expr, |$one:ident| $key:expr;)+) => {$(
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
        }
    )+};
}

// The exchange documents no longest window for spot orders and trades, but a default of seven days.
// Nor does it document one for candles and savings. A full response is requested again in narrower windows,
// whatever their length.
histories! {
    spot::ListOrderHistory => spot::Order, specs::SPOT_ORDER_HISTORY,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| Some(response), |row| key(row.create_time, &row.order_id);
    // Open orders are those of a span as well: without times, of the last week only.
    spot::ListOpenOrders => spot::Order, specs::SPOT_OPEN_ORDERS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(row.create_time, &row.order_id);
    spot::ListAlgoOrderHistory => spot::AlgoOrder, specs::SPOT_ALGO_ORDER_HISTORY,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |response| response.into_value(),
        |row| unverified_key(row.create_time, row.order_id.as_ref(), row);
    spot::ListAccountTrades => spot::Fill, specs::SPOT_ACCOUNT_TRADES,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(row.create_time, &row.trade_id);
    account::ListFundingHistory => account::FundingRecord, specs::ACCOUNT_FUNDING_HISTORY,
        |this, window| account::ListFundingHistory { limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| Some(response.records),
        |row| {
            let id = row.withdraw_id.as_ref().map(|id| format!("withdrawal {id}"));
            let id = id.or_else(|| row.deposit_id.as_ref().map(|id| format!("deposit {id}")));
            // A row without an id is identified by all its fields.
            key(row.apply_time, &id.unwrap_or_else(|| format!("{row:?}")))
        };
    margin::ListBorrowRecords => margin::BorrowRecord, specs::MARGIN_BORROW_RECORDS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer.records), |row| key(row.create_time, &row.borrow_id);
    margin::ListRepayRecords => margin::RepayRecord, specs::MARGIN_REPAY_RECORDS,
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer.records), |row| key(row.repay_time, &row.repay_id);
    futures::ListOrderHistory => futures::Order, specs::FUTURES_ORDER_HISTORY,
        |this, window| this.start_time(window.from).end_time(window.to),
        |answer| Some(answer), |row| key(row.create_time, &row.order_id);
    futures::ListFills => futures::Fill, specs::FUTURES_FILLS,
        |this, window| this.start_time(window.from).end_time(window.to),
        |answer| Some(answer), |row| key(row.create_time, &row.trade_id);
    futures::ListTransactions => futures::Transaction, specs::FUTURES_TRANSACTIONS,
        |this, window| this.start_time(window.from).end_time(window.to).page_size(window.rows),
        |answer| Some(answer), |row| key(row.timestamp, &row.id);
    futures::ListTransfers => futures::Transfer, specs::FUTURES_TRANSFERS,
        |this, window| futures::ListTransfers { page: window.page, limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| Some(response.records), |row| key(row.timestamp, &row.transfer_id);
    // `after` and `before` are the ends of the window; 70000 means that it holds no candle.
    spot::ListKlines => spot::Kline, specs::SPOT_KLINES,
        |this, window| this.after(window.from).before(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    futures::ListKlines => futures::Kline, specs::FUTURES_KLINES,
        |this, window| Self { start_time: window.from, end_time: window.to, ..this },
        |answer| Some(answer), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    futures::ListMarkPriceKlines => futures::Kline, specs::FUTURES_MARK_PRICE_KLINES,
        |this, window| Self { start_time: window.from, end_time: window.to, ..this },
        |response| Some(response), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    // Pages of 20 at most, as a third party says; without times the last week.
    futures::ListAutoRepayments => futures::AutoRepayment, specs::FUTURES_AUTO_REPAYMENTS,
        |this, window| this.start_time(window.from).end_time(window.to)
            .page(window.page).size(window.rows),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.list, response.total)
        },
        // Its time is a text of no stated format.
        |row| unverified_key(None, None::<&String>, row);
    futures::ListCollateralInterest => futures::CollateralInterest, specs::FUTURES_COLLATERAL_INTEREST,
        |this, window| this.start_time(window.from).end_time(window.to)
            .page(window.page).size(window.rows),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.items, response.total)
        },
        |row| unverified_key(row.interest_time, row.id.as_ref(), row);
    earn::ListFlexibleRecords => earn::FlexibleRecord, specs::EARN_FLEXIBLE_RECORDS,
        |this, window| Self { page: window.page, size: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.records, response.total)
        },
        |row| unverified_key(row.time, row.record_id.as_ref(), row);
    earn::ListFixedRecords => earn::FixedRecord, specs::EARN_FIXED_RECORDS,
        |this, window| Self { page: window.page, size: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |response| {
            let response = response.into_value()?;
            rows_or_none(response.records, response.total)
        },
        |row| unverified_key(row.time, row.record_id.as_ref(), row);
}
