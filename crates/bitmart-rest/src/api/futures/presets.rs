//! Validation of the take-profit and stop-loss prices that come with an order.

use bitmart_types::Decimal;
use bitmart_types::futures::Side;

use crate::ValidationError;
use crate::protocol::validate;

/// Checks the preset take-profit and stop-loss prices of an order.
pub(super) fn check_presets(
    side: &Side,
    take_profit: Option<Decimal>,
    stop_loss: Option<Decimal>,
) -> Result<(), ValidationError> {
    validate::positive("preset_take_profit_price", take_profit)?;
    validate::positive("preset_stop_loss_price", stop_loss)?;
    let closes = matches!(side, Side::CloseLong | Side::CloseShort);
    let named = [("preset_take_profit_price", take_profit), ("preset_stop_loss_price", stop_loss)];
    match named.into_iter().find_map(|(name, price)| Some((name, price?))) {
        Some((name, price)) if closes => Err(ValidationError::new(
            name,
            price,
            "must not be set for an order that closes a position",
        )),
        _ => Ok(()),
    }
}
