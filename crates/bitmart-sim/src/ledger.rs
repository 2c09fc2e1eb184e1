//! A ledger in double entry.
//!
//! All money is in balances: available and frozen money of wallets, margin of positions, savings of accounts, and the
//! books of the exchange. Only `Ledger::post` moves money, from one balance to another. The sum of all balances of a
//! currency is therefore always zero: money from outside is a negative balance of a book.
//!
//! No other module can change an amount. A balance is looked up by name once and then has a number, so that a posting
//! needs no search and no allocation.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::margin::checks::MarginAccount;

/// Number of a balance of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceId(usize);

/// Number of a wallet: its available balance is followed by its frozen one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletId(usize);

impl WalletId {
    /// Returns the balance that can be used.
    pub fn available(self) -> BalanceId {
        BalanceId(self.0)
    }

    /// Returns the balance that is reserved for open orders and withdrawals.
    pub fn frozen(self) -> BalanceId {
        BalanceId(self.0.saturating_add(1))
    }
}

/// The balances of a wallet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Units of the currency that can be used.
    pub available: Decimal,
    /// Units of the currency that are reserved for open orders and withdrawals.
    pub frozen: Decimal,
}

impl Wallet {
    /// Returns available and frozen balance together.
    pub fn total(&self) -> Decimal {
        self.available + self.frozen
    }

    /// Whether both balances are zero.
    pub fn is_empty(&self) -> bool {
        self.total().is_zero()
    }
}

/// The books of the exchange, for each currency. Money that the exchange has paid is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HouseBook {
    /// Starting balances, play money, and changes by the operator.
    Grants,
    /// Credited deposits.
    Deposits,
    /// Withdrawals that were sent.
    Withdrawals,
    /// Fees of trades and withdrawals.
    Fees,
    /// Interest, received for loans and paid for savings.
    Interest,
    /// Principal of open loans.
    Loans,
    /// Losses that exceed the money of an account, of futures and loans.
    Insurance,
    /// Counterpart of the realized profit and loss of futures positions. Its balance is the cost of the open
    /// positions.
    Profit,
    /// Money in transit between the sides of a trade, or out of a wallet; zero after every command.
    Clearing,
}

impl HouseBook {
    /// All books, in the order in which the ledger stores them.
    pub const ALL: [Self; 9] = [
        Self::Grants,
        Self::Deposits,
        Self::Withdrawals,
        Self::Fees,
        Self::Interest,
        Self::Loans,
        Self::Insurance,
        Self::Profit,
        Self::Clearing,
    ];
}

// Rule: The operator gives, and deposits bring, at most 2e16 units of a currency each. Source: invented (every balance
// then has room for 12 decimals)
/// Most that the exchange issues of a currency by grants, and the most by deposits: 2e16.
pub const MAX_ISSUED: Decimal = Decimal::from_parts(0xDF82_0000, 0x0047_0DE4, 0, false, 0);

/// Returns a sum, or `None` when its digits do not fit.
fn exact_sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    // A sum that would not fit is rounded to fewer decimals.
    let sum = |one: Decimal, other: Decimal| {
        let decimals = one.scale().max(other.scale());
        let is_exact = |sum: &Decimal| one.is_zero() || other.is_zero() || sum.scale() == decimals;
        one.checked_add(other).filter(is_exact)
    };
    let mut exact = sum(one, other).or_else(|| sum(one.normalize(), other.normalize()))?;
    // An empty balance is 0 and never -0, whose text differs.
    if exact.is_zero() {
        exact.set_sign_positive(true);
    }
    Some(exact)
}

/// A balance.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    /// The index of its currency.
    currency: usize,
    amount: Decimal,
    /// The index of its wallet among the watched ones.
    #[serde(skip)]
    watched: Option<u32>,
}

impl Row {
    fn new(currency: usize) -> Self {
        Self { currency, amount: Decimal::ZERO, watched: None }
    }
}

/// A currency of the ledger.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Currency {
    name: SmolStr,
    /// The index of the row of its first book; the other books follow.
    #[serde(rename = "house")]
    first_book: usize,
}

/// All money of the exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ledger {
    currencies: Vec<Currency>,
    rows: Vec<Row>,
    /// The owners of the watched wallets.
    #[serde(skip)]
    watched: Vec<MarginAccount>,
    /// The watched wallets that have gained or lost money.
    #[serde(skip)]
    moved: Vec<u32>,
}

impl Ledger {
    /// Creates an empty ledger.
    pub(crate) fn new() -> Self {
        Self { currencies: Vec::new(), rows: Vec::new(), watched: Vec::new(), moved: Vec::new() }
    }

    // Rule: A posting is exact on both sides: what a balance has no digits for stays where it is. Source: invented
    // (limits of amounts and decimals keep balances far from the 28 digits of a number)
    /// Moves money between two balances of a currency. A negative amount moves in the opposite direction. An amount
    /// that one of the balances cannot hold exactly is cut to the digits that both can hold, so that sums stay zero. A
    /// posting to the same balance changes nothing.
    ///
    /// # Panics
    /// Between currencies, in every build: otherwise money would vanish in one and appear in the other.
    pub(crate) fn post(&mut self, from: BalanceId, to: BalanceId, amount: Decimal) {
        match self.rows.get_disjoint_mut([from.0, to.0]) {
            Ok([from, to]) if from.currency == to.currency => {
                let mut moved = amount;
                loop {
                    let after = exact_sum(from.amount, -moved).zip(exact_sum(to.amount, moved));
                    if let Some(after) = after {
                        (from.amount, to.amount) = after;
                        if from.watched != to.watched {
                            self.moved.extend([from.watched, to.watched].into_iter().flatten());
                        }
                        return;
                    }
                    moved = match moved.scale() {
                        0 => Decimal::ZERO,
                        scale => moved.trunc_with_scale(scale - 1),
                    };
                }
            }
            _ => assert_eq!(from, to, "two balances of one currency"),
        }
    }

    /// Moves money between two books of the exchange.
    pub(crate) fn post_between_books(
        &mut self,
        currency: &SmolStr,
        from: HouseBook,
        to: HouseBook,
        amount: Decimal,
    ) {
        let first = self.books_of(currency);
        self.post(BalanceId(first + from as usize), BalanceId(first + to as usize), amount);
    }

    /// Moves money from a balance to a book of the exchange.
    pub(crate) fn pay_house(&mut self, from: BalanceId, to: HouseBook, amount: Decimal) {
        self.post(from, self.book_of_same_currency(from, to), amount);
    }

    /// Moves money from a book of the exchange to a balance.
    pub(crate) fn pay_from_house(&mut self, from: HouseBook, to: BalanceId, amount: Decimal) {
        self.post(self.book_of_same_currency(to, from), to, amount);
    }

    /// Whether a book has not paid more than [`MAX_ISSUED`] once it has paid an amount.
    pub(crate) fn can_issue(&self, currency: &str, book: HouseBook, amount: Decimal) -> bool {
        self.book(currency, book).checked_sub(amount).is_some_and(|after| after >= -MAX_ISSUED)
    }

    /// Moves money of a wallet from available to frozen. Returns false when the available balance is too small, or the
    /// amount is negative.
    #[must_use]
    pub(crate) fn freeze(&mut self, wallet: WalletId, amount: Decimal) -> bool {
        let is_covered = amount >= Decimal::ZERO && self.amount(wallet.available()) >= amount;
        if is_covered {
            self.post(wallet.available(), wallet.frozen(), amount);
        }
        is_covered
    }

    /// Moves money of a wallet from frozen to available.
    pub(crate) fn release(&mut self, wallet: WalletId, amount: Decimal) {
        self.post(wallet.frozen(), wallet.available(), amount);
    }

    /// Watches whether a margin wallet gains or loses money. Postings between its own balances do not count.
    pub(crate) fn watch(&mut self, wallet: WalletId, owner: MarginAccount) {
        let index = u32::try_from(self.watched.len()).ok();
        for balance in [wallet.available(), wallet.frozen()] {
            if let Some(row) = self.rows.get_mut(balance.0) {
                row.watched = index;
            }
        }
        self.watched.push(owner);
    }

    /// Returns the owners of the watched wallets that have gained or lost money since the last call.
    pub(crate) fn take_moved(&mut self) -> impl Iterator<Item = MarginAccount> {
        self.moved.drain(..).filter_map(|index| self.watched.get(index as usize).cloned())
    }

    #[cfg(test)]
    pub(crate) fn has_moved(&self, owner: &MarginAccount) -> bool {
        self.moved.iter().any(|index| self.watched[*index as usize] == *owner)
    }

    /// Adds an empty wallet.
    pub(crate) fn open_wallet(&mut self, currency: &SmolStr) -> WalletId {
        let BalanceId(first) = self.open_balance(currency);
        self.open_balance(currency);
        WalletId(first)
    }

    /// Adds an empty balance.
    pub(crate) fn open_balance(&mut self, currency: &SmolStr) -> BalanceId {
        let currency = self.number_of(currency);
        self.rows.push(Row::new(currency));
        BalanceId(self.rows.len() - 1)
    }

    /// Returns the amount of a balance.
    pub fn amount(&self, balance: BalanceId) -> Decimal {
        self.rows.get(balance.0).map_or(Decimal::ZERO, |row| row.amount)
    }

    /// Returns the balances of a wallet.
    pub fn wallet(&self, wallet: WalletId) -> Wallet {
        let [available, frozen] = [wallet.available(), wallet.frozen()];
        Wallet { available: self.amount(available), frozen: self.amount(frozen) }
    }

    /// Returns the amount of a book of the exchange; negative for money that it has paid.
    pub fn book(&self, currency: &str, book: HouseBook) -> Decimal {
        let row = self.currencies.iter().find(|row| row.name == currency);
        row.map_or(Decimal::ZERO, |row| self.amount(BalanceId(row.first_book + book as usize)))
    }

    /// Returns the books of the exchange that are not zero.
    pub fn books(&self) -> impl Iterator<Item = (&SmolStr, HouseBook, Decimal)> {
        let all = self.currencies.iter().flat_map(|row| HouseBook::ALL.map(|book| (row, book)));
        let rows = all.map(|(row, book)| {
            (&row.name, book, self.amount(BalanceId(row.first_book + book as usize)))
        });
        rows.filter(|row| !row.2.is_zero())
    }

    /// Returns the sum of all balances by currency: always zero.
    pub fn sums(&self) -> BTreeMap<SmolStr, Decimal> {
        let mut sums: Vec<_> =
            self.currencies.iter().map(|row| (row.name.clone(), Decimal::ZERO)).collect();
        for row in &self.rows {
            if let Some(sum) = sums.get_mut(row.currency) {
                sum.1 += row.amount;
            }
        }
        sums.into_iter().collect()
    }

    /// Whether all rows have a currency, and all currencies their books.
    pub(crate) fn is_consistent(&self) -> bool {
        let books = HouseBook::ALL.len();
        let has_books = |one: &Currency| {
            let rows = one
                .first_book
                .checked_add(books)
                .and_then(|end| self.rows.get(one.first_book..end));
            rows.is_some_and(|rows| rows.iter().all(|row| self.has_name(row, &one.name)))
        };
        self.currencies.iter().all(has_books)
            && self.rows.iter().all(|row| row.currency < self.currencies.len())
    }

    /// Whether a wallet exists and has this currency.
    pub(crate) fn is_wallet(&self, WalletId(first): WalletId, currency: &str) -> bool {
        let rows = first.checked_add(2).and_then(|end| self.rows.get(first..end));
        rows.is_some_and(|rows| rows.iter().all(|row| self.has_name(row, currency)))
    }

    /// Whether a balance exists and has this currency.
    pub(crate) fn is_balance(&self, BalanceId(at): BalanceId, currency: &str) -> bool {
        self.rows.get(at).is_some_and(|row| self.has_name(row, currency))
    }

    fn has_name(&self, row: &Row, name: &str) -> bool {
        self.currencies.get(row.currency).is_some_and(|currency| currency.name == name)
    }

    /// Returns the book for the currency of a balance.
    fn book_of_same_currency(&self, balance: BalanceId, book: HouseBook) -> BalanceId {
        let currency = self.rows[balance.0].currency;
        BalanceId(self.currencies[currency].first_book + book as usize)
    }

    /// Returns the index of the first book of a currency.
    fn books_of(&mut self, currency: &SmolStr) -> usize {
        let number = self.number_of(currency);
        self.currencies[number].first_book
    }

    /// Returns the number of a currency, which is added with its books when it is new.
    fn number_of(&mut self, name: &SmolStr) -> usize {
        if let Some(number) = self.currencies.iter().position(|row| row.name == *name) {
            return number;
        }
        let currency = self.currencies.len();
        self.currencies.push(Currency { name: name.clone(), first_book: self.rows.len() });
        self.rows.extend(HouseBook::ALL.map(|_| Row::new(currency)));
        currency
    }
}
