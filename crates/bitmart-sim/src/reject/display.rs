//! Texts of rejections.

use std::fmt;

use super::{Reject, Source};

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spot => "the spot wallet",
            Self::Funding => "the funding account",
            Self::SpotAndFunding => "spot wallet and funding account together",
            Self::Futures => "the futures wallet",
            Self::Margin => "the margin account",
            Self::Saving => "the savings",
        })
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMarket => f.write_str("no market has this symbol"),
            Self::MarketHalted => f.write_str("the market is halted"),
            Self::ContractDelisted => f.write_str("the contract was delisted"),
            Self::EmptyBook { side } => {
                write!(f, "the book has no {} order", side.opposite())
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
            Self::InvalidClientOrderId => {
                f.write_str("a client order id has letters and digits only")
            }
            Self::PostOnlyWouldTrade { .. } => f.write_str("the post-only order would trade at once"),
            Self::PostOnlyWithoutPrice => f.write_str("a market order cannot be post-only"),
            Self::SelfTradePreventionRequired => {
                f.write_str("the order does not say how to prevent a self-trade")
            }
            Self::ClosingOrderRequired => f.write_str("a take-profit or stop-loss cannot open a position"),
            Self::ConditionMismatch => {
                f.write_str("the kind of the order does not match its condition, or cannot be for the whole position")
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
            Self::AmountTooPrecise { decimals } | Self::WithdrawalTooPrecise { decimals } => {
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
            Self::TooManyOpenOrders { maximum } => {
                write!(f, "an account has at most {maximum} open orders")
            }
            Self::TooManyTriggerOrders => f.write_str("too many trigger orders are waiting"),
            Self::OpeningOrderRequired => f.write_str("the order does not open a position"),
            Self::NoPosition => f.write_str("there is no position"),
            Self::PositionTooSmall => f.write_str("the position has too few unreserved contracts"),
            Self::LeverageTooHigh => f.write_str("the leverage is too high for the position"),
            Self::LeverageMismatch => f.write_str("open positions or orders have another leverage"),
            Self::MarginTypeMismatch => {
                f.write_str("open positions or orders have another margin type")
            }
            Self::PositionsOpen => f.write_str("positions or orders are open"),
            Self::InsufficientBalance { source, account, currency, have, need } => {
                let (have, need) = (have.normalize(), need.normalize());
                let missing = (need - have).normalize();
                write!(f, "{source}")?;
                if let Some(account) = account {
                    write!(f, " of account {}", account.0)?;
                }
                write!(
                    f,
                    " has {have} {currency} free, and this takes {need}: {missing} {currency} are missing"
                )
            }
            Self::CollateralInUse => f.write_str("the money secures a loan"),
            Self::AmountNotPositive => f.write_str("the amount must be above 0"),
            Self::UnknownCurrency => f.write_str("there is no such currency"),
            Self::CurrencyNotInPair => f.write_str("the currency is not one of the pair"),
            Self::UnknownAccount => f.write_str("there is no such account"),
            Self::DuplicateRequest => f.write_str("the request number was used before"),
            Self::AccountFrozen { .. } => f.write_str("the account is frozen"),
            Self::SubAccountCannotWithdraw => f.write_str("a sub-account cannot withdraw"),
            Self::WithdrawalToSelf => f.write_str("the withdrawal goes to its own account"),
            Self::DepositsClosed => f.write_str("deposits of the currency are closed"),
            Self::TimeTooFar { maximum_ms } => {
                write!(f, "the time is too far ahead: the next command is at {maximum_ms} ms since 1970 at the latest")
            }
            Self::WithdrawalsClosed => f.write_str("withdrawals of the currency are closed"),
            Self::NetworkClosed => f.write_str("withdrawals by the network are closed"),
            Self::WithdrawalOffStep { multiple_of } => {
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
            Self::UnknownProduct => f.write_str("there is no such savings product"),
            Self::SavingAmountOutOfRange => f.write_str("the amount is not within the limits of the product"),
            Self::UnknownSaving => f.write_str("the account has no such savings"),
            Self::Operator(error) => error.fmt(f),
        }
    }
}
