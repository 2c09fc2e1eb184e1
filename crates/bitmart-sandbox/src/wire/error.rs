//! API errors.

use std::borrow::Cow;

use bitmart_sim::{Reject, book::Side};

use crate::generated::{Codes, Group, Route};

/// An error response of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireError {
    pub(crate) status: u16,
    pub(crate) code: u32,
    pub(crate) message: Cow<'static, str>,
    /// An explanation for the developer of the client, sent in the header `X-Sandbox-Reason`. It is not part of the body
    /// and contains no secret.
    pub(crate) reason: Option<Box<str>>,
}

impl WireError {
    /// Replaces the documented message, for codes whose message is a template or needs an explanation.
    #[must_use]
    pub(crate) fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds an explanation for the developer of the client.
    #[must_use]
    pub(crate) fn with_reason(mut self, reason: impl Into<Box<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Groups of endpoints that have different codes for the same rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorFamily {
    /// Spot, margin and savings.
    Spot,
    /// Futures.
    Futures,
    /// Deposits, withdrawals and transfers between spot and funding.
    Account,
    /// Transfers to and from futures.
    FuturesTransfer,
    /// Transfers between accounts.
    SubAccount,
}

impl ErrorFamily {
    /// The family of an endpoint.
    pub(crate) fn of(route: &Route) -> Self {
        match route.group {
            Group::SpotSubAccount | Group::FuturesSubAccount => Self::SubAccount,
            Group::FuturesTransfer => Self::FuturesTransfer,
            Group::SpotAccount if route.codes == Codes::Account => Self::Account,
            Group::Affiliate
            | Group::FuturesAccount
            | Group::FuturesMarket
            | Group::FuturesPlan
            | Group::FuturesTrading => Self::Futures,
            Group::Broker
            | Group::Earn
            | Group::EarnFixed
            | Group::EarnFlexible
            | Group::Margin
            | Group::SpotAccount
            | Group::SpotAlgo
            | Group::SpotMarket
            | Group::SpotTrading
            | Group::System => Self::Spot,
        }
    }
}

/// The API error of a rejection by the engine.
pub(crate) fn rejection_error(reject: &Reject, family: ErrorFamily) -> WireError {
    use Reject as R;
    let error = self::error(code(reject, family));
    match reject {
        R::InsufficientBalance { .. } => error.with_reason(reject.to_string()),
        R::SecuresLoan => error.with_message("Balance not enough: it secures a loan"),
        R::TooManyTriggerOrders if family == ErrorFamily::Spot => {
            error.with_message("Bad Request: too many algo orders are waiting")
        }
        R::OrderDoesNotOpen => {
            error.with_message("The order side is invalid: presets are for opening orders")
        }
        R::SizeTooSmall { minimum } => error.with_message(format!("Minimum size is {minimum}")),
        R::SizeOffLot { lot: step } | R::PriceOffTick { tick: step }
            if family == ErrorFamily::Spot =>
        {
            let name = if matches!(reject, R::PriceOffTick { .. }) { "price" } else { "size" };
            error.with_message(format!("Invalid {name}: at most {} decimals", step.scale()))
        }
        R::SizeOutOfRange { .. } | R::PriceOutOfRange { .. } if family == ErrorFamily::Spot => {
            error.with_message(format!("Invalid size or price: {reject}"))
        }
        R::AmountPrecision { .. }
        | R::AmountTooLarge { .. }
        | R::AmountOutOfRange { .. }
        | R::AmountNotPositive
        | R::SameWallet
            if error.code != 61000 && error.code != 40005 =>
        {
            let start = if error.code == 60000 { "Parameter Error" } else { "Invalid amount" };
            error.with_message(format!("{start}: {reject}"))
        }
        R::MakerOnlyAtMarket => error.with_message(
            "Parse parameter error: mode: must be 1 to 4, and not 4 with type market",
        ),
        R::SelfTradeNotPrevented => {
            error.with_message("Parse parameter error: stp_mode: must be 1, 2 or 3")
        }
        R::CallbackRateOutOfRange { minimum, maximum } => error.with_message(format!(
            "Parse parameter error: callback_rate: must be {minimum} to {maximum}"
        )),
        R::CountdownOutOfRange { shortest_s, .. } => error.with_message(format!(
            "Parse parameter error: timeout: must be 0 or at least {shortest_s}"
        )),
        R::WithdrawalPrecision { decimals } => {
            error.with_message(format!("Maximum withdraw precision is {decimals}"))
        }
        R::WithdrawalStep { multiple_of } => error.with_message(format!(
            "The withdrawal amount must be an integral multiple of {multiple_of}"
        )),
        R::WithdrawalTooSmall { minimum } => {
            error.with_message(format!("Minimum amount is {minimum}"))
        }
        R::SavingAmount => error.with_message("Invalid amount: below or above that of the product"),
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
        R::ClientOrderIdCharacters if futures => 40048,
        R::ClientOrderIdCharacters => 50038,
        R::NotALimitOrder => 40042,
        R::SizeTooSmall { .. } => 50006,
        R::SizeOutOfRange { .. } | R::SizeOffLot { .. } if futures => 40044,
        R::PriceOutOfRange { .. } | R::PriceOffTick { .. } if futures => 40043,
        R::SizeOutOfRange { .. }
        | R::SizeOffLot { .. }
        | R::PriceOutOfRange { .. }
        | R::PriceOffTick { .. } => 50021,
        R::SizeNotAboveFilled { .. } => 40044,
        R::WouldTake { side: Side::Buy } => 50034,
        R::WouldTake { side: Side::Sell } => 50035,
        R::MakerOnlyAtMarket
        | R::SelfTradeNotPrevented
        | R::TriggerKindDiffers
        | R::CallbackRateOutOfRange { .. }
        | R::CountdownOutOfRange { .. } => 40007,
        R::OrderOpens => 40041,
        R::LeverageOutOfRange { leverage, maximum } if *leverage > (*maximum).into() => 40029,
        R::LeverageOutOfRange { .. } => 40030,
        R::LimitValueTooLow { .. } => 51011,
        R::MarketBuyTooSmall { .. } => 51012,
        R::MarketSellTooSmall { .. } => 51014,
        R::TooManyTriggerOrders if futures => 40028,
        R::TooManyTriggerOrders => 50000,
        R::OrderDoesNotOpen => 40041,
        R::NoPosition => 40021,
        R::PositionTooSmall => 40020,
        R::LeverageTooHigh => 40029,
        R::LeverageDiffers => 40040,
        R::MarginModeDiffers => 40012,
        R::PositionsOpen => 40059,
        R::InsufficientBalance { .. } => match family {
            F::Spot => 50020,
            F::Futures => 40027,
            F::Account => 60008,
            F::FuturesTransfer => 42000,
            F::SubAccount => 61001,
        },
        R::SecuresLoan => 50020,
        R::AmountNotPositive if family == F::SubAccount => 61000,
        R::AmountPrecision { .. } if family == F::FuturesTransfer => 40005,
        R::AmountNotPositive
        | R::AmountPrecision { .. }
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
        R::SubAccountWithdrawal => 60054,
        R::WithdrawalToSelf => 60065,
        R::DepositsClosed => 60003,
        R::WithdrawalsClosed => 60004,
        R::NetworkClosed => 60056,
        R::WithdrawalPrecision { .. } => 60006,
        R::WithdrawalStep { .. } => 60013,
        R::WithdrawalTooSmall { .. } => 60005,
        R::MemoMissing => 60014,
        R::AddressNotSaved => 60007,
        R::AddressNotVerified => 60015,
        R::DailyQuotaExceeded => 60064,
        R::NoLoan => 51024,
        R::LoanTooSmall => 51005,
        R::LoanTooLarge => 51004,
        R::RepaymentTooLarge => 51006,
        R::SavingAmount | R::UnknownSaving | R::UnknownProduct => 50021,
        // Customers cannot send commands of the operator.
        R::Operator(_) => 50000,
    }
}

/// Looks a code up in the table of documented errors.
pub(crate) fn error(code: u32) -> WireError {
    let (status, message) = TABLE
        .binary_search_by_key(&code, |row| row.0)
        .map_or((500, "Internal Server Error"), |at| (TABLE[at].1, TABLE[at].2));
    WireError { status, code, message: Cow::Borrowed(message), reason: None }
}

/// Every code of the sandbox in ascending order, with its documented HTTP status and message.
const TABLE: &[(u32, u16, &str)] = &[
    (30000, 404, "Not found"),
    (30001, 401, "Header X-BM-KEY is empty"),
    (30002, 401, "Header X-BM-KEY not found"),
    (30003, 401, "Header X-BM-KEY has frozen"),
    (30004, 401, "Header X-BM-SIGN is empty"),
    (30005, 401, "Header X-BM-SIGN is wrong"),
    (30006, 401, "Header X-BM-TIMESTAMP is empty"),
    (30007, 401, "Header X-BM-TIMESTAMP range. Within a minute"),
    (
        30010,
        403,
        "IP is forbidden. We recommend enabling IP whitelist for API trading. After that reauth your account",
    ),
    (30011, 403, "Header X-BM-KEY over expire time"),
    (30012, 403, "Header X-BM-KEY is forbidden to request it"),
    (30013, 429, "Request too many requests"),
    (30014, 503, "Service unavailable"),
    (30016, 200, "Service maintenance, the function is temporarily unavailable"),
    (
        30017,
        418,
        "Your account request is temporarily rejected due to violation of current limiting rules, please contact customer service",
    ),
    (30018, 503, "Request Body requires JSON format"),
    (
        30030,
        200,
        "Futures V1 API has been deprecated. Please use Futures V2 API. You can view the change logs for upgrade",
    ),
    (30031, 200, "This endpoint has been deprecated. You can view the change logs for upgrade"),
    (40005, 400, "Transfer vol precision error"),
    (40007, 400, "Parse parameter error"),
    (40012, 400, "System error"),
    (40013, 400, "Access too often\" CLIENT_TIME_INVALID, \"Please check your system time."),
    (40014, 400, "This contract is offline"),
    (40015, 400, "This contract's exchange has been paused"),
    (40020, 400, "Your position volume is not enough"),
    (40021, 400, "The position is not exsit"),
    (40027, 400, "You contract account available balance not enough"),
    (40028, 400, "Your plan order's count is more than system maximum limit."),
    (40029, 400, "The order's leverage is too large."),
    (40030, 400, "The order's leverage is too small."),
    (40034, 400, "The Symbol is not exist"),
    (40035, 400, "The order is not exist"),
    (40036, 400, "The order status is invalid"),
    (40037, 400, "The order id is not exist"),
    (40038, 400, "The k-line step is invalid"),
    (40039, 400, "The timestamp is invalid"),
    (40040, 400, "The order leverage is invalid"),
    (40041, 400, "The order side is invalid"),
    (40042, 400, "The order type is invalid"),
    (40043, 400, "The order precision is invalid"),
    (40044, 400, "The order range is invalid"),
    (40045, 400, "The order open type is invalid"),
    (40048, 403, "ClientOrderId only allows a combination of numbers and letters"),
    (40049, 403, "The maximum length of clientOrderId cannot exceed 32"),
    (40050, 403, "Client OrderId duplicated with existing orders"),
    (40059, 400, "Some positions exist and the mode switching fails."),
    (42000, 200, "Insufficient balance"),
    (50000, 400, "Bad Request"),
    (50001, 400, "Symbol not found"),
    (50005, 400, "Order Id not found"),
    (50006, 400, "Minimum size is %s"),
    (50010, 400, "RequestParam size is required"),
    (50011, 400, "RequestParam price is required"),
    (50012, 400, "RequestParam notional is required"),
    (50015, 400, "Minimum limit is 1"),
    (50016, 400, "Maximum limit is %d"),
    (50020, 400, "Balance not enough"),
    (50021, 400, "Invalid %s"),
    (50023, 400, "This Symbol can't place order by api"),
    (50028, 400, "Missing parameters"),
    (50029, 400, "The parameters do not match"),
    (50033, 400, "The order quantity should be greater than 0 and less than or equal to 10"),
    (50034, 400, "The price is high and there is no matching depth"),
    (50035, 400, "The price is low and there is no matching depth"),
    (50037, 400, "The maximum length of clientOrderId cannot exceed 32"),
    (50038, 400, "ClientOrderId only allows a combination of numbers and letters"),
    (50039, 400, "Order_id and clientOrderId cannot be empty at the same time"),
    (50042, 400, "clientOrderId is duplicate"),
    (51000, 400, "Currency not found"),
    (51001, 400, "Margin Account not Opened"),
    (51004, 400, "Exceed the maximum number of borrows available"),
    (51005, 400, "Less than the minimum borrowable amount"),
    (51006, 400, "Exceeds the amount to be repaid"),
    (
        51011,
        400,
        "Parameter mismatch: Limit order quantity * price should be greater than the minimum transaction amount",
    ),
    (
        51012,
        400,
        "Participation mismatch: the number of market order buy orders should be greater than the minimum buyable amount",
    ),
    (51014, 400, "Parameter mismatch: the amount of market order sell orders placed is too small"),
    (51024, 400, "There is no Margin Borrowing"),
    (52000, 400, "Unsupported OrderMode Type"),
    (52001, 400, "Unsupported Trade Type"),
    (52002, 400, "Unsupported Side Type"),
    (52003, 400, "Unsupported Query State Type"),
    (52004, 400, "End time must be greater than or equal to Start time"),
    (
        53000,
        403,
        "Your account is frozen due to security policies. Please contact customer service",
    ),
    (57001, 405, "Method Not Allowed"),
    (58001, 415, "Unsupported Media Type"),
    (
        60000,
        400,
        "Invalid request (maybe the body is empty, or the int parameter passes string data)",
    ),
    (60002, 400, "currency does not exist"),
    (
        60003,
        400,
        "Currency has been closed recharge channel, if there is any problem, please consult customer service",
    ),
    (
        60004,
        400,
        "Currency has been closed withdraw channel, if there is any problem, please consult customer service",
    ),
    (60005, 400, "Minimum amount is %s"),
    (60006, 400, "Maximum withdraw precision is %d"),
    (60007, 400, "Only withdrawals from added addresses are allowed"),
    (60008, 400, "Balance not enough"),
    (60010, 400, "Withdraw id or deposit id not found"),
    (60011, 400, "Address is not valid"),
    (60013, 400, "The withdrawal amount must be an integral multiple of %s"),
    (60014, 400, "Please check your memo"),
    (60015, 400, "This address is not verified. Please add and verify this address on the client"),
    (60026, 403, "Sub-account does not have permission to operate"),
    (60027, 403, "Only supports sub-account calls"),
    (
        60029,
        403,
        "The account is frozen by the master account, please contact the master account to unfreeze the account",
    ),
    (60030, 405, "Method Not Allowed"),
    (60031, 415, "Unsupported Media Type"),
    (60053, 403, "please check The Email/PhoneNumber/BitMart ID And try again"),
    (60054, 403, "Sub-account does not support withdraw"),
    (60056, 403, "This currency withdrawal is suspended"),
    (60063, 403, "Account is frozen due to security policies. Please contact customer service"),
    (
        60064,
        403,
        "Exceed daily withdrawal quota, for your safety, please wait 24 hours and try again",
    ),
    (60065, 403, "The withdrawal user and the target user cannot be the same"),
    (
        60066,
        400,
        "Please notice the default startTime and endTime to make sure that time interval is within 0-90 days",
    ),
    (
        60067,
        400,
        "If both startTime and endTimeare sent, time between startTimeand endTimemust be less than 90 days.",
    ),
    (61000, 400, "Amount must be greater than 0"),
    (61001, 400, "Insufficient balance"),
    (61002, 400, "To Account not found"),
    (61003, 400, "The specified sub-account could not be found"),
    (61004, 400, "Duplicate requests (such as using an existing requestNo)"),
    (70000, 200, "no data"),
    (70001, 200, "request param can not be null"),
    (70002, 200, "symbol is invalid"),
    (71001, 200, "after is invalid"),
    (71002, 200, "before is invalid"),
    (71003, 200, "request after or before is invalid"),
    (71004, 200, "request kline count limit"),
    (71005, 200, "request step error"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_lookup_finds_every_code() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TABLE.iter().all(|row| error(row.0).message == row.2));
    }

    /// `tests/codes.rs` tests that every row of the table in the README is correct.
    #[test]
    fn every_code_is_in_the_readme() {
        let readme = include_str!("../../README.md");
        let (_, after) = readme.split_once("## Error codes").expect("the section");
        let (table, _) = after.split_once("## Money").expect("the next section");
        let missing: Vec<_> =
            TABLE.iter().filter(|row| !table.contains(&row.0.to_string())).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
