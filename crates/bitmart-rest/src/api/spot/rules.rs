//! The limits of an order, taken from the details of the pair.

use bitmart_types::{Decimal, Side, Symbol};

use super::{NewOrder, SymbolInfo};
use crate::ValidationError;
use crate::api::spot::TradeStatus;
use crate::api::step;
use crate::protocol::validate;

/// Maximum number of decimal places of a `Decimal`.
const PLACES_MAX: u32 = 28;

/// The rules of a pair: steps of price and size, minimum size and minimum amounts. They round and check
/// an order before it is sent.
///
/// They apply to orders on spot and margin, and to the orders that algo orders become. Rules change, and
/// the exchange checks with the current ones: fetch them from time to time.
///
/// ```no_run
/// use bitmart_rest::{Client, spot};
/// use bitmart_types::dec;
///
/// # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let details = client.spot().symbol_details().await?;
/// let rules = spot::OrderRules::new(details.find("BTC_USDT").ok_or("it is not listed")?)?;
///
/// // As much as 250 USDT buy at about 60,000.
/// let price = rules.round_price_down(dec!(60000.12345));
/// let size = rules.size_worth(dec!(250), price).ok_or("a price is above zero")?;
/// let order = spot::NewOrder::limit_buy("BTC_USDT", size, price);
/// rules.check_order(&order)?;
/// client.spot().submit_order(order).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRules {
    symbol: Symbol,
    status: Option<TradeStatus>,
    price_step: Decimal,
    size_step: Decimal,
    min_size: Decimal,
    max_size: Option<Decimal>,
    min_buy_amount: Decimal,
    min_sell_amount: Decimal,
}

impl OrderRules {
    /// The rules of a pair.
    ///
    /// The step of the price follows from `price_max_precision`. The step of the size is
    /// `quote_increment`, which is in the base currency despite its name: BitMart documents it as the
    /// step of the order's size, and observed rows confirm that (`BTC_USDT` has
    /// 0.00001 with prices of two decimal places).
    ///
    /// # Errors
    /// When the exchange does not send the places of the price, the least size or a least amount:
    /// there are no rules to check with.
    pub fn new(pair: &SymbolInfo) -> Result<Self, ValidationError> {
        Ok(Self {
            symbol: pair.symbol.clone(),
            status: pair.trade_status.clone(),
            price_step: step_of(validate::present(
                "price_max_precision",
                pair.price_max_precision,
            )?),
            size_step: pair.size_step.normalize(),
            min_size: validate::present("base_min_size", pair.min_size)?.normalize(),
            max_size: pair.max_size.map(|size| size.normalize()),
            min_buy_amount: validate::present("min_buy_amount", pair.min_buy_notional)?.normalize(),
            min_sell_amount: validate::present("min_sell_amount", pair.min_sell_notional)?
                .normalize(),
        })
    }
    /// Pair.
    pub fn symbol(&self) -> &Symbol {
        &self.symbol
    }
    /// Whether it trades; `None` if the exchange does not send it. A delisted pair is not in the list.
    pub fn is_trading(&self) -> Option<bool> {
        self.status.as_ref().map(|status| *status == TradeStatus::Trading)
    }
    /// Step of prices, in the quote currency.
    pub fn price_step(&self) -> Decimal {
        self.price_step
    }
    /// Step of sizes, in the base currency.
    pub fn size_step(&self) -> Decimal {
        self.size_step
    }
    /// Least size of an order, in the base currency.
    pub fn min_size(&self) -> Decimal {
        self.min_size
    }
    /// Maximum size of an order, in the base currency. Observed, not documented.
    pub fn max_size(&self) -> Option<Decimal> {
        self.max_size
    }
    /// Least amount of a buy or a sell order, in the quote currency: size times price, or what a
    /// market buy spends.
    pub fn min_amount(&self, side: &Side) -> Decimal {
        match side {
            Side::Sell => self.min_sell_amount,
            _ => self.min_buy_amount,
        }
    }

    /// The greatest price on the step that is not above `price`: not worse for a buyer.
    pub fn round_price_down(&self, price: Decimal) -> Decimal {
        step::round_down(price, self.price_step)
    }
    /// The least price on the step that is not below `price`: not worse for a seller.
    pub fn round_price_up(&self, price: Decimal) -> Decimal {
        step::round_up(price, self.price_step)
    }
    /// The greatest size on the step that is not above `size`. May be below
    /// [`min_size`](Self::min_size).
    pub fn round_size_down(&self, size: Decimal) -> Decimal {
        step::round_down(size, self.size_step)
    }
    /// The greatest size on the step that costs no more than `notional` at `price`, without fees;
    /// both in the quote currency. `None` when the price is not above zero or the size passes the
    /// range of a decimal.
    pub fn size_worth(&self, notional: Decimal, price: Decimal) -> Option<Decimal> {
        validate::positive("price", price).ok()?;
        let notional = notional.max(Decimal::ZERO);
        let size = self.round_size_down(notional.checked_div(price)?);
        // The quotient is rounded to 28 digits, possibly upwards.
        let too_much = size.checked_mul(price)? > notional;
        Some(if too_much { size.saturating_sub(self.size_step) } else { size })
    }
    /// The least size on the step that satisfies all minimums at `price`, in the base currency. `None`
    /// when the price is not above zero or the size passes the range of a decimal.
    pub fn least_size(&self, side: &Side, price: Decimal) -> Option<Decimal> {
        validate::positive("price", price).ok()?;
        let worth = self.min_amount(side).checked_div(price)?;
        let size = step::round_up(worth.max(self.min_size), self.size_step);
        let too_little = size.checked_mul(price)? < self.min_amount(side);
        Some(if too_little { size.saturating_add(self.size_step) } else { size })
    }

    /// Checks a price.
    ///
    /// # Errors
    /// When it is not above zero, or not on the step: the exchange cuts further decimal places off
    /// without an error.
    pub fn check_price(&self, price: Decimal) -> Result<(), ValidationError> {
        validate::positive("price", price)?;
        step::check("price", price, self.price_step)
    }
    /// Checks a size.
    ///
    /// # Errors
    /// When it is below the least size, above the greatest or not on the step.
    pub fn check_size(&self, size: Decimal) -> Result<(), ValidationError> {
        validate::positive("size", size)?;
        validate::range("size", size, Some(self.min_size), self.max_size)?;
        step::check("size", size, self.size_step)
    }
    /// Checks what a market buy spends.
    ///
    /// # Errors
    /// When it is below the least amount of a buy.
    pub fn check_notional(&self, notional: Decimal) -> Result<(), ValidationError> {
        validate::positive("notional", notional)?;
        validate::range("notional", notional, Some(self.min_buy_amount), None)
    }
    /// Checks that the pair trades, if the exchange sends its state, and that price, size and amount are
    /// within its rules. The amount of a market sell is not known in advance, and not checked.
    ///
    /// # Errors
    /// When a rule is broken: the error names the parameter, the rule and its limit.
    pub fn check_order(&self, order: &NewOrder) -> Result<(), ValidationError> {
        let symbol = order.symbol();
        if *symbol != self.symbol {
            let rule = format!("must be {}, the pair of these rules", self.symbol);
            return Err(ValidationError::new("symbol", symbol, rule));
        }
        if let Some(status) = self.status.as_ref().filter(|status| **status != TradeStatus::Trading)
        {
            let rule = format!("must be a trading pair, but its state is {status}");
            return Err(ValidationError::new("symbol", symbol, rule));
        }
        if let Some(price) = order.price() {
            self.check_price(price)?;
        }
        if let Some(size) = order.size() {
            self.check_size(size)?;
        }
        if let Some(notional) = order.notional() {
            self.check_notional(notional)?;
        }
        match (order.size(), order.price()) {
            (Some(size), Some(price)) => self.check_amount(order.side(), size, price),
            _ => Ok(()),
        }
    }

    fn check_amount(
        &self,
        side: &Side,
        size: Decimal,
        price: Decimal,
    ) -> Result<(), ValidationError> {
        let least = self.min_amount(side);
        match size.checked_mul(price) {
            Some(amount) if amount < least => {
                let rule = format!("times price must be at least {least} for a {side} order");
                Err(ValidationError::new("size", amount.normalize(), rule))
            }
            _ => Ok(()),
        }
    }
}

/// Returns the step of prices with `places` decimal places; tens, hundreds and so on when negative.
fn step_of(places: i32) -> Decimal {
    let digits = places.unsigned_abs().min(PLACES_MAX);
    let least = Decimal::new(1, digits);
    if places < 0 { Decimal::ONE / least } else { least }
}

#[cfg(test)]
mod tests;
