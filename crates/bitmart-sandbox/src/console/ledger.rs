//! The movements of money of an account, with the balance after each.

use std::{cmp::Reverse, collections::BTreeMap};

use bitmart_sim::{
    AccountId, Exchange,
    account::{Account, WalletKind},
    book::Side,
    futures::transactions::TransactionKind,
    payment::PaymentState,
    savings::SavingAction,
};
use rust_decimal::Decimal;

use super::{
    rows::{LIMIT, plain},
    table::Column,
    time,
};

pub(super) const COLUMNS: &[Column] = &[
    Column::text("time"),
    Column::text("wallet"),
    Column::text("what"),
    Column::text("currency"),
    Column::number("amount"),
    Column::number("balance after"),
];

/// A change of a balance.
struct Movement {
    time_ms: u64,
    turn: Turn,
    wallet: &'static str,
    what: String,
    currency: String,
    amount: Decimal,
}

/// The order of movements of one time: causes precede what they make possible, so that no balance in between is lower
/// than it ever was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    ComesIn,
    Trades,
    GoesOut,
}

impl Turn {
    /// The turn of a movement that is no trade.
    fn of(amount: Decimal) -> Self {
        if amount.is_sign_negative() { Self::GoesOut } else { Self::ComesIn }
    }
}

/// What explains the balances, for the caption of the table.
pub(super) const CAPTION: &str = "Latest movements of money. The balance after each is counted back from the present \
    one: of spot and funding together, or of the futures wallet with the margin of its positions. A deposit or \
    withdrawal has the time of its beginning. Transfers to and from margin are not kept, so that an account with a \
    margin wallet has only balances of the futures wallet";

/// The latest movements, newest first: [`LIMIT`] of them, taken from the latest [`LIMIT`] of each kind.
pub(super) fn rows(exchange: &Exchange, account: &Account) -> Vec<Vec<String>> {
    let id = account.id;
    let mut movements = trades(exchange, id);
    movements.extend(transactions(exchange, id).take(LIMIT));
    movements.extend(transfers(exchange, id).take(LIMIT));
    movements.extend(payments(exchange, id).take(LIMIT));
    movements.extend(savings(exchange, id).take(LIMIT));
    movements.extend(loans(exchange, id).take(LIMIT));
    movements.extend(repayments(exchange, id).take(LIMIT));
    newest_first(&mut movements);
    let mut balances: BTreeMap<(WalletGroup, String), Decimal> = BTreeMap::new();
    let row = |movement: Movement| {
        let Movement { time_ms, wallet, what, currency, amount, .. } = movement;
        let mut cells = vec![time::date(time_ms), wallet.to_owned(), what];
        let balance = WalletGroup::of(wallet, account).map(|group| {
            let present = || group.balance(exchange, account, &currency);
            let balance = balances.entry((group, currency.clone())).or_insert_with(present);
            let after = plain(*balance);
            *balance -= amount;
            after
        });
        cells.extend([currency, plain(amount), balance.unwrap_or_default()]);
        cells
    };
    movements.into_iter().take(LIMIT).map(row).collect()
}

/// Sorts by time and turn. The sort is stable: others stay in their order.
fn newest_first(movements: &mut [Movement]) {
    movements.sort_by_key(|movement| Reverse((movement.time_ms, movement.turn)));
}

/// Wallets with one balance in the table, all of whose changes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum WalletGroup {
    /// Spot and funding: which of them a deposit was credited to is not kept.
    Cash,
    /// With the margin of positions, because a transaction changes both.
    Futures,
}

impl WalletGroup {
    fn of(wallet: &str, account: &Account) -> Option<Self> {
        match wallet {
            "futures" => Some(Self::Futures),
            _ if account.margin.is_empty() => Some(Self::Cash),
            _ => None,
        }
    }

    fn balance(self, exchange: &Exchange, account: &Account, currency: &str) -> Decimal {
        let of = |kind| {
            let wallet = exchange.wallet(account.id, kind, currency);
            wallet.available + wallet.frozen
        };
        match self {
            Self::Cash => of(WalletKind::Spot) + of(WalletKind::Funding),
            Self::Futures => {
                let margin = exchange.collateral(account.id, &currency.into()).margin();
                of(WalletKind::Futures) + margin
            }
        }
    }
}

fn trades(exchange: &Exchange, account: AccountId) -> Vec<Movement> {
    let fills = exchange.spot_fills().rev().filter(|fill| fill.account == account);
    let fills = fills.take(LIMIT);
    let legs = fills.flat_map(|fill| {
        let request = &fill.request;
        let (base, quote) = request.symbol.split_once('_').unwrap_or((&request.symbol, ""));
        let (value, verb) = (fill.price * fill.size, super::rows::side(request.side));
        let (base_amount, quote_amount) = match request.side {
            Side::Buy => (fill.size, -value),
            Side::Sell => (-fill.size, value),
        };
        let leg = |what: String, currency: &str, amount| Movement {
            time_ms: fill.time_ms,
            turn: Turn::Trades,
            wallet: if request.margin { "margin" } else { "spot" },
            what,
            currency: currency.to_owned(),
            amount,
        };
        [
            leg(format!("{verb} {}", request.symbol), base, base_amount),
            leg(format!("{verb} {}", request.symbol), quote, quote_amount),
            leg("fee".to_owned(), quote, -fill.fee),
        ]
    });
    legs.filter(|leg| !leg.amount.is_zero()).collect()
}

fn transactions(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.transactions().rev().filter(move |row| row.account == account);
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
            turn: match row.kind {
                TransactionKind::Transfer => Turn::of(row.amount),
                _ => Turn::Trades,
            },
            wallet: "futures",
            what: format!("{kind} {}", row.symbol).trim().to_owned(),
            currency: row.currency.to_string(),
            amount: row.amount,
        }
    })
}

/// Transfers of the other wallets. Those of the futures wallet are among its transactions.
fn transfers(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.transfers().rev().filter(move |row| row.involves(account));
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
            let turn = Turn::of(amount);
            Some(Movement { time_ms: row.time_ms, turn, wallet, what, currency, amount })
        })
    })
}

fn payments(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    // Without those of sub-accounts.
    let own = exchange.payments_of(account).filter(move |row| row.account == account);
    own.filter(|row| row.state == PaymentState::Done).map(|row| Movement {
        time_ms: row.time_ms,
        turn: if row.deposit { Turn::ComesIn } else { Turn::GoesOut },
        wallet: "spot or funding",
        what: if row.deposit { "deposit" } else { "withdrawal" }.to_owned(),
        // Without its network.
        currency: row.currency.split('-').next().unwrap_or_default().to_owned(),
        amount: if row.deposit { row.amount } else { -row.amount },
    })
}

/// The movements of savings and their interest, in the spot wallet.
fn savings(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.savings().records().rev().filter(move |row| row.account == account);
    own.map(|row| {
        let (what, amount) = match row.action {
            SavingAction::Subscribe => ("savings", -row.amount),
            SavingAction::Redeem => ("redemption of savings", row.amount),
            SavingAction::Interest => ("interest of savings", row.amount),
        };
        let currency = row.product.currency.to_string();
        let (time_ms, turn, what) = (row.time_ms, Turn::of(amount), what.to_owned());
        Movement { time_ms, turn, wallet: "spot", what, currency, amount }
    })
}

fn loans(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.loans().values().rev().filter(move |row| row.account == account);
    own.map(|row| Movement {
        time_ms: row.time_ms,
        turn: Turn::ComesIn,
        wallet: "margin",
        what: format!("loan {}", row.symbol),
        currency: row.currency.to_string(),
        amount: row.amount,
    })
}

fn repayments(exchange: &Exchange, account: AccountId) -> impl Iterator<Item = Movement> {
    let own = exchange.repayments().rev().filter(move |row| row.account == account);
    own.map(|row| Movement {
        time_ms: row.time_ms,
        turn: Turn::GoesOut,
        wallet: "margin",
        what: format!("repayment {}", row.symbol),
        currency: row.currency.to_string(),
        amount: -row.paid.total(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_balance_between_movements_of_one_time_is_below_zero() {
        let movement = |(time_ms, turn, amount): (u64, Turn, i64)| Movement {
            time_ms,
            turn,
            wallet: "spot",
            what: String::new(),
            currency: "USDT".to_owned(),
            amount: Decimal::from(amount),
        };
        let movements = [
            (1, Turn::ComesIn, 5),
            (1, Turn::Trades, -5),
            (2, Turn::ComesIn, 3),
            (2, Turn::Trades, 4),
            (2, Turn::GoesOut, -7),
        ];
        for first in 0..movements.len() {
            for second in 0..movements.len() {
                let mut order = movements;
                order.swap(0, first);
                order.swap(1, second);
                let mut sorted: Vec<_> = order.into_iter().map(movement).collect();
                newest_first(&mut sorted);
                let mut balance = Decimal::ZERO;
                for movement in &sorted {
                    balance -= movement.amount;
                    assert!(balance >= Decimal::ZERO, "counted back, as the table does: {order:?}");
                }
            }
        }
    }
}
