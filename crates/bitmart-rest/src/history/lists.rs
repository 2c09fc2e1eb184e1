//! The histories of the exchange.

use bitmart_types::{Rows, Timestamp};

use super::{History, HistorySpec, RowKey, Window};
use crate::{account, earn, futures, margin, spot};

fn key(time: Option<Timestamp>, id: &impl ToString) -> RowKey {
    RowKey { time, id: id.to_string() }
}

/// A list that is missing is empty only if the answer says so.
fn rows_or_none<T>(rows: Option<Rows<T>>, total: Option<u64>) -> Option<Rows<T>> {
    rows.or_else(|| (total == Some(0)).then(Rows::default))
}

/// Nobody documents the unit of the time, but in one unit the order is the same. A row without an
/// id is told from others by all that it says.
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
        |$answer:ident| $rows:expr, |$one:ident| $key:expr;)+) => {$(
        impl History for $request {
            type Row = $row;
            const SPEC: HistorySpec = $spec;

            fn within(&self, $window: &Window) -> Self {
                let $this = self.clone();
                $within
            }
            fn rows($answer: Self::Response) -> Option<Rows<$row>> {
                $rows
            }
            fn key($one: &$row) -> RowKey {
                $key
            }
        }
    )+};
}

// The exchange documents no longest window for spot orders and trades, but a default of seven days.
// Nor does it document one for candles and savings. A full answer is asked for in narrower windows,
// whatever their length.
histories! {
    spot::ListOrderHistory => spot::Order, HistorySpec::new(7, 200),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(row.create_time, &row.order_id);
    // Open orders are those of a span as well: without times, of the last week only.
    spot::ListOpenOrders => spot::Order, HistorySpec::new(7, 200),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(row.create_time, &row.order_id);
    spot::ListAlgoOrderHistory => spot::AlgoOrder, HistorySpec::new(7, 200),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| answer.into_value(),
        |row| unverified_key(row.create_time, row.order_id.as_ref(), row);
    spot::ListAccountTrades => spot::Fill, HistorySpec::new(7, 200),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(row.create_time, &row.trade_id);
    account::ListFundingHistory => account::FundingRecord, HistorySpec::new(89, 1_000),
        |this, window| account::ListFundingHistory { limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |answer| Some(answer.records),
        |row| {
            let id = row.withdraw_id.as_ref().map(|id| format!("withdrawal {id}"));
            let id = id.or_else(|| row.deposit_id.as_ref().map(|id| format!("deposit {id}")));
            // A row without an id is told from others by all that it says.
            key(row.apply_time, &id.unwrap_or_else(|| format!("{row:?}")))
        };
    margin::ListBorrowRecords => margin::BorrowRecord, HistorySpec::new(30, 100),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer.records), |row| key(row.create_time, &row.borrow_id);
    margin::ListRepayRecords => margin::RepayRecord, HistorySpec::new(30, 100),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| Some(answer.records), |row| key(row.repay_time, &row.repay_id);
    futures::ListOrderHistory => futures::Order, HistorySpec::new(7, 200).seconds(),
        |this, window| this.start_time(window.from).end_time(window.to),
        |answer| Some(answer), |row| key(row.create_time, &row.order_id);
    futures::ListFills => futures::Fill, HistorySpec::new(7, 200).seconds(),
        |this, window| this.start_time(window.from).end_time(window.to),
        |answer| Some(answer), |row| key(row.create_time, &row.trade_id);
    futures::ListTransactions => futures::Transaction, HistorySpec::new(7, 1_000),
        |this, window| this.start_time(window.from).end_time(window.to).page_size(window.rows),
        |answer| Some(answer), |row| key(row.timestamp, &row.id);
    futures::ListTransfers => futures::Transfer, HistorySpec::new(30, 100).numbered(),
        |this, window| futures::ListTransfers { page: window.page, limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |answer| Some(answer.records), |row| key(row.timestamp, &row.transfer_id);
    // `after` and `before` are the ends of the window; 70000 means that it holds no candle.
    spot::ListKlines => spot::Kline, HistorySpec::new(100, 200).seconds().nothing(70_000),
        |this, window| this.after(window.from).before(window.to).limit(window.rows),
        |answer| Some(answer), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    futures::ListKlines => futures::Kline, HistorySpec::new(30, 500).seconds(),
        |this, window| Self { start_time: window.from, end_time: window.to, ..this },
        |answer| Some(answer), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    futures::ListMarkPriceKlines => futures::Kline, HistorySpec::new(30, 500).seconds(),
        |this, window| Self { start_time: window.from, end_time: window.to, ..this },
        |answer| Some(answer), |row| key(Some(row.timestamp), &row.timestamp.as_millis());
    // Pages of 20 at most, as a third party says; without times the last week.
    futures::ListAutoRepayments => futures::AutoRepayment, HistorySpec::new(30, 20).seconds().numbered(),
        |this, window| this.start_time(window.from).end_time(window.to)
            .page(window.page).size(window.rows),
        |answer| {
            let answer = answer.into_value()?;
            rows_or_none(answer.list, answer.total)
        },
        // Its time is a text of no stated format.
        |row| unverified_key(None, None::<&String>, row);
    futures::ListCollateralInterest => futures::CollateralInterest, HistorySpec::new(30, 20).seconds().numbered(),
        |this, window| this.start_time(window.from).end_time(window.to)
            .page(window.page).size(window.rows),
        |answer| {
            let answer = answer.into_value()?;
            rows_or_none(answer.items, answer.total)
        },
        |row| unverified_key(row.interest_time, row.id.as_ref(), row);
    earn::ListFlexibleRecords => earn::FlexibleRecord, HistorySpec::new(30, 100).numbered(),
        |this, window| Self { page: window.page, size: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |answer| {
            let answer = answer.into_value()?;
            rows_or_none(answer.records, answer.total)
        },
        |row| unverified_key(row.time, row.record_id.as_ref(), row);
    earn::ListFixedRecords => earn::FixedRecord, HistorySpec::new(30, 100).numbered(),
        |this, window| Self { page: window.page, size: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |answer| {
            let answer = answer.into_value()?;
            rows_or_none(answer.records, answer.total)
        },
        |row| unverified_key(row.time, row.record_id.as_ref(), row);
}
