//! Money in double entry.
//!
//! All money is in places: the two parts of a wallet, the margin of a position, what an account has saved,
//! and the books of the house. It moves by `Ledger::post` only, which gives to one place what it takes
//! from another. So the sum over all places of a currency is zero, whatever is posted, and money that
//! comes from outside has a place where it came from.
//!
//! No other module can write an amount. A place is found by name once, and is a number from then on:
//! a posting searches nothing and allocates nothing.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Where money of one currency can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(usize);

/// A wallet in the ledger: a place for what is free, and one for what is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletId(usize);

impl WalletId {
    /// The place of what can be used.
    pub fn available(self) -> Place {
        Place(self.0)
    }

    /// The place of what open orders and withdrawals hold.
    pub fn frozen(self) -> Place {
        Place(self.0.saturating_add(1))
    }
}

/// What a wallet holds: a copy, which changes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Free to use.
    pub available: Decimal,
    /// Held by open orders and withdrawals.
    pub frozen: Decimal,
}

impl Wallet {
    /// What is free and what is held.
    pub fn total(&self) -> Decimal {
        self.available + self.frozen
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.total().is_zero()
    }
}

/// The books of the house, one of each for every currency. What it gave is below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum House {
    /// Money that accounts start with, play money, and what the operator put in or took out.
    Grants,
    /// Deposits that arrived.
    Deposits,
    /// Withdrawals that left.
    Withdrawals,
    /// Fees of trades and withdrawals.
    Fees,
    /// Interest: paid for loans, and given for savings.
    Interest,
    /// The principal of loans that is not paid back.
    Loans,
    /// Losses beyond an account's money, of futures and of loans.
    Insurance,
    /// What futures positions lost and won when they were closed. What the open ones cost stands
    /// against it.
    Profit,
    /// Money on its way from one side of a trade to the other, or out of a wallet. Nothing stays here.
    Clearing,
}

impl House {
    /// All of them, as the ledger keeps them.
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

/// An amount, and the number of its currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    currency: usize,
    amount: Decimal,
}

/// A currency, and where the books of the house begin.
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
    /// A ledger without places.
    pub(crate) fn new() -> Self {
        Self { currencies: Vec::new(), rows: Vec::new() }
    }

    /// Moves money from one place to another of the same currency; an amount below zero goes the other
    /// way. From a place to itself nothing moves.
    ///
    /// # Panics
    /// Between currencies, in every build: money would vanish in one and appear in the other, and a posting that
    /// is passed over is no better.
    pub(crate) fn post(&mut self, from: Place, to: Place, amount: Decimal) {
        match self.rows.get_disjoint_mut([from.0, to.0]) {
            Ok([from, to]) if from.currency == to.currency => {
                from.amount -= amount;
                to.amount += amount;
            }
            _ => assert_eq!(from, to, "two places of one currency"),
        }
    }

    /// Moves money from one book of the house to another.
    pub(crate) fn post_house(
        &mut self,
        currency: &SmolStr,
        from: House,
        to: House,
        amount: Decimal,
    ) {
        let first = self.books_of(currency);
        self.post(Place(first + from as usize), Place(first + to as usize), amount);
    }

    /// Pays the house.
    pub(crate) fn pay(&mut self, from: Place, to: House, amount: Decimal) {
        self.post(from, self.beside(from, to), amount);
    }

    /// Is paid by the house.
    pub(crate) fn draw(&mut self, from: House, to: Place, amount: Decimal) {
        self.post(self.beside(to, from), to, amount);
    }

    /// Moves money of a wallet from available to frozen; false when there is too little.
    #[must_use]
    pub(crate) fn freeze(&mut self, wallet: WalletId, amount: Decimal) -> bool {
        let enough = self.amount(wallet.available()) >= amount;
        if enough {
            self.post(wallet.available(), wallet.frozen(), amount);
        }
        enough
    }

    /// Moves money of a wallet back to available.
    pub(crate) fn release(&mut self, wallet: WalletId, amount: Decimal) {
        self.post(wallet.frozen(), wallet.available(), amount);
    }

    /// Adds an empty wallet.
    pub(crate) fn open_wallet(&mut self, currency: &SmolStr) -> WalletId {
        let Place(first) = self.open_place(currency);
        self.open_place(currency);
        WalletId(first)
    }

    /// Adds an empty place.
    pub(crate) fn open_place(&mut self, currency: &SmolStr) -> Place {
        let currency = self.number_of(currency);
        self.rows.push(Row { currency, amount: Decimal::ZERO });
        Place(self.rows.len() - 1)
    }

    /// What is in a place.
    pub fn amount(&self, place: Place) -> Decimal {
        self.rows.get(place.0).map_or(Decimal::ZERO, |row| row.amount)
    }

    /// What is in a wallet.
    pub fn wallet(&self, wallet: WalletId) -> Wallet {
        let [available, frozen] = [wallet.available(), wallet.frozen()];
        Wallet { available: self.amount(available), frozen: self.amount(frozen) }
    }

    /// What is in a book of the house; below zero is what it gave.
    pub fn house(&self, currency: &str, book: House) -> Decimal {
        let row = self.currencies.iter().find(|row| row.name == currency);
        row.map_or(Decimal::ZERO, |row| self.amount(Place(row.house + book as usize)))
    }

    /// The books of the house that hold something.
    pub fn house_books(&self) -> impl Iterator<Item = (&SmolStr, House, Decimal)> {
        let all = self.currencies.iter().flat_map(|row| House::ALL.map(|book| (row, book)));
        let rows =
            all.map(|(row, book)| (&row.name, book, self.amount(Place(row.house + book as usize))));
        rows.filter(|row| !row.2.is_zero())
    }

    /// The sum over all places, by currency: zero for each.
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

    /// The book of the house for the currency of a place.
    fn beside(&self, place: Place, book: House) -> Place {
        let currency = self.rows[place.0].currency;
        Place(self.currencies[currency].house + book as usize)
    }

    /// Whether a place is there and holds this currency.
    pub(crate) fn is_of(&self, place: Place, currency: &str) -> bool {
        let row = self.rows.get(place.0);
        row.and_then(|row| self.currencies.get(row.currency))
            .is_some_and(|row| row.name == currency)
    }

    /// Whether every place has a currency, and every currency its books of the house.
    pub(crate) fn is_whole(&self) -> bool {
        let numbers = 0..self.currencies.len();
        let mut books = self.currencies.iter().flat_map(|row| House::ALL.map(|book| (row, book)));
        self.rows.iter().all(|row| numbers.contains(&row.currency))
            && books.all(|(row, book)| {
                let place = row.house.checked_add(book as usize);
                place.is_some_and(|place| self.is_of(Place(place), &row.name))
            })
    }

    /// Where the books of the house for a currency begin.
    fn books_of(&mut self, currency: &SmolStr) -> usize {
        let number = self.number_of(currency);
        self.currencies[number].house
    }

    /// The number of a currency, whose books are opened when it is new.
    fn number_of(&mut self, name: &SmolStr) -> usize {
        if let Some(number) = self.currencies.iter().position(|row| row.name == *name) {
            return number;
        }
        let currency = self.currencies.len();
        self.currencies.push(Currency { name: name.clone(), house: self.rows.len() });
        self.rows.extend(House::ALL.map(|_| Row { currency, amount: Decimal::ZERO }));
        currency
    }
}
