//! Rules of spot and margin orders.

use rust_decimal::Decimal;

use super::{MAX_AMOUNT, check_amount, check_client_order_id, check_price};
use crate::{
    AccountId, Exchange, Reject, SpotRules,
    book::Side,
    spot_order::{NewSpotOrder, SpotOrderType},
    trigger::NewAlgo,
};

impl SpotRules {
    /// Checks a price.
    ///
    /// # Errors
    /// It is out of range, or not a multiple of the tick.
    // Rule: A price is a multiple of the tick of its pair. Source: documented (endpoint spot_symbol_details);
    // simplified (the exchange truncates silently, the engine rejects)
    pub fn check_price(&self, price: Decimal) -> Result<(), Reject> {
        check_price(price, self.price_decimals)
    }

    /// Checks a size.
    ///
    /// # Errors
    /// It is not a multiple of the lot, below it, or out of range.
    // Rule: A size is a multiple of the lot of its pair, and at least one lot (50006). Source: documented
    // (endpoint spot_symbol_details); simplified (the exchange truncates silently, the engine rejects)
    pub fn check_size(&self, size: Decimal) -> Result<(), Reject> {
        let (lot, maximum) = (self.lot, MAX_AMOUNT);
        if size > maximum {
            return Err(Reject::SizeOutOfRange { minimum: lot, maximum });
        }
        if size.normalize().scale() > self.size_decimals {
            return Err(Reject::SizeOffLot { lot });
        }
        if size < lot { Err(Reject::SizeTooSmall { minimum: lot }) } else { Ok(()) }
    }

    /// Checks size, price and value of an order. `opposite_best` is the best price of the other side.
    fn check_order(
        &self,
        order: &NewSpotOrder,
        opposite_best: Option<Decimal>,
    ) -> Result<(), Reject> {
        let minimum = self.min_notional;
        if (order.kind, order.side) == (SpotOrderType::Market, Side::Buy) {
            check_amount(order.notional)?;
            // Rule: A market buy spends at least the smallest value of its pair (51012). Source: documented
            // (endpoint spot_symbol_details, the table of error codes)
            let is_too_small = order.notional < minimum;
            return if is_too_small { Err(Reject::MarketBuyTooSmall { minimum }) } else { Ok(()) };
        }
        self.check_size(order.size)?;
        if order.kind == SpotOrderType::Market {
            // Rule: A market sell is worth at least the smallest value at the best bid (51014). Source:
            // simplified (no source states the price that the value is taken at)
            let is_too_small = opposite_best.is_some_and(|bid| order.size * bid < minimum);
            return if is_too_small { Err(Reject::MarketSellTooSmall { minimum }) } else { Ok(()) };
        }
        self.check_price(order.price)?;
        // Rule: A limit order is worth at least the smallest value of its pair (51011). Source: documented
        // (endpoint spot_symbol_details, the table of error codes)
        // A post-only order below it is accepted and then canceled, as documented.
        let is_too_small =
            order.kind != SpotOrderType::LimitMaker && order.size * order.price < minimum;
        if is_too_small { Err(Reject::LimitValueTooLow { minimum }) } else { Ok(()) }
    }
}

impl Exchange {
    /// Checks client order id, size, price and value of a spot order.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check_spot_terms(&self, order: &NewSpotOrder) -> Result<(), Reject> {
        let market = self.spot.get(&order.symbol).ok_or(Reject::UnknownMarket)?;
        order.client_order_id.as_deref().map_or(Ok(()), check_client_order_id)?;
        market.rules.check_order(order, market.book.opposite_best(order.side))?;
        // Rule: An amount that the type of an order does not use is from 0 to 1e12 as well. Source: invented (no
        // product of two can overflow)
        let (minimum, maximum) = (Decimal::ZERO, MAX_AMOUNT);
        let amounts = [order.size, order.price, order.notional];
        let fits = amounts.iter().all(|amount| (minimum..=maximum).contains(amount));
        if fits { Ok(()) } else { Err(Reject::AmountOutOfRange { minimum, maximum }) }
    }

    /// Checks a new spot order against the rules of its pair and the book.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check_spot_order(&self, order: &NewSpotOrder) -> Result<(), Reject> {
        self.check_trading(&order.symbol)?;
        self.check_spot_terms(order)?;
        let market = self.spot.get(&order.symbol).ok_or(Reject::UnknownMarket)?;
        // Rule: A market or immediate order is rejected while the other side of the book is empty (50034 for a
        // buy, 50035 for a sell); one whose limit is not reached is accepted and canceled. Source:
        // simplified (clients report the codes without saying which is for what)
        let is_immediate =
            matches!(order.kind, SpotOrderType::Market | SpotOrderType::ImmediateOrCancel);
        if is_immediate && market.book.opposite_best(order.side).is_none() {
            return Err(Reject::EmptyBook { side: order.side });
        }
        Ok(())
    }

    /// Checks an order that is paid from a margin account.
    ///
    /// # Errors
    /// There is no margin account, or a post-only order would trade at once.
    pub fn check_margin_order(
        &self,
        account: AccountId,
        order: &NewSpotOrder,
    ) -> Result<(), Reject> {
        let owner = self.accounts.get(&account).ok_or(Reject::UnknownAccount)?;
        // Rule: A margin order needs a margin account of its pair, which a first transfer opens (51001).
        // Source: simplified (no source states how an account is opened)
        if !owner.margin.keys().any(|key| key.0 == order.symbol) {
            return Err(Reject::NoMarginAccount);
        }
        let market = self.spot.get(&order.symbol).ok_or(Reject::UnknownMarket)?;
        // Rule: A post-only margin order that would trade at once is rejected (50034, 50035), where the spot endpoint
        // accepts and cancels it. Source: documented (endpoint margin_submit_order, which contradicts itself);
        // simplified (the codes)
        if order.kind == SpotOrderType::LimitMaker
            && market.book.would_take(order.side, order.price)
        {
            return Err(Reject::PostOnlyWouldTrade { side: order.side });
        }
        Ok(())
    }

    /// Checks a new algo order.
    pub(crate) fn check_algo(&self, new: &NewAlgo) -> Result<(), Reject> {
        self.check_spot_terms(&new.terms.order)?;
        let market = self.spot.get(&new.terms.order.symbol).ok_or(Reject::UnknownMarket)?;
        market.rules.check_price(new.trigger_price)
    }
}
