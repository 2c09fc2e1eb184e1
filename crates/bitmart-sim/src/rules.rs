//! Rules for requests that do not depend on the state of accounts: steps of prices and sizes, limits of amounts,
//! leverage and times.
//!
//! The exchange checks every request by these rules. A server may check them earlier, when the order of errors
//! matters.

mod futures;
mod spot;
#[cfg(test)]
mod tests;
mod wallet;

use rust_decimal::Decimal;

pub(crate) use self::wallet::check_own_transfer;
pub use self::{
    futures::{check_callback_rate, check_countdown},
    wallet::check_futures_transfer,
};
use crate::Reject;

// Rule: A price, size or amount is at most 1e12. Source: invented (no product of two can overflow)
/// Largest price, size or amount of a request: 1e12.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
// Rule: An amount of money has at most 8 decimals. Source: simplified (the precision of the fixtures, for every
// currency)
/// Largest number of decimals of an amount of money.
pub const MONEY_DECIMALS: u32 = 8;
// Rule: A client order id has 1 to 32 letters and digits. Source: documented (endpoint spot_submit_order, the
// table of error codes)
/// Largest number of characters of a client order id.
pub const MAX_CLIENT_ORDER_ID: usize = 32;

/// Checks a client order id.
///
/// # Errors
/// It is empty or too long, or has other characters than ASCII letters and digits.
pub fn check_client_order_id(id: &str) -> Result<(), Reject> {
    if id.len() > MAX_CLIENT_ORDER_ID {
        return Err(Reject::ClientOrderIdTooLong { maximum: MAX_CLIENT_ORDER_ID });
    }
    let fits = !id.is_empty() && id.chars().all(|letter| letter.is_ascii_alphanumeric());
    if fits { Ok(()) } else { Err(Reject::InvalidClientOrderId) }
}

/// Checks an amount of money.
///
/// # Errors
/// It is not above zero, above [`MAX_AMOUNT`], or has too many decimals.
pub fn check_amount(amount: Decimal) -> Result<(), Reject> {
    if amount <= Decimal::ZERO {
        return Err(Reject::AmountNotPositive);
    }
    if amount > MAX_AMOUNT {
        return Err(Reject::AmountTooLarge { maximum: MAX_AMOUNT });
    }
    check_decimals(amount)
}

/// Checks the decimals of an amount of money.
pub(crate) fn check_decimals(amount: Decimal) -> Result<(), Reject> {
    let fits = amount.normalize().scale() <= MONEY_DECIMALS;
    if fits { Ok(()) } else { Err(Reject::AmountTooPrecise { decimals: MONEY_DECIMALS }) }
}

// Rule: A price may be any distance from the market, up to 1e12: there is no price band on spot or futures. Source:
// simplified (no document, code or capture states one)
/// Checks a price against the decimals of its market.
fn check_price(price: Decimal, decimals: u32) -> Result<(), Reject> {
    if price <= Decimal::ZERO || price > MAX_AMOUNT {
        return Err(Reject::PriceOutOfRange { maximum: MAX_AMOUNT });
    }
    let fits = price.normalize().scale() <= decimals;
    if fits { Ok(()) } else { Err(Reject::PriceOffTick { tick: Decimal::new(1, decimals) }) }
}
