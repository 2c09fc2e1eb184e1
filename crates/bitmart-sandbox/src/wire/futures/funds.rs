//! Play money, and the records of margin in other currencies, which the sandbox does not have.

use bitmart_sim::{WalletRequest, payment::PLAY_MONEY_CLAIM};

use serde_json::json;

use crate::wire::{
    Call, HandlerResult,
    error::{WireError, error},
    render::plain,
    window::Window,
};

/// Sources disagree whether the amount is the claimed one or the balance afterwards. Here it is the claimed one.
pub(crate) fn claim_demo_funds(call: &mut Call<'_>) -> HandlerResult {
    let account = call.account_id()?;
    call.exchange.apply(account, WalletRequest::ClaimPlayMoney)?;
    let currency = call.exchange.play_money_currency().ok_or_else(|| error(40034))?;
    Ok(json!({ "currency": currency.as_str(), "amount": plain(PLAY_MONEY_CLAIM) }))
}

/// Always empty: margin is only in the currency of the contract, so nothing is repaid in another one.
pub(crate) fn auto_repayments(call: &mut Call<'_>) -> HandlerResult {
    check_page(call)?;
    if call.params.text("type")?.is_some_and(|kind| kind != "AUTO_REPAY") {
        return Err(call.params.invalid("type", "must be AUTO_REPAY"));
    }
    Ok(json!({ "list": [], "total": 0 }))
}

/// Always empty: no currency is owed, so none bears interest.
pub(crate) fn collateral_interest(call: &mut Call<'_>) -> HandlerResult {
    check_page(call)?;
    Ok(json!({ "items": [], "total": 0 }))
}

fn check_page(call: &Call<'_>) -> Result<(), WireError> {
    let params = &call.params;
    Window::futures(params, call.now_ms)?;
    for name in ["page", "size"] {
        if params.integer(name)?.is_some_and(|value| value < 1) {
            return Err(params.invalid(name, "must be at least 1"));
        }
    }
    Ok(())
}
