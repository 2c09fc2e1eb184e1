//! The histories of the exchange.

use super::{History, HistorySpec, RowKey, Window};
use crate::account::{FundingRecord, ListFundingHistory};
use crate::futures::{
    FuturesFill, FuturesOrder, FuturesTransaction, FuturesTransfer, ListFuturesFills,
    ListFuturesOrderHistory, ListFuturesTransactions, ListFuturesTransfers,
};
use crate::margin::{BorrowRecord, ListBorrowRecords, ListRepayRecords, RepayRecord};
use crate::spot::{Fill, Kline, ListAccountTrades, ListKlines, ListOrderHistory, Order};

fn key(time: bitmart_types::Timestamp, id: &impl ToString) -> RowKey {
    RowKey { time, id: id.to_string() }
}

macro_rules! histories {
    ($($request:ident => $row:ident, $spec:expr, |$this:ident, $window:ident| $within:expr,
        |$answer:ident| $rows:expr, |$one:ident| $key:expr;)+) => {$(
        impl History for $request {
            type Row = $row;
            const SPEC: HistorySpec = $spec;

            fn within(&self, $window: &Window) -> Self {
                let $this = self.clone();
                $within
            }
            fn rows($answer: Self::Response) -> Vec<$row> {
                $rows
            }
            fn key($one: &$row) -> RowKey {
                $key
            }
        }
    )+};
}

// The exchange documents no longest window for spot orders and trades, but a default of seven days.
// Of futures orders and fills it documents no most rows per answer; 100 counts as full.
histories! {
    ListOrderHistory => Order, HistorySpec::new(7, 200),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| answer, |row| key(row.create_time, &row.order_id);
    ListAccountTrades => Fill, HistorySpec::new(7, 200),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| answer, |row| key(row.create_time, &row.trade_id);
    ListFundingHistory => FundingRecord, HistorySpec::new(89, 1_000),
        |this, window| ListFundingHistory { limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |answer| answer.records,
        |row| {
            let id = row.withdraw_id.as_ref().map(|id| format!("withdrawal {id}"));
            let id = id.or_else(|| row.deposit_id.as_ref().map(|id| format!("deposit {id}")));
            // A row without an id is told from others by all that it says.
            key(row.apply_time, &id.unwrap_or_else(|| format!("{row:?}")))
        };
    ListBorrowRecords => BorrowRecord, HistorySpec::new(30, 100),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| answer.records, |row| key(row.create_time, &row.borrow_id);
    ListRepayRecords => RepayRecord, HistorySpec::new(30, 100),
        |this, window| this.start_time(window.from).end_time(window.to).limit(window.rows),
        |answer| answer.records, |row| key(row.repay_time, &row.repay_id);
    ListFuturesOrderHistory => FuturesOrder, HistorySpec::new(7, 100).seconds(),
        |this, window| this.start_time(window.from).end_time(window.to),
        |answer| answer, |row| key(row.create_time, &row.order_id);
    ListFuturesFills => FuturesFill, HistorySpec::new(7, 100).seconds(),
        |this, window| this.start_time(window.from).end_time(window.to),
        |answer| answer, |row| key(row.create_time, &row.trade_id);
    ListFuturesTransactions => FuturesTransaction, HistorySpec::new(7, 1_000),
        |this, window| this.start_time(window.from).end_time(window.to).page_size(window.rows),
        |answer| answer, |row| key(row.time, &row.id);
    ListFuturesTransfers => FuturesTransfer, HistorySpec::new(30, 100).numbered(),
        |this, window| ListFuturesTransfers { page: window.page, limit: window.rows, ..this }
            .start_time(window.from).end_time(window.to),
        |answer| answer.records, |row| key(row.time, &row.transfer_id);
    // `after` and `before` are the ends of the window; 70000 means that it holds no candle.
    ListKlines => Kline, HistorySpec::new(100, 200).seconds().nothing(70_000),
        |this, window| this.after(window.from).before(window.to).limit(window.rows),
        |answer| answer, |row| key(row.time, &row.time.as_millis());
}
