//! Why a command is rejected. Nothing has changed then.
//!
//! A rejection names the rule that was broken and the figures that broke it. Numbers and texts that a
//! wire protocol has for it are not known here.

use std::fmt;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::{AccountId, book::Side, control::ControlError};

/// The money that a command would have been paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The spot wallet.
    Spot,
    /// The funding wallet.
    Funding,
    /// The spot wallet and the funding wallet together.
    SpotAndFunding,
    /// The futures wallet.
    Futures,
    /// The isolated margin account of a pair.
    Margin,
    /// Money in a flexible saving.
    Saving,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spot => "the spot wallet",
            Self::Funding => "the funding account",
            Self::SpotAndFunding => "spot wallet and funding account together",
            Self::Futures => "the futures wallet",
            Self::Margin => "the margin account",
            Self::Saving => "the saving",
        })
    }
}

/// Why a command is rejected. The list is exhaustive on purpose: who shows rejections to people or maps them to
/// codes is to be told by the compiler of a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reject {
    /// No market has this symbol.
    UnknownMarket,
    /// The operator has halted the market.
    MarketHalted,
    /// The contract was delisted.
    ContractDelisted,
    /// No order stands on the other side of the book.
    EmptyBook {
        /// Side of the rejected order.
        side: Side,
    },

    /// The account has no such order.
    UnknownOrder,
    /// The order is filled, cancelled or triggered.
    OrderNotOpen,
    /// Another order of the account has this client order id.
    DuplicateClientOrderId,
    /// The client order id is too long.
    ClientOrderIdTooLong {
        /// Most characters.
        maximum: usize,
    },
    /// The client order id has other characters than letters and digits.
    ClientOrderIdCharacters,
    /// The order would not be a limit order.
    NotALimitOrder,
    /// The size is smaller than the smallest one.
    SizeTooSmall {
        /// The smallest size.
        minimum: Decimal,
    },
    /// The size is out of range.
    SizeOutOfRange {
        /// The smallest size.
        minimum: Decimal,
        /// The largest size.
        maximum: Decimal,
    },
    /// The size is no multiple of the step.
    SizeOffLot {
        /// The step.
        lot: Decimal,
    },
    /// The new size of an order is not above what is filled of it.
    SizeNotAboveFilled {
        /// What is filled.
        filled: Decimal,
    },
    /// The price is not above zero, or too high.
    PriceOutOfRange {
        /// The highest price.
        maximum: Decimal,
    },
    /// The price is no multiple of the step.
    PriceOffTick {
        /// The step.
        tick: Decimal,
    },
    /// The value of a limit order is too low.
    LimitValueTooLow {
        /// The lowest value, in the quote currency.
        minimum: Decimal,
    },
    /// The amount of a market buy is too low.
    MarketBuyTooSmall {
        /// The lowest amount, in the quote currency.
        minimum: Decimal,
    },
    /// The value of a market sell is too low.
    MarketSellTooSmall {
        /// The lowest value, in the quote currency.
        minimum: Decimal,
    },
    /// An order that must not take would trade at once.
    WouldTake {
        /// Side of the rejected order.
        side: Side,
    },
    /// An order that must not take needs a price.
    MakerOnlyAtMarket,
    /// An order of futures must say how it avoids to trade with its owner.
    SelfTradeNotPrevented,
    /// As many orders wait for a price as are allowed.
    TooManyTriggerOrders,
    /// A take-profit or stop-loss price belongs to an order that opens a position.
    OrderDoesNotOpen,
    /// A take-profit or stop-loss would open a position.
    OrderOpens,
    /// A trailing order follows a price, and no other order does.
    TriggerKindDiffers,
    /// The callback rate of a trailing order is out of range.
    CallbackRateOutOfRange {
        /// The lowest rate, in percent.
        minimum: Decimal,
        /// The highest rate, in percent.
        maximum: Decimal,
    },
    /// The countdown is too short or too long.
    CountdownOutOfRange {
        /// The shortest one, in seconds.
        shortest_s: u64,
        /// The longest one, in seconds.
        longest_s: u64,
    },

    /// The leverage is below 1 or above the highest of the contract.
    LeverageOutOfRange {
        /// What was wanted.
        leverage: Decimal,
        /// The highest one.
        maximum: u32,
    },
    /// There is no position to close.
    NoPosition,
    /// The position has fewer free contracts than are to be closed.
    PositionTooSmall,
    /// The position would be worth more than its leverage allows.
    LeverageTooHigh,
    /// The leverage differs from that of what is open in the contract.
    LeverageDiffers,
    /// The margin mode differs from that of what is open in the contract.
    MarginModeDiffers,
    /// The position mode cannot change while positions or orders are open.
    PositionsOpen,

    /// A wallet holds too little.
    InsufficientBalance {
        /// What was to pay.
        source: Source,
        /// Whose money was to pay, for transfers between accounts.
        account: Option<AccountId>,
        /// In which currency.
        currency: SmolStr,
        /// What can be used.
        have: Decimal,
        /// What is needed.
        need: Decimal,
    },
    /// The money secures a loan.
    SecuresLoan,
    /// The amount must be above zero.
    AmountNotPositive,
    /// The amount is too large for any request.
    AmountTooLarge {
        /// The largest amount.
        maximum: Decimal,
    },
    /// The amount is out of range.
    AmountOutOfRange {
        /// The smallest amount.
        minimum: Decimal,
        /// The largest amount.
        maximum: Decimal,
    },
    /// The amount has too many decimals.
    AmountPrecision {
        /// Most decimals.
        decimals: u32,
    },
    /// The account may not move money of that account, or to it.
    NotOwnAccount,
    /// Both ends of a transfer are the same wallet.
    SameWallet,
    /// The exchange has no such currency.
    UnknownCurrency,
    /// The currency is neither base nor quote of the pair.
    CurrencyNotInPair,
    /// There is no such account.
    UnknownAccount,
    /// The request number was used before.
    DuplicateRequest,
    /// The account is frozen.
    AccountFrozen {
        /// It is a sub-account.
        sub_account: bool,
    },

    /// Sub-accounts cannot withdraw.
    SubAccountWithdrawal,
    /// A withdrawal goes to the account that it comes from.
    WithdrawalToSelf,
    /// Deposits of the currency are closed.
    DepositsClosed,
    /// Withdrawals of the currency are closed.
    WithdrawalsClosed,
    /// Withdrawals by this network are closed.
    NetworkClosed,
    /// The amount of a withdrawal has too many decimals.
    WithdrawalPrecision {
        /// Most decimals.
        decimals: u32,
    },
    /// The amount of a withdrawal is no multiple of the step.
    WithdrawalStep {
        /// The step.
        multiple_of: u32,
    },
    /// The amount of a withdrawal is too small.
    WithdrawalTooSmall {
        /// The smallest amount.
        minimum: Decimal,
    },
    /// The network needs a memo.
    MemoMissing,
    /// A withdrawal needs an address.
    AddressMissing,
    /// The account has saved addresses, and this is none of them.
    AddressNotSaved,
    /// The saved address is not verified.
    AddressNotVerified,
    /// More than an account may withdraw in a day.
    DailyQuotaExceeded,

    /// The account has no margin account of the pair.
    NoMarginAccount,
    /// There is no loan to pay back.
    NoLoan,
    /// Less than the smallest loan.
    LoanTooSmall,
    /// More than the account may borrow.
    LoanTooLarge,
    /// More than is owed.
    RepaymentTooLarge,

    /// There is no saving product with this number.
    UnknownProduct,
    /// The amount is not within the limits of the saving product.
    SavingAmount,
    /// The account has no such saving.
    UnknownSaving,

    /// The operator asked for something impossible.
    Operator(ControlError),
}

impl Reject {
    /// One of `account`'s own wallets holds too little.
    pub(crate) fn insufficient(
        source: Source,
        currency: &SmolStr,
        have: Decimal,
        need: Decimal,
    ) -> Self {
        let currency = currency.clone();
        Self::InsufficientBalance { source, account: None, currency, have, need }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMarket => f.write_str("no market has this symbol"),
            Self::MarketHalted => f.write_str("the market is halted"),
            Self::ContractDelisted => f.write_str("the contract was delisted"),
            Self::EmptyBook { side } => {
                let other = side.opposite().word();
                write!(f, "the book has no {other} order")
            }
            Self::UnknownOrder => f.write_str("the account has no such order"),
            Self::OrderNotOpen => f.write_str("the order is not open"),
            Self::DuplicateClientOrderId => f.write_str("the client order id is in use"),
            Self::NotALimitOrder => f.write_str("only limit orders can be modified"),
            Self::SizeTooSmall { minimum } => write!(f, "the smallest size is {minimum}"),
            Self::SizeOutOfRange { minimum, maximum } => {
                write!(f, "the size is not from {minimum} to {maximum}")
            }
            Self::SizeOffLot { lot } => write!(f, "the size is no multiple of {lot}"),
            Self::SizeNotAboveFilled { filled } => {
                write!(f, "the size is not above what is filled: {filled}")
            }
            Self::PriceOutOfRange { maximum } => {
                write!(f, "the price is not above 0 and at most {maximum}")
            }
            Self::PriceOffTick { tick } => write!(f, "the price is no multiple of {tick}"),
            Self::ClientOrderIdTooLong { maximum } => {
                write!(f, "a client order id has at most {maximum} characters")
            }
            Self::ClientOrderIdCharacters => {
                f.write_str("a client order id has letters and digits only")
            }
            Self::WouldTake { .. } => f.write_str("the order must not take, but would"),
            Self::MakerOnlyAtMarket => f.write_str("a market order cannot be a maker"),
            Self::SelfTradeNotPrevented => {
                f.write_str("the order does not say how to prevent a self-trade")
            }
            Self::OrderOpens => f.write_str("a take-profit or stop-loss cannot open a position"),
            Self::TriggerKindDiffers => {
                f.write_str("the kind of the order does not fit what it waits for")
            }
            Self::CallbackRateOutOfRange { minimum, maximum } => {
                write!(f, "the callback rate is not from {minimum} to {maximum} percent")
            }
            Self::CountdownOutOfRange { shortest_s, longest_s } => {
                write!(f, "the countdown is not from {shortest_s} to {longest_s} seconds")
            }
            Self::LeverageOutOfRange { leverage, maximum } => {
                write!(f, "the leverage {leverage} is not from 1 to {maximum}")
            }
            Self::AmountTooLarge { maximum } => write!(f, "an amount is at most {maximum}"),
            Self::AmountOutOfRange { minimum, maximum } => {
                write!(f, "the amount is not from {minimum} to {maximum}")
            }
            Self::AmountPrecision { decimals } | Self::WithdrawalPrecision { decimals } => {
                write!(f, "an amount has at most {decimals} decimals")
            }
            Self::NotOwnAccount => f.write_str("the account may not move this money"),
            Self::SameWallet => f.write_str("both ends are the same wallet"),
            Self::AddressMissing => f.write_str("a withdrawal needs an address"),
            Self::NoMarginAccount => f.write_str("there is no margin account of the pair"),
            Self::LimitValueTooLow { minimum }
            | Self::MarketBuyTooSmall { minimum }
            | Self::MarketSellTooSmall { minimum } => {
                write!(f, "the lowest value of an order is {minimum}")
            }
            Self::TooManyTriggerOrders => f.write_str("too many orders wait for a price"),
            Self::OrderDoesNotOpen => f.write_str("the order does not open a position"),
            Self::NoPosition => f.write_str("there is no position"),
            Self::PositionTooSmall => f.write_str("the position has too few free contracts"),
            Self::LeverageTooHigh => f.write_str("the leverage is too high for the position"),
            Self::LeverageDiffers => f.write_str("open positions or orders have another leverage"),
            Self::MarginModeDiffers => {
                f.write_str("open positions or orders have another margin mode")
            }
            Self::PositionsOpen => f.write_str("positions or orders are open"),
            Self::InsufficientBalance { source, account, currency, have, need } => {
                let (have, need) = (have.normalize(), need.normalize());
                let missing = (need - have).normalize();
                write!(f, "{source}")?;
                if let Some(account) = account {
                    write!(f, " of {}", account.name())?;
                }
                write!(
                    f,
                    " has {have} {currency} free, and this takes {need}: {missing} {currency} are missing"
                )
            }
            Self::SecuresLoan => f.write_str("the money secures a loan"),
            Self::AmountNotPositive => f.write_str("the amount must be above 0"),
            Self::UnknownCurrency => f.write_str("there is no such currency"),
            Self::CurrencyNotInPair => f.write_str("the currency is not one of the pair"),
            Self::UnknownAccount => f.write_str("there is no such account"),
            Self::DuplicateRequest => f.write_str("the request number was used before"),
            Self::AccountFrozen { .. } => f.write_str("the account is frozen"),
            Self::SubAccountWithdrawal => f.write_str("a sub-account cannot withdraw"),
            Self::WithdrawalToSelf => f.write_str("the withdrawal goes to its own account"),
            Self::DepositsClosed => f.write_str("deposits of the currency are closed"),
            Self::WithdrawalsClosed => f.write_str("withdrawals of the currency are closed"),
            Self::NetworkClosed => f.write_str("withdrawals by the network are closed"),
            Self::WithdrawalStep { multiple_of } => {
                write!(f, "the amount must be a multiple of {multiple_of}")
            }
            Self::WithdrawalTooSmall { minimum } => write!(f, "the smallest amount is {minimum}"),
            Self::MemoMissing => f.write_str("the network needs a memo"),
            Self::AddressNotSaved => f.write_str("the address is not a saved one"),
            Self::AddressNotVerified => f.write_str("the saved address is not verified"),
            Self::DailyQuotaExceeded => f.write_str("the daily withdrawal quota is exceeded"),
            Self::NoLoan => f.write_str("there is no loan"),
            Self::LoanTooSmall => f.write_str("less than the smallest loan"),
            Self::LoanTooLarge => f.write_str("more than the account may borrow"),
            Self::RepaymentTooLarge => f.write_str("more than is owed"),
            Self::UnknownProduct => f.write_str("there is no such saving product"),
            Self::SavingAmount => f.write_str("the amount is not within the limits of the product"),
            Self::UnknownSaving => f.write_str("the account has no such saving"),
            Self::Operator(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Reject {}

impl From<ControlError> for Reject {
    fn from(error: ControlError) -> Self {
        Self::Operator(error)
    }
}
