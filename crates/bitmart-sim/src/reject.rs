//! Rejections of commands.
//!
//! A rejection names the broken rule, with the values that broke it. Codes and texts of a wire protocol belong to its
//! server.

mod display;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::{AccountId, book::Side, control::ControlError};

/// The balance that was to pay.
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
    /// Flexible savings.
    Saving,
}

/// Why a command was rejected. The list is exhaustive on purpose: code that maps rejections must not compile when one
/// is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reject {
    /// No market has this symbol.
    UnknownMarket,
    /// The operator has halted the market.
    MarketHalted,
    /// The contract was delisted.
    ContractDelisted,
    /// The other side of the book is empty.
    EmptyBook {
        /// Side of the rejected order.
        side: Side,
    },

    /// The account has no order with this number.
    UnknownOrder,
    /// The order is filled, canceled or triggered.
    OrderNotOpen,
    /// Another order of the account has this client order id.
    DuplicateClientOrderId,
    /// The client order id is too long.
    ClientOrderIdTooLong {
        /// Largest number of characters.
        maximum: usize,
    },
    /// The client order id has other characters than letters and digits.
    InvalidClientOrderId,
    /// Only limit orders can be changed.
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
    /// The size is not a multiple of the size step.
    SizeOffLot {
        /// The step.
        lot: Decimal,
    },
    /// The new size of an order is not larger than its filled size.
    SizeNotAboveFilled {
        /// The filled size.
        filled: Decimal,
    },
    /// The price is not above zero, or too high.
    PriceOutOfRange {
        /// The highest price.
        maximum: Decimal,
    },
    /// The price is not a multiple of the price step.
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
    /// A post-only order would trade at once.
    PostOnlyWouldTrade {
        /// Side of the rejected order.
        side: Side,
    },
    /// A post-only order needs a price.
    PostOnlyWithoutPrice,
    /// A futures order must choose a self-trade prevention.
    SelfTradePreventionRequired,
    /// The account has the largest allowed number of open orders.
    TooManyOpenOrders {
        /// The largest number.
        maximum: usize,
    },
    /// The account has the largest allowed number of waiting trigger orders.
    TooManyTriggerOrders,
    /// A take-profit or stop-loss price belongs to an order that opens a position.
    OpeningOrderRequired,
    /// A take-profit or stop-loss would open a position.
    ClosingOrderRequired,
    /// A trailing order needs a trailing condition, which cannot be changed later, and only a trailing order can have
    /// one. Only a take-profit or stop-loss closes the whole position.
    ConditionMismatch,
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
        /// The requested leverage.
        leverage: Decimal,
        /// The highest leverage.
        maximum: u32,
    },
    /// There is no position to close.
    NoPosition,
    /// The position has fewer unreserved contracts than are to be closed.
    PositionTooSmall,
    /// The value of the position would be too large for its leverage.
    LeverageTooHigh,
    /// Open positions or orders of the contract have another leverage.
    LeverageMismatch,
    /// Open positions or orders of the contract have another margin type.
    MarginTypeMismatch,
    /// The position mode cannot change while positions or orders are open.
    PositionsOpen,

    /// A wallet has an insufficient balance.
    InsufficientBalance {
        /// The balance that was to pay.
        source: Source,
        /// The paying account, for transfers.
        account: Option<AccountId>,
        /// The currency.
        currency: SmolStr,
        /// The available amount.
        have: Decimal,
        /// The needed amount.
        need: Decimal,
    },
    /// The money secures a loan.
    CollateralInUse,
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
    AmountTooPrecise {
        /// Largest number of decimals.
        decimals: u32,
    },
    /// The account may not move money from or to the other account.
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
    /// The time of the command is too far ahead. This is about the caller's clock: no customer request has a time.
    TimeTooFar {
        /// The latest time of the next command, in milliseconds since 1970.
        maximum_ms: u64,
    },
    /// The account is frozen.
    AccountFrozen {
        /// Whether it is a sub-account.
        sub_account: bool,
    },

    /// Sub-accounts cannot withdraw.
    SubAccountCannotWithdraw,
    /// A withdrawal goes to the account that it comes from.
    WithdrawalToSelf,
    /// Deposits of the currency are closed.
    DepositsClosed,
    /// Withdrawals of the currency are closed.
    WithdrawalsClosed,
    /// Withdrawals by this network are closed.
    NetworkClosed,
    /// The amount of a withdrawal has too many decimals.
    WithdrawalTooPrecise {
        /// Largest number of decimals.
        decimals: u32,
    },
    /// The amount of a withdrawal is no multiple of the step.
    WithdrawalOffStep {
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
    /// The address is not one of the saved addresses.
    AddressNotSaved,
    /// The saved address is not verified.
    AddressNotVerified,
    /// The withdrawal exceeds the daily quota.
    DailyQuotaExceeded,

    /// The account has no margin account of the pair.
    NoMarginAccount,
    /// There is no loan to pay back.
    NoLoan,
    /// The loan is smaller than the smallest one.
    LoanTooSmall,
    /// The loan is larger than the account may borrow.
    LoanTooLarge,
    /// The repayment is larger than the debt.
    RepaymentTooLarge,

    /// No savings product has this number.
    UnknownProduct,
    /// The amount is outside the limits of the savings product.
    SavingAmountOutOfRange,
    /// The account has no savings with this number.
    UnknownSaving,

    /// A command of the operator was rejected.
    Operator(ControlError),
}

impl Reject {
    /// An insufficient balance of the account itself.
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

impl std::error::Error for Reject {}

impl From<ControlError> for Reject {
    fn from(error: ControlError) -> Self {
        Self::Operator(error)
    }
}
