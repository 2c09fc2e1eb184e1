//! What happened: an entry, and the movements of money that it consists of.

use std::fmt;

use bitmart::{Decimal, Timestamp};

/// Where money lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wallet {
    Spot,
    /// The isolated margin account of a pair.
    Margin(String),
    Futures,
    CopyTrading,
    /// Savings.
    Earn,
    /// A sub-account. The archive does not know what it does with its money.
    SubAccount(String),
}

impl Wallet {
    /// Whether it is of the account whose archive this is.
    pub(crate) fn is_inside(&self) -> bool {
        !matches!(self, Self::SubAccount(_))
    }
}

impl fmt::Display for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spot => f.write_str("spot"),
            Self::Margin(pair) => write!(f, "margin {pair}"),
            Self::Futures => f.write_str("futures"),
            Self::CopyTrading => f.write_str("copy trading"),
            Self::Earn => f.write_str("earn"),
            Self::SubAccount(name) => write!(f, "sub-account {name}"),
        }
    }
}

/// What an entry or a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// One coin for another.
    Trade,
    Deposit,
    Withdrawal,
    /// Between wallets of the account, or with its sub-accounts: nothing is gained or lost.
    Transfer,
    Fee,
    /// Borrowed for margin, and paid back.
    Loan,
    LoanRepayment,
    MarginInterest,
    /// What savings brought.
    EarnInterest,
    /// Of fees, paid back or passed on.
    Rebate,
    /// Paid or received for a position that stayed open.
    Funding,
    Liquidation,
    /// Profit or, negative, loss of a position in futures.
    RealisedProfit,
    /// What the exchange gives no known name.
    Other,
}

impl Kind {
    /// The word that files have.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Transfer => "transfer",
            Self::Fee => "fee",
            Self::Loan => "loan",
            Self::LoanRepayment => "loan_repayment",
            Self::MarginInterest => "margin_interest",
            Self::EarnInterest => "earn_interest",
            Self::Rebate => "rebate",
            Self::Funding => "funding",
            Self::Liquidation => "liquidation",
            Self::RealisedProfit => "realised_profit",
            Self::Other => "other",
        }
    }
}

/// Money that came into a wallet or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) wallet: Wallet,
    /// What this part of the entry is: the fee of a trade is a fee.
    pub(crate) kind: Kind,
    pub(crate) coin: String,
    /// Negative for what left.
    pub(crate) amount: Decimal,
}

/// Movements that belong together: those of one row of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) movements: Vec<Movement>,
    /// The dataset and the id of the row that says so.
    pub(crate) dataset: String,
    pub(crate) row: String,
    /// Pair or contract.
    pub(crate) symbol: Option<String>,
    pub(crate) order_id: Option<String>,
    pub(crate) trade_id: Option<String>,
    /// Hash of the transaction on its chain.
    pub(crate) tx_hash: Option<String>,
    /// Price of a trade, in the quote currency.
    pub(crate) price: Option<Decimal>,
    pub(crate) note: Option<String>,
}

impl Entry {
    /// An id that no other entry of the archive has.
    pub(crate) fn id(&self) -> String {
        format!("{}:{}", self.dataset, self.row)
    }
}
