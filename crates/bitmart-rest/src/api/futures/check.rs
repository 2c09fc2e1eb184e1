//! Checks that several futures orders share.

use bitmart_types::Decimal;
use bitmart_types::futures::Side;

use crate::ValidationError;
use crate::wire::validate;

/// Checks the preset take-profit and stop-loss prices of an order.
pub(super) fn preset(
    side: &Side,
    take_profit: Option<Decimal>,
    stop_loss: Option<Decimal>,
) -> Result<(), ValidationError> {
    validate::positive("preset_take_profit_price", take_profit)?;
    validate::positive("preset_stop_loss_price", stop_loss)?;
    let closes = matches!(side, Side::CloseLong | Side::CloseShort);
    match take_profit.or(stop_loss) {
        Some(price) if closes => Err(ValidationError::new(
            "preset_take_profit_price and preset_stop_loss_price",
            price,
            "must not be set for an order that closes",
        )),
        _ => Ok(()),
    }
}
