//! Calls that read the state, and the call that stops the sandbox.

use serde::{Deserialize, Serialize};

use super::{
    Call, Effect, Operator, OperatorCall, OperatorError,
    describe::{Described, Field, Kind, calls, field, response},
};
use crate::{Balance, Book, Fill, Order, Snapshot, shared::Shared};

calls! {
    /// Read the fills, orders and balances of all customers.
    Reads "GET /ledger" => ledger(ReadLedger) -> Ledger {}

    /// Read the order book of a pair or contract.
    Reads "GET /book/{symbol}" => book(ReadBook) -> Book {
        /// Symbol of the pair or contract.
        symbol: String = "BTC_USDT",
    }

    /// Read the complete state, which another sandbox continues from (`--restore FILE`, `Config::restore`).
    Reads "GET /snapshots/current" => snapshot(TakeSnapshot) -> Snapshot {}

    /// Stop the program like ctrl-c. In a test, `Sandbox::stop_requested` returns.
    Transient "POST /stop" => stop(RequestStop) -> Stopping {}
}

response! {
    /// The fills, orders and balances at one moment.
    Ledger {
        /// Time of the exchange, in milliseconds since 1970.
        now_ms: u64 = 1700000000000,
        /// Trades: spot, then futures, each oldest first.
        fills: Vec<Fill>,
        /// Orders, open and finished: spot, then futures, then trigger orders.
        orders: Vec<Order>,
        /// Balances.
        balances: Vec<Balance>,
    }
}

response! {
    /// The time of the exchange.
    Time {
        /// Milliseconds since 1970.
        now_ms: u64 = 1700000060000,
    }
}

response! {
    /// A stop that was requested.
    Stopping {
        /// Always true.
        stopping: bool = true,
    }
}

fn ledger(_: ReadLedger, shared: &Shared) -> Result<Ledger, OperatorError> {
    // One lock, so that the lists are consistent.
    let state = shared.state();
    let exchange = &state.exchange;
    Ok(Ledger {
        now_ms: state.clock.now_ms(),
        fills: exchange.fill_rows(),
        orders: exchange.order_rows(),
        balances: exchange.balance_rows(),
    })
}

fn book(call: ReadBook, shared: &Shared) -> Result<Book, OperatorError> {
    let book = shared.state().exchange.book_rows(&call.symbol);
    book.ok_or(OperatorError::UnknownMarket(call.symbol))
}

fn snapshot(_: TakeSnapshot, shared: &Shared) -> Result<Snapshot, OperatorError> {
    Ok(shared.snapshot())
}

fn stop(_: RequestStop, shared: &Shared) -> Result<Stopping, OperatorError> {
    shared.control.send_modify(|control| control.stop_requested = true);
    Ok(Stopping { stopping: true })
}
