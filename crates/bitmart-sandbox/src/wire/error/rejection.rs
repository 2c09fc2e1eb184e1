//! The API errors of rejections by the engine.

use bitmart_sim::{Reject, book::Side};

use super::{ErrorFamily, WireError};

/// The API error of a rejection by the engine.
pub(crate) fn rejection_error(reject: &Reject, family: ErrorFamily) -> WireError {
    use Reject as R;
    let error = super::error(code(reject, family));
    match reject {
        R::InsufficientBalance { .. } => error.with_reason(reject.to_string()),
        R::CollateralInUse => error.with_reason("the balance secures a loan"),
        R::TooManyTriggerOrders if family == ErrorFamily::Spot => {
            error.with_reason("too many algo orders are waiting")
        }
        R::TooManyOpenOrders { maximum } => {
            error.with_reason(format!("at most {maximum} orders can be open"))
        }
        R::OpeningOrderRequired => error.with_reason("presets are for opening orders"),
        R::SizeTooSmall { minimum } => error.with_message(format!("Minimum size is {minimum}")),
        R::SizeOffLot { lot: step } | R::PriceOffTick { tick: step }
            if family == ErrorFamily::Spot =>
        {
            let name = if matches!(reject, R::PriceOffTick { .. }) { "price" } else { "size" };
            error
                .with_message(format!("Invalid {name}"))
                .with_reason(format!("{name}: at most {} decimals", step.scale()))
        }
        R::SizeOutOfRange { .. } if family == ErrorFamily::Spot => {
            error.with_message("Invalid size").with_reason(reject.to_string())
        }
        R::PriceOutOfRange { .. } if family == ErrorFamily::Spot => {
            error.with_message("Invalid price").with_reason(reject.to_string())
        }
        R::AmountTooPrecise { .. }
        | R::AmountTooLarge { .. }
        | R::AmountOutOfRange { .. }
        | R::AmountNotPositive
        | R::SameWallet
            if error.code != 61000 && error.code != 40005 =>
        {
            let start = if error.code == 60000 { "Parameter Error" } else { "Invalid amount" };
            error.with_message(start).with_reason(reject.to_string())
        }
        R::PostOnlyWithoutPrice => {
            error.with_reason("mode: must be 1 to 4, and not 4 with type market")
        }
        R::SelfTradePreventionRequired => error.with_reason("stp_mode: must be 1, 2 or 3"),
        R::CallbackRateOutOfRange { minimum, maximum } => {
            error.with_reason(format!("callback_rate: must be {minimum} to {maximum}"))
        }
        R::CountdownOutOfRange { shortest_s, .. } => {
            error.with_reason(format!("timeout: must be 0 or at least {shortest_s}"))
        }
        R::WithdrawalTooPrecise { decimals } => {
            error.with_message(format!("Maximum withdraw precision is {decimals}"))
        }
        R::WithdrawalOffStep { multiple_of } => error.with_message(format!(
            "The withdrawal amount must be an integral multiple of {multiple_of}"
        )),
        R::WithdrawalTooSmall { minimum } => {
            error.with_message(format!("Minimum amount is {minimum}"))
        }
        R::SavingAmountOutOfRange => error
            .with_message("Invalid amount")
            .with_reason("amount: below or above that of the product"),
        R::UnknownSaving => error.with_message("Invalid earnId"),
        R::UnknownProduct => error.with_message("Invalid productId"),
        _ => error,
    }
}

/// The code of a rejection. Rules of only one family have one code.
#[allow(clippy::match_same_arms, reason = "a line for each rule")]
fn code(reject: &Reject, family: ErrorFamily) -> u32 {
    use ErrorFamily as F;
    use Reject as R;
    let futures = family == F::Futures;
    match reject {
        R::UnknownMarket if futures => 40034,
        R::UnknownMarket => 50001,
        R::MarketHalted if futures => 40015,
        R::MarketHalted => 50023,
        R::ContractDelisted => 40014,
        R::EmptyBook { side: Side::Buy } => 50034,
        R::EmptyBook { side: Side::Sell } => 50035,
        R::UnknownOrder if futures => 40037,
        R::UnknownOrder => 50005,
        R::OrderNotOpen if futures => 40036,
        R::OrderNotOpen => 50005,
        R::DuplicateClientOrderId if futures => 40050,
        R::DuplicateClientOrderId => 50042,
        R::ClientOrderIdTooLong { .. } if futures => 40049,
        R::ClientOrderIdTooLong { .. } => 50037,
        R::InvalidClientOrderId if futures => 40048,
        R::InvalidClientOrderId => 50038,
        R::NotALimitOrder => 40042,
        R::SizeTooSmall { .. } => 50006,
        R::SizeOutOfRange { .. } | R::SizeOffLot { .. } if futures => 40044,
        R::PriceOutOfRange { .. } | R::PriceOffTick { .. } if futures => 40043,
        R::SizeOutOfRange { .. }
        | R::SizeOffLot { .. }
        | R::PriceOutOfRange { .. }
        | R::PriceOffTick { .. } => 50021,
        R::SizeNotAboveFilled { .. } => 40044,
        R::PostOnlyWouldTrade { side: Side::Buy } => 50034,
        R::PostOnlyWouldTrade { side: Side::Sell } => 50035,
        R::PostOnlyWithoutPrice
        | R::SelfTradePreventionRequired
        | R::ConditionMismatch
        | R::CallbackRateOutOfRange { .. }
        | R::CountdownOutOfRange { .. } => 40007,
        R::ClosingOrderRequired => 40041,
        R::LeverageOutOfRange { leverage, maximum } if *leverage > (*maximum).into() => 40029,
        R::LeverageOutOfRange { .. } => 40030,
        R::LimitValueTooLow { .. } => 51011,
        R::MarketBuyTooSmall { .. } => 51012,
        R::MarketSellTooSmall { .. } => 51014,
        R::TooManyOpenOrders { .. } | R::TooManyTriggerOrders if futures => 40028,
        R::TooManyOpenOrders { .. } | R::TooManyTriggerOrders => 50000,
        R::OpeningOrderRequired => 40041,
        R::NoPosition => 40021,
        R::PositionTooSmall => 40020,
        R::LeverageTooHigh => 40029,
        R::LeverageMismatch => 40040,
        R::MarginTypeMismatch => 40012,
        R::PositionsOpen => 40059,
        R::InsufficientBalance { .. } => match family {
            F::Spot => 50020,
            F::Futures => 40027,
            F::Account => 60008,
            F::FuturesTransfer => 42000,
            F::SubAccount => 61001,
        },
        R::CollateralInUse => 50020,
        R::AmountNotPositive if family == F::SubAccount => 61000,
        R::AmountTooPrecise { .. } if family == F::FuturesTransfer => 40005,
        R::AmountNotPositive
        | R::AmountTooPrecise { .. }
        | R::AmountTooLarge { .. }
        | R::AmountOutOfRange { .. }
        | R::SameWallet => match family {
            F::Spot | F::Futures => 50021,
            F::Account | F::FuturesTransfer | F::SubAccount => 60000,
        },
        R::NotOwnAccount => 61003,
        R::AddressMissing => 60011,
        R::NoMarginAccount => 51001,
        R::UnknownCurrency => 60002,
        R::CurrencyNotInPair => 51000,
        R::UnknownAccount => 60053,
        R::DuplicateRequest => 61004,
        R::AccountFrozen { sub_account } => match (family, sub_account) {
            (F::Spot, _) => 53000,
            (_, true) => 60029,
            (_, false) => 60063,
        },
        R::SubAccountCannotWithdraw => 60054,
        R::WithdrawalToSelf => 60065,
        R::DepositsClosed => 60003,
        R::WithdrawalsClosed => 60004,
        R::NetworkClosed => 60056,
        R::WithdrawalTooPrecise { .. } => 60006,
        R::WithdrawalOffStep { .. } => 60013,
        R::WithdrawalTooSmall { .. } => 60005,
        R::MemoMissing => 60014,
        R::AddressNotSaved => 60007,
        R::AddressNotVerified => 60015,
        R::DailyQuotaExceeded => 60064,
        R::NoLoan => 51024,
        R::LoanTooSmall => 51005,
        R::LoanTooLarge => 51004,
        R::RepaymentTooLarge => 51006,
        R::SavingAmountOutOfRange | R::UnknownSaving | R::UnknownProduct => 50021,
        // Customers send neither commands of the operator nor the time of the exchange.
        R::Operator(_) | R::TimeTooFar { .. } => 50000,
    }
}
