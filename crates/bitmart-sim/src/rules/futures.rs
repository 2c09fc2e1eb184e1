//! Rules of futures orders, trigger orders and settings.

use rust_decimal::Decimal;

use super::{check_client_order_id, check_price};
use crate::{
    AccountId, Exchange, OrderId, Reject,
    book::SelfTradePrevention,
    futures::FuturesRules,
    futures_order::{NewFuturesOrder, OrderMode},
    trigger::{Condition, NewPlan, PlanChange, PlanKind, Preset},
};

// Rule: A trailing order turns back by 0.1 to 5 percent. Source: documented (endpoint
// futures_submit_trailing_order)
/// Smallest callback rate, in percent.
const MIN_CALLBACK_RATE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);
/// Largest callback rate, in percent.
const MAX_CALLBACK_RATE: Decimal = Decimal::from_parts(5, 0, 0, false, 0);
// Rule: A countdown that cancels orders is at least 5 seconds. Source: documented (endpoint
// futures_cancel_all_after)
const MIN_COUNTDOWN_S: u64 = 5;
// Rule: A countdown that cancels orders is at most a year. Source: invented (no source states a bound)
const MAX_COUNTDOWN_S: u64 = 31_536_000;

/// Checks the callback rate of a trailing order, in percent.
///
/// # Errors
/// It is out of range.
pub fn check_callback_rate(rate: Decimal) -> Result<(), Reject> {
    let (minimum, maximum) = (MIN_CALLBACK_RATE, MAX_CALLBACK_RATE);
    let fits = (minimum..=maximum).contains(&rate);
    if fits { Ok(()) } else { Err(Reject::CallbackRateOutOfRange { minimum, maximum }) }
}

/// Checks a countdown.
///
/// # Errors
/// It is out of range.
pub fn check_countdown(seconds: u64) -> Result<(), Reject> {
    let (shortest_s, longest_s) = (MIN_COUNTDOWN_S, MAX_COUNTDOWN_S);
    let fits = (shortest_s..=longest_s).contains(&seconds);
    if fits { Ok(()) } else { Err(Reject::CountdownOutOfRange { shortest_s, longest_s }) }
}

impl FuturesRules {
    /// Checks a price.
    ///
    /// # Errors
    /// It is out of range, or not a multiple of the tick.
    // Rule: A price is a multiple of the tick of its contract (40043). Source: documented (endpoint
    // futures_contracts, the table of error codes)
    pub fn check_price(&self, price: Decimal) -> Result<(), Reject> {
        check_price(price, self.price_decimals)
    }

    /// Checks a size.
    ///
    /// # Errors
    /// It is not a whole number of contracts, or out of range.
    // Rule: A size is a whole number of contracts, from 1 to the largest of its contract (40044). Source:
    // documented (endpoint futures_contracts, the table of error codes)
    pub fn check_size(&self, size: Decimal) -> Result<(), Reject> {
        let (minimum, maximum) = (Decimal::ONE, self.max_volume);
        if !size.fract().is_zero() {
            return Err(Reject::SizeOffLot { lot: minimum });
        }
        let fits = (minimum..=maximum).contains(&size);
        if fits { Ok(()) } else { Err(Reject::SizeOutOfRange { minimum, maximum }) }
    }

    /// Checks a leverage.
    ///
    /// # Errors
    /// It is out of range.
    // Rule: Leverage is from 1 to the highest of its contract (40030, 40029). Source: documented (endpoint
    // futures_contracts, the table of error codes)
    pub fn check_leverage(&self, leverage: Decimal) -> Result<(), Reject> {
        let maximum = self.max_leverage;
        let fits = (Decimal::ONE..=maximum.into()).contains(&leverage);
        if fits { Ok(()) } else { Err(Reject::LeverageOutOfRange { leverage, maximum }) }
    }

    fn check_preset(&self, preset: &Preset) -> Result<(), Reject> {
        let mut prices = preset.take_profit.iter().chain(&preset.stop_loss);
        prices.try_for_each(|leg| self.check_price(leg.price))
    }

    /// Checks an order, except for its size.
    fn check_terms(&self, order: &NewFuturesOrder) -> Result<(), Reject> {
        order.price.map_or(Ok(()), |price| self.check_price(price))?;
        self.check_leverage(order.leverage.into())?;
        order.client_order_id.as_deref().map_or(Ok(()), check_client_order_id)?;
        // Rule: A post-only order needs a price. Source: simplified (a market order has nothing to rest at; endpoint
        // futures_submit_order is silent)
        if order.mode == OrderMode::PostOnly && order.price.is_none() {
            return Err(Reject::PostOnlyWithoutPrice);
        }
        // Rule: Self-trade prevention of futures cancels the maker, the taker or both, and is never off.
        // Source: documented (endpoint futures_submit_order)
        let has_prevention = order.self_trade_prevention != SelfTradePrevention::Off;
        if has_prevention { Ok(()) } else { Err(Reject::SelfTradePreventionRequired) }
    }
}

impl Exchange {
    /// Returns the rules of a contract.
    ///
    /// # Errors
    /// There is no such contract.
    fn contract(&self, symbol: &str) -> Result<&FuturesRules, Reject> {
        self.futures.get(symbol).map(|market| &market.rules).ok_or(Reject::UnknownMarket)
    }

    /// Checks a new futures order and its presets.
    pub(crate) fn check_futures_order(
        &self,
        order: &NewFuturesOrder,
        preset: &Preset,
    ) -> Result<(), Reject> {
        let rules = self.contract(&order.symbol)?;
        self.check_contract(&order.symbol)?;
        rules.check_size(order.size)?;
        rules.check_terms(order)?;
        rules.check_preset(preset)?;
        // Rule: Preset prices belong to orders that open (40041). Source: documented (endpoint
        // futures_submit_order); simplified (the code)
        let fits = order.side.opens() || preset.is_empty();
        if fits { Ok(()) } else { Err(Reject::OpeningOrderRequired) }
    }

    /// Checks new terms of a resting order.
    pub(crate) fn check_modification(
        &self,
        account: AccountId,
        id: OrderId,
        price: Option<Decimal>,
        size: Option<Decimal>,
    ) -> Result<(), Reject> {
        // First of all: another rejection would tell that somebody has an order with this id.
        let order = self.own_open_order(account, id)?;
        let rules = self.contract(&order.request.symbol)?;
        // Rule: A resting order of a halted or delisted contract cannot be changed, and can be canceled. Source:
        // invented (no source says it)
        self.check_contract(&rules.symbol)?;
        price.map_or(Ok(()), |price| rules.check_price(price))?;
        size.map_or(Ok(()), |size| rules.check_size(size))
    }

    /// Checks a new trigger order.
    pub(crate) fn check_plan(&self, new: &NewPlan) -> Result<(), Reject> {
        let NewPlan { client_order_id, condition, terms } = new;
        let (order, kind) = (&terms.order, terms.kind);
        let rules = self.contract(&order.symbol)?;
        client_order_id.as_deref().map_or(Ok(()), check_client_order_id)?;
        // Rule: Take-profits and stop-losses close (40041). Source: documented (endpoint
        // futures_submit_tp_sl_order); simplified (the code)
        if kind.is_bound() && order.side.opens() {
            return Err(Reject::ClosingOrderRequired);
        }
        if !order.side.opens() && !terms.preset.is_empty() {
            return Err(Reject::OpeningOrderRequired);
        }
        // Rule: Only a take-profit or stop-loss closes the whole position; its size may then be 0. Source: documented
        // (endpoint futures_submit_tp_sl_order); simplified (the code)
        if terms.whole_position && !kind.is_bound() {
            return Err(Reject::ConditionMismatch);
        }
        // The size of an order for the whole position is ignored, and may be larger than that of one order.
        if !terms.whole_position {
            rules.check_size(order.size)?;
        }
        rules.check_terms(order)?;
        rules.check_preset(&terms.preset)?;
        match condition {
            Condition::Reach { price, .. } if kind != PlanKind::Trailing => {
                rules.check_price(*price)
            }
            Condition::Trail(trail) if kind == PlanKind::Trailing => {
                check_callback_rate(trail.callback_rate)?;
                trail.extreme.map_or(Ok(()), |extreme| rules.check_price(extreme))?;
                rules.check_price(trail.activation)
            }
            _ => Err(Reject::ConditionMismatch),
        }
    }

    /// Checks new terms of a trigger order.
    pub(crate) fn check_plan_change(
        &self,
        symbol: &str,
        change: &PlanChange,
    ) -> Result<(), Reject> {
        let rules = self.contract(symbol)?;
        rules.check_price(change.trigger_price)?;
        change.price.map_or(Ok(()), |price| rules.check_price(price))
    }

    /// Checks new presets.
    pub(crate) fn check_presets(&self, symbol: &str, preset: &Preset) -> Result<(), Reject> {
        self.contract(symbol)?.check_preset(preset)
    }

    /// Checks a leverage setting.
    pub(crate) fn check_leverage_setting(&self, symbol: &str, leverage: u32) -> Result<(), Reject> {
        self.contract(symbol)?.check_leverage(leverage.into())
    }

    /// Checks a countdown of a contract.
    pub(crate) fn check_countdown_of(
        &self,
        symbol: &str,
        seconds: Option<u64>,
    ) -> Result<(), Reject> {
        self.contract(symbol)?;
        seconds.map_or(Ok(()), check_countdown)
    }
}
