//! Ledger entries and their movements of money.

use std::fmt;

use bitmart::{Decimal, Timestamp};

/// A place that holds money.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wallet {
    Spot,
    /// The isolated margin account of a pair.
    Margin(String),
    Futures,
    CopyTrading,
    /// Savings.
    Earn,
    /// A sub-account, whose own movements are not in the archive.
    SubAccount(String),
}

impl Wallet {
    /// Whether the wallet belongs to the account of the archive.
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

/// The kind of an entry or a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Trade,
    Deposit,
    Withdrawal,
    /// Between wallets of the account, or with its sub-accounts.
    Transfer,
    Fee,
    /// A margin loan.
    Loan,
    LoanRepayment,
    MarginInterest,
    /// Interest of savings.
    EarnInterest,
    /// A refund or a share of fees.
    Rebate,
    /// Funding paid or received for a futures position.
    Funding,
    Liquidation,
    /// Realized profit or, if negative, loss of a futures position.
    RealisedProfit,
    /// A kind that this program does not know.
    Other,
}

impl Kind {
    /// The name in files.
    pub(crate) fn name(self) -> &'static str {
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

/// An amount that entered or left a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) wallet: Wallet,
    /// Kind of this part of the entry: the fee of a trade is a fee.
    pub(crate) kind: Kind,
    pub(crate) coin: String,
    /// Negative if it left the wallet.
    pub(crate) amount: Decimal,
}

/// The movements of one row of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time: Timestamp,
    pub(crate) kind: Kind,
    pub(crate) movements: Vec<Movement>,
    /// Name of the dataset.
    pub(crate) dataset: String,
    /// Id of the row in it.
    pub(crate) row: String,
    /// Pair or contract.
    pub(crate) symbol: Option<String>,
    pub(crate) order_id: Option<String>,
    pub(crate) trade_id: Option<String>,
    /// Hash of the blockchain transaction.
    pub(crate) tx_hash: Option<String>,
    /// Price of a trade, in the quote currency.
    pub(crate) price: Option<Decimal>,
    /// Network of a deposit or withdrawal, product of savings, or the exchange's name of an unknown kind.
    pub(crate) note: Option<String>,
    /// The entry has a fee, or may have one, that is not in its movements.
    pub(crate) is_fee_unknown: bool,
}

impl Entry {
    /// An id that is unique in the archive.
    pub(crate) fn id(&self) -> String {
        format!("{}:{}", self.dataset, self.row)
    }
}
