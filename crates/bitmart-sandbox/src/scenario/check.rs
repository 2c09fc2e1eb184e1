//! Checks of the values of a call that do not depend on the state of the exchange.

use rust_decimal::Decimal;
use serde_json::{Map, Value, from_value};

use crate::operator::{
    AdvanceClock, Call, InjectFault, MAX_ADVANCE_MS, MAX_STEPS, MakeDeposit, MovePrice,
    OperatorCall, OperatorError, SetBalance, StepMarket,
};

/// The largest balance, and its decimals, as the exchange checks them when the call is made.
const MAX_BALANCE: u64 = 1_000_000_000_000_000;
const BALANCE_DECIMALS: u32 = 8;

/// Checks the fields of a call, so that a mistake is reported before anything is played.
pub(super) fn check(call: &Call, fields: &Map<String, Value>) -> Result<(), String> {
    call.check(fields)?;
    match call.name() {
        InjectFault::NAME => read::<InjectFault>(fields)?.check(),
        MovePrice::NAME => {
            let price = read::<MovePrice>(fields)?.price;
            require(price > Decimal::ZERO, &OperatorError::InvalidPrice(price))
        }
        SetBalance::NAME => {
            let amount = read::<SetBalance>(fields)?.amount;
            let fits = (Decimal::ZERO..=MAX_BALANCE.into()).contains(&amount)
                && amount.normalize().scale() <= BALANCE_DECIMALS;
            require(fits, &OperatorError::InvalidAmount(amount))
        }
        MakeDeposit::NAME => {
            let MakeDeposit { account, currency, amount } = read(fields)?;
            let error = OperatorError::InvalidDeposit { account, currency, amount };
            require(amount > Decimal::ZERO, &error)
        }
        AdvanceClock::NAME => {
            require(read::<AdvanceClock>(fields)?.ms <= MAX_ADVANCE_MS, &OperatorError::ClockTooFar)
        }
        StepMarket::NAME => {
            require(read::<StepMarket>(fields)?.steps <= MAX_STEPS, &OperatorError::TooManySteps)
        }
        _ => Ok(()),
    }
}

fn read<C: OperatorCall>(fields: &Map<String, Value>) -> Result<C, String> {
    from_value(Value::Object(fields.clone())).map_err(|error| error.to_string())
}

fn require(holds: bool, error: &OperatorError) -> Result<(), String> {
    if holds { Ok(()) } else { Err(error.to_string()) }
}
