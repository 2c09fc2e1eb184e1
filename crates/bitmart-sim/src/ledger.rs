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
        BalanceId(self.0 + 1)
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
    /// Counterpart of the realised profit and loss of futures positions. Its balance is the cost of the open
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

/// A balance: number of the currency, and amount.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    currency: usize,
    amount: Decimal,
}

/// A currency, and the index of its first book.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Currency {
    name: SmolStr,
    house: usize,
}

/// All money of the exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ledger {
    currencies: Vec<Currency>,
    rows: Vec<Row>,
}

impl Ledger {
    /// Creates an empty ledger.
    pub(crate) fn new() -> Self {
        Self { currencies: Vec::new(), rows: Vec::new() }
    }

    /// Moves money between two balances of a currency. A negative amount moves in the opposite direction.
    pub(crate) fn post(&mut self, from: BalanceId, to: BalanceId, amount: Decimal) {
        match self.rows.get_disjoint_mut([from.0, to.0]) {
            Ok([from, to]) if from.currency == to.currency => {
                from.amount -= amount;
                to.amount += amount;
            }
            // A posting to the same balance changes nothing. One between two currencies is a fault of the caller.
            _ => debug_assert_eq!(from, to, "two balances of one currency"),
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

    /// Moves money of a wallet from available to frozen. Returns false when the available balance is too small.
    #[must_use]
    pub(crate) fn freeze(&mut self, wallet: WalletId, amount: Decimal) -> bool {
        let enough = self.amount(wallet.available()) >= amount;
        if enough {
            self.post(wallet.available(), wallet.frozen(), amount);
        }
        enough
    }

    /// Moves money of a wallet from frozen to available.
    pub(crate) fn release(&mut self, wallet: WalletId, amount: Decimal) {
        self.post(wallet.frozen(), wallet.available(), amount);
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
        self.rows.push(Row { currency, amount: Decimal::ZERO });
        BalanceId(self.rows.len() - 1)
    }

    /// Returns the amount of a balance.
    pub fn amount(&self, place: BalanceId) -> Decimal {
        self.rows.get(place.0).map_or(Decimal::ZERO, |row| row.amount)
    }

    /// Returns the balances of a wallet.
    pub fn wallet(&self, wallet: WalletId) -> Wallet {
        let [available, frozen] = [wallet.available(), wallet.frozen()];
        Wallet { available: self.amount(available), frozen: self.amount(frozen) }
    }

    /// Returns the amount of a book of the exchange; negative for money that it has paid.
    pub fn book(&self, currency: &str, book: HouseBook) -> Decimal {
        let row = self.currencies.iter().find(|row| row.name == currency);
        row.map_or(Decimal::ZERO, |row| self.amount(BalanceId(row.house + book as usize)))
    }

    /// Returns the books of the exchange that are not zero.
    pub fn books(&self) -> impl Iterator<Item = (&SmolStr, HouseBook, Decimal)> {
        let all = self.currencies.iter().flat_map(|row| HouseBook::ALL.map(|book| (row, book)));
        let rows = all.map(|(row, book)| {
            (&row.name, book, self.amount(BalanceId(row.house + book as usize)))
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

    /// Returns the book for the currency of a balance.
    /// Whether all rows have a currency, and all currencies their books.
    pub(crate) fn is_consistent(&self) -> bool {
        let books = HouseBook::ALL.len();
        let has_books = |one: &Currency| {
            let rows = one.house.checked_add(books).and_then(|end| self.rows.get(one.house..end));
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

    fn book_of_same_currency(&self, place: BalanceId, book: HouseBook) -> BalanceId {
        let row = self.rows.get(place.0);
        let currency = row.and_then(|row| self.currencies.get(row.currency));
        currency.map_or(place, |row| BalanceId(row.house + book as usize))
    }

    /// Returns the index of the first book of a currency.
    fn books_of(&mut self, currency: &SmolStr) -> usize {
        let number = self.number_of(currency);
        self.currencies[number].house
    }

    /// Returns the number of a currency, which is added with its books when it is new.
    fn number_of(&mut self, name: &SmolStr) -> usize {
        if let Some(number) = self.currencies.iter().position(|row| row.name == *name) {
            return number;
        }
        let currency = self.currencies.len();
        self.currencies.push(Currency { name: name.clone(), house: self.rows.len() });
        self.rows.extend(HouseBook::ALL.map(|_| Row { currency, amount: Decimal::ZERO }));
        currency
    }
}
