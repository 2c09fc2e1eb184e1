//! The assets and debts of an account, and the withdrawal networks, as plain data.

use std::collections::BTreeMap;
use std::fmt;

use bitmart::Decimal;
use serde::Serialize;

/// A wallet of the account or of a sub-account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wallet {
    Spot,
    Funding,
    Futures,
    /// Isolated margin account of a pair.
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

/// The reason why an amount is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HeldBy {
    Orders,
    Positions,
    /// A pending withdrawal.
    Withdrawal,
    Unknown,
}

/// A part of a balance that is not available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Held {
    pub(super) by: HeldBy,
    pub(super) amount: Decimal,
}

/// The balance of a currency in a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Balance {
    pub(super) wallet: Wallet,
    pub(super) currency: String,
    pub(super) free: Decimal,
    pub(super) held: Vec<Held>,
}

/// A balance of which the exchange does not send how much is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct UnknownFrozen {
    pub(super) wallet: Wallet,
    pub(super) currency: String,
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
    /// All spot and margin orders of a pair.
    Spot,
    /// All algo orders of a pair with this type: `trigger` or `tp/sl`.
    Algo(String),
    /// All orders of a contract.
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

/// A debt on isolated margin, interest included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Loan {
    pub(super) symbol: String,
    pub(super) currency: String,
    pub(super) owed: Decimal,
}

/// A savings product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Saving {
    pub(super) earn_id: String,
    pub(super) currency: String,
    /// `None` if the exchange does not send it.
    pub(super) amount: Option<Decimal>,
    /// Whether it is locked for a term.
    pub(super) fixed: bool,
}

/// A network for withdrawals of a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Network {
    /// The code of the exchange, such as `USDT-TRC20`.
    pub(super) code: String,
    pub(super) currency: String,
    pub(super) name: String,
    /// Whether withdrawals are open; `None` if absent.
    pub(super) open: Option<bool>,
    pub(super) fee: Option<Decimal>,
    pub(super) minimum: Option<Decimal>,
    /// Maximum decimals of an amount; 8 if absent.
    pub(super) decimals: Option<u32>,
    pub(super) multiple_of: Option<u64>,
}

/// An address of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Destination {
    /// The code of its network.
    pub(super) code: String,
    pub(super) address: String,
    pub(super) memo: String,
    /// Its label or origin.
    pub(super) name: String,
    /// Whether it is from the option `--to`. Saved addresses of its coin are then not used.
    #[serde(skip)]
    pub(super) is_named: bool,
    /// Risks of losing the money.
    #[serde(rename = "doubts")]
    pub(super) risks: Vec<String>,
}

/// The input of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Facts {
    pub(super) balances: Vec<Balance>,
    pub(super) unknown_frozen: Vec<UnknownFrozen>,
    pub(super) orders: Vec<Orders>,
    pub(super) positions: Vec<Position>,
    pub(super) loans: Vec<Loan>,
    pub(super) savings: Vec<Saving>,
    /// Whether automatic saving is on.
    pub(super) auto_saving: bool,
    pub(super) networks: Vec<Network>,
    pub(super) destinations: Vec<Destination>,
    /// Last prices in USDT.
    pub(super) prices: BTreeMap<String, Decimal>,
    /// Today's withdrawal quota in BTC.
    pub(super) quota_btc: Option<Decimal>,
    /// The reason why no orders are accepted; `None` while there is trading.
    pub(super) no_trading: Option<String>,
    /// Failed queries. The plan ignores their data.
    pub(super) unread: Vec<String>,
}

impl Facts {
    /// The approximate value of an amount in USDT.
    pub(super) fn worth(&self, currency: &str, amount: Decimal) -> Option<Decimal> {
        if currency == "USDT" {
            return Some(amount);
        }
        amount.checked_mul(*self.prices.get(currency)?)
    }
}
