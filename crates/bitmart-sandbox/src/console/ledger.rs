//! The movements of money of an account, with running sums.

use std::collections::BTreeMap;

use bitmart_sim::{
    AccountId, Exchange, account::WalletKind, book::Side, futures::transactions::TransactionKind,
    payment::PaymentState,
};
use rust_decimal::Decimal;

use super::{rows::plain, table::Column, time};

pub(super) const COLUMNS: &[Column] = &[
    ("time", false),
    ("wallet", false),
    ("what", false),
    ("currency", false),
    ("amount", true),
    ("sum", true),
];

struct Movement {
    time_ms: u64,
    wallet: &'static str,
    what: String,
    currency: String,
    amount: Decimal,
}

/// The kept movements, newest first.
pub(super) fn rows(exchange: &Exchange, account: AccountId) -> Vec<Vec<String>> {
    let mut movements = trades(exchange, account);
    movements.extend(transactions(exchange, account));
    movements.extend(transfers(exchange, account));
    movements.extend(payments(exchange, account));
    movements.sort_by_key(|movement| movement.time_ms);
    let mut sums: BTreeMap<(&str, String), Decimal> = BTreeMap::new();
    let mut rows: Vec<_> = movements
        .into_iter()
        .map(|movement| {
            let Movement { time_ms, wallet, what, currency, amount } = movement;
            let sum = sums.entry((wallet, currency.clone())).or_default();
            *sum += amount;
            let (amount, sum) = (plain(amount), plain(*sum));
            vec![time::date(time_ms), wallet.to_owned(), what, currency, amount, sum]
        })
        .collect();
    rows.reverse();
    rows
}

fn trades(exchange: &Exchange, account: AccountId) -> Vec<Movement> {
    let fills = exchange.spot_fills.iter().filter(|fill| fill.account == account);
    let legs = fills.flat_map(|fill| {
        let request = &fill.request;
        let (base, quote) = request.symbol.split_once('_').unwrap_or((&request.symbol, ""));
        let (value, verb) = (fill.price * fill.size, super::rows::side(request.side));
        let (gets, pays) = match request.side {
            Side::Buy => (fill.size, -value),
            Side::Sell => (-fill.size, value),
        };
        let leg = |what: String, currency: &str, amount| Movement {
            time_ms: fill.time_ms,
            wallet: if request.margin { "margin" } else { "spot" },
            what,
            currency: currency.to_owned(),
            amount,
        };
        [
            leg(format!("{verb} {}", request.symbol), base, gets),
            leg(format!("{verb} {}", request.symbol), quote, pays),
            leg("fee".to_owned(), quote, -fill.fee),
        ]
    });
    legs.filter(|leg| !leg.amount.is_zero()).collect()
}

fn transactions(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.transactions.iter().filter(move |row| row.account == account);
    own.map(|row| {
        let kind = match row.kind {
            TransactionKind::Transfer => "transfer, deposit or operator",
            TransactionKind::Realized => "realized profit",
            TransactionKind::Funding => "funding",
            TransactionKind::Commission => "fee",
            TransactionKind::Liquidation => "liquidation",
        };
        Movement {
            time_ms: row.time_ms,
            wallet: "futures",
            what: format!("{kind} {}", row.symbol).trim().to_owned(),
            currency: row.currency.to_string(),
            amount: row.amount,
        }
    })
}

/// Transfers of the other wallets. Those of the futures wallet are among its transactions.
fn transfers(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.transfers.iter().filter(move |row| row.involves(account));
    own.flat_map(move |row| {
        let ends = [(row.from, -row.amount), (row.to, row.amount)].into_iter();
        let ends = ends.filter(move |(end, _)| end.account == account);
        ends.filter_map(|(end, amount)| {
            let wallet = match end.kind {
                WalletKind::Spot => "spot",
                WalletKind::Funding => "funding",
                WalletKind::Futures => return None,
            };
            let what =
                if row.is_between_accounts() { "transfer between accounts" } else { "transfer" };
            let (what, currency) = (what.to_owned(), row.currency.to_string());
            Some(Movement { time_ms: row.time_ms, wallet, what, currency, amount })
        })
    })
}

fn payments(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let done = exchange.payments_of(account).filter(|row| row.state == PaymentState::Done);
    done.map(|row| Movement {
        time_ms: row.time_ms,
        wallet: "spot or funding",
        what: if row.deposit { "deposit" } else { "withdrawal" }.to_owned(),
        currency: row.currency.to_string(),
        amount: if row.deposit { row.amount } else { -row.amount },
    })
}
