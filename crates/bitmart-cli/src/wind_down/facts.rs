//! What an account holds and owes, and by which ways money leaves the exchange: plain data.

use std::collections::BTreeMap;
use std::fmt;

use bitmart::Decimal;
use serde::Serialize;

/// Where money is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wallet {
    Spot,
    Funding,
    Futures,
    /// Isolated margin of a pair.
    Margin(String),
    /// Spot wallet of a sub-account.
    SubSpot(String),
    /// Futures wallet of a sub-account.
    SubFutures(String),
}

impl fmt::Display for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spot => f.write_str("spot"),
            Self::Funding => f.write_str("funding"),
            Self::Futures => f.write_str("futures"),
            Self::Margin(symbol) => write!(f, "margin {symbol}"),
            Self::SubSpot(name) => write!(f, "spot of {name}"),
            Self::SubFutures(name) => write!(f, "futures of {name}"),
        }
    }
}

impl Serialize for Wallet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why money is not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    Orders,
    Positions,
    /// A withdrawal on its way.
    Withdrawal,
    Unknown,
}

/// A part of a balance that is not free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Held {
    pub(super) by: By,
    pub(super) amount: Decimal,
}

/// The balance of one currency in one wallet, in the currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Balance {
    pub(super) wallet: Wallet,
    pub(super) currency: String,
    pub(super) free: Decimal,
    pub(super) held: Vec<Held>,
}

/// Open orders that one request cancels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Orders {
    pub(super) kind: OrderKind,
    pub(super) symbol: String,
    pub(super) count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OrderKind {
    /// All of a pair, of spot and margin.
    Spot,
    /// All algo orders of a pair that are of this kind: `trigger` or `tp/sl`.
    Algo(String),
    /// All of a contract.
    Futures,
    /// The plan order with this id.
    Plan(String),
    /// The trailing order with this id.
    Trailing(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Position {
    pub(super) symbol: String,
    pub(super) long: bool,
    /// In contracts.
    pub(super) size: Decimal,
}

/// What is owed on isolated margin, interest included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Loan {
    pub(super) symbol: String,
    pub(super) currency: String,
    pub(super) owed: Decimal,
}

/// Money in savings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Saving {
    pub(super) earn_id: String,
    pub(super) currency: String,
    /// `None` where the exchange does not say.
    pub(super) amount: Option<Decimal>,
    /// Whether it is locked for a term.
    pub(super) fixed: bool,
}

/// A way for a currency to leave the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Network {
    /// As the exchange writes it: `USDT-TRC20`.
    pub(super) code: String,
    pub(super) currency: String,
    pub(super) name: String,
    /// Whether it withdraws. `None`: not told.
    pub(super) open: Option<bool>,
    pub(super) fee: Option<Decimal>,
    pub(super) minimum: Option<Decimal>,
    /// Most decimals of an amount; 8 where it is not told.
    pub(super) decimals: Option<u32>,
    pub(super) multiple_of: Option<u64>,
}

/// An address of the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Destination {
    /// The code of the network that it is for.
    pub(super) code: String,
    pub(super) address: String,
    pub(super) memo: String,
    /// What its owner calls it, or where it comes from.
    pub(super) name: String,
    /// What may lose the money.
    pub(super) doubts: Vec<String>,
}

/// All that a plan is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Facts {
    pub(super) balances: Vec<Balance>,
    pub(super) orders: Vec<Orders>,
    pub(super) positions: Vec<Position>,
    pub(super) loans: Vec<Loan>,
    pub(super) savings: Vec<Saving>,
    /// Whether idle money is put into savings by itself.
    pub(super) auto_saving: bool,
    pub(super) networks: Vec<Network>,
    pub(super) destinations: Vec<Destination>,
    /// Last prices in USDT, while there was trading.
    pub(super) prices: BTreeMap<String, Decimal>,
    /// What may be withdrawn today, in BTC.
    pub(super) quota_btc: Option<Decimal>,
    /// Why no order is taken any more; `None` while there is trading.
    pub(super) no_trading: Option<String>,
    /// What could not be read: the plan leaves it out.
    pub(super) unread: Vec<String>,
}

impl Facts {
    /// About what an amount is worth, in USDT.
    pub(super) fn worth(&self, currency: &str, amount: Decimal) -> Option<Decimal> {
        if currency == "USDT" {
            return Some(amount);
        }
        amount.checked_mul(*self.prices.get(currency)?)
    }
}
