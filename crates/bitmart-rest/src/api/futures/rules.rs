//! The limits of an order, taken from the contract.

use bitmart_types::{ContractSymbol, Decimal};
use rust_decimal::prelude::ToPrimitive as _;

use super::order_to_check::OrderToCheck;
use super::{Contract, NewOrder, NewPlanOrder, NewTpSlOrder, NewTrailingOrder};
use crate::ValidationError;
use crate::api::futures::{ContractStatus, ContractType};
use crate::api::step;
use crate::protocol::validate;

/// The rules of a contract: steps, ranges and the value of a contract. They round and check an order
/// before it is sent.
///
/// Rules change, and the exchange checks with the current ones: fetch them from time to time.
///
/// ```no_run
/// use bitmart_rest::{Client, futures};
/// use bitmart_types::dec;
///
/// # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let contracts = client.futures().contracts(futures::ListContracts::new().symbol("BTCUSDT")).await?;
/// let rules = futures::OrderRules::new(contracts.find("BTCUSDT").ok_or("no such contract")?)?;
///
/// // As many contracts as 1,000 USDT buy at about 60,000.
/// let price = rules.round_price_down(dec!(60000.123));
/// let size = rules.size_worth(dec!(1000), price).ok_or("out of range")?;
/// let order = futures::NewOrder::open_long("BTCUSDT", size, futures::Execution::Limit(price));
/// rules.check_order(&order)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRules {
    symbol: ContractSymbol,
    status: Option<ContractStatus>,
    contract_type: ContractType,
    contract_size: Decimal,
    price_step: Decimal,
    size_step: Decimal,
    min_size: Option<Decimal>,
    max_size: Option<Decimal>,
    max_market_size: Option<Decimal>,
    min_leverage: Option<Decimal>,
    max_leverage: Option<Decimal>,
}

impl OrderRules {
    /// The rules of `contract`.
    ///
    /// The row does not state the margin currency. A contract that is quoted in USD is assumed to be
    /// coin-margined, any other to be margined in its quote currency; see
    /// [`with_contract_type`](Self::with_contract_type).
    ///
    /// # Errors
    /// When the exchange does not send the quote currency or the step of prices or sizes: there are
    /// no rules to check with.
    pub fn new(contract: &Contract) -> Result<Self, ValidationError> {
        let quote = validate::present("quote_currency", contract.quote_currency.as_ref())?;
        let contract_type = match quote.as_str() {
            "USD" => ContractType::Coin,
            _ => ContractType::Usdt,
        };
        Ok(Self {
            symbol: contract.symbol.clone(),
            status: contract.status.clone(),
            contract_type,
            contract_size: contract.contract_size,
            price_step: validate::present("price_precision", contract.price_step)?,
            size_step: validate::present("vol_precision", contract.size_step)?,
            min_size: contract.min_size,
            max_size: contract.max_size,
            max_market_size: contract.max_market_size,
            min_leverage: contract.min_leverage,
            max_leverage: contract.max_leverage,
        })
    }
    /// Sets the margin currency of the contract.
    #[must_use]
    pub fn with_contract_type(mut self, contract_type: ContractType) -> Self {
        self.contract_type = contract_type;
        self
    }
    /// Contract.
    pub fn symbol(&self) -> &ContractSymbol {
        &self.symbol
    }
    /// Whether it trades; `None` if the exchange does not send it. Most contracts of the full list are
    /// delisted.
    pub fn is_trading(&self) -> Option<bool> {
        self.status.as_ref().map(|status| *status == ContractStatus::Trading)
    }
    /// The margin currency of the contract.
    pub fn contract_type(&self) -> &ContractType {
        &self.contract_type
    }
    /// Value of one contract: in the base currency, on a coin-margined contract in the quote
    /// currency.
    pub fn contract_size(&self) -> Decimal {
        self.contract_size
    }
    /// Step of prices, in the quote currency.
    pub fn price_step(&self) -> Decimal {
        self.price_step
    }
    /// Step of sizes, in contracts.
    pub fn size_step(&self) -> Decimal {
        self.size_step
    }
    /// Smallest order, in contracts; `None` if the exchange does not send it.
    pub fn min_size(&self) -> Option<Decimal> {
        self.min_size
    }
    /// Largest limit order, in contracts; `None` if the exchange does not send it.
    pub fn max_size(&self) -> Option<Decimal> {
        self.max_size
    }
    /// Largest market order, in contracts; `None` if the exchange does not send it.
    pub fn max_market_size(&self) -> Option<Decimal> {
        self.max_market_size
    }
    /// Least and greatest leverage; `None` if the exchange does not send it. Large positions may have
    /// less: see
    /// [`ListLeverageBrackets`](super::ListLeverageBrackets).
    pub fn leverage(&self) -> (Option<Decimal>, Option<Decimal>) {
        (self.min_leverage, self.max_leverage)
    }

    /// The greatest price on the step that is not above `price`.
    pub fn round_price_down(&self, price: Decimal) -> Decimal {
        step::round_down(price, self.price_step)
    }
    /// The least price on the step that is not below `price`.
    pub fn round_price_up(&self, price: Decimal) -> Decimal {
        step::round_up(price, self.price_step)
    }
    /// The greatest size on the step that is not above `size`, in whole contracts. 0 when there is
    /// none; `None` when it passes 64 bits.
    pub fn round_size_down(&self, size: Decimal) -> Option<u64> {
        step::round_down(size.max(Decimal::ZERO), self.size_step).to_u64()
    }

    /// Value of `size` contracts at `price`, in the quote currency. On a coin-margined contract the
    /// price does not matter. `None` when it passes the range of a decimal.
    pub fn notional(&self, size: u64, price: Decimal) -> Option<Decimal> {
        let value = self.contract_size.checked_mul(size.into())?;
        match self.contract_type {
            ContractType::Coin => Some(value),
            _ => value.checked_mul(price),
        }
    }
    /// Value of `size` contracts at `price`, in the base currency. `None` when it passes the range
    /// of a decimal, and for a coin-margined contract at the price 0.
    pub fn base_amount(&self, size: u64, price: Decimal) -> Option<Decimal> {
        let value = self.contract_size.checked_mul(size.into())?;
        match self.contract_type {
            ContractType::Coin => value.checked_div(price),
            _ => Some(value),
        }
    }
    /// As many contracts, on the step, as are worth no more than `notional` at `price`; both in the
    /// quote currency. `None` when it passes 64 bits or when a contract is worth nothing, as at a
    /// price below zero.
    pub fn size_worth(&self, notional: Decimal, price: Decimal) -> Option<u64> {
        let value = self.notional(1, price).filter(|value| *value > Decimal::ZERO)?;
        self.round_size_down(notional.checked_div(value)?)
    }

    /// Checks a price.
    ///
    /// # Errors
    /// When it is not above zero or not on the step.
    pub fn check_price(&self, price: Decimal) -> Result<(), ValidationError> {
        self.check_price_of("price", price)
    }
    /// Checks the size of a limit order, in contracts.
    ///
    /// # Errors
    /// When it is not on the step or out of range.
    pub fn check_size(&self, size: u64) -> Result<(), ValidationError> {
        self.check_size_up_to(size, self.max_size)
    }
    /// Checks the size of a market order, in contracts.
    ///
    /// # Errors
    /// When it is not on the step or out of range.
    pub fn check_market_size(&self, size: u64) -> Result<(), ValidationError> {
        self.check_size_up_to(size, self.max_market_size)
    }
    /// Checks a leverage.
    ///
    /// # Errors
    /// When it is out of range.
    pub fn check_leverage(&self, leverage: Decimal) -> Result<(), ValidationError> {
        validate::range("leverage", leverage, self.min_leverage, self.max_leverage)
    }
    /// Checks that the contract trades, if the exchange sends its state, and that prices, size and
    /// leverage are within its rules.
    ///
    /// # Errors
    /// When a rule is broken; the error names the parameter.
    pub fn check_order(&self, order: &NewOrder) -> Result<(), ValidationError> {
        self.check(&order.order_to_check())
    }
    /// Checks a plan order like [`check_order`](Self::check_order).
    ///
    /// # Errors
    /// When a rule is broken; the error names the parameter.
    pub fn check_plan_order(&self, order: &NewPlanOrder) -> Result<(), ValidationError> {
        self.check(&order.order_to_check())
    }
    /// Checks a take-profit or a stop-loss like [`check_order`](Self::check_order).
    ///
    /// # Errors
    /// When a rule is broken; the error names the parameter.
    pub fn check_tp_sl_order(&self, order: &NewTpSlOrder) -> Result<(), ValidationError> {
        self.check(&order.order_to_check())
    }
    /// Checks a trailing order like [`check_order`](Self::check_order).
    ///
    /// # Errors
    /// When a rule is broken; the error names the parameter.
    pub fn check_trailing_order(&self, order: &NewTrailingOrder) -> Result<(), ValidationError> {
        self.check(&order.order_to_check())
    }

    fn check(&self, order: &OrderToCheck<'_>) -> Result<(), ValidationError> {
        if *order.symbol != self.symbol {
            let rule = format!("must be {}, the contract of these rules", self.symbol);
            return Err(ValidationError::new("symbol", order.symbol, rule));
        }
        if self.is_trading() == Some(false) {
            return Err(ValidationError::new("symbol", order.symbol, "must be a trading contract"));
        }
        if let Some(size) = order.size {
            if order.is_market {
                self.check_market_size(size)?;
            } else {
                self.check_size(size)?;
            }
        }
        if let Some(leverage) = order.leverage {
            self.check_leverage(leverage)?;
        }
        for (field, price) in order.prices {
            if let Some(price) = price {
                self.check_price_of(field, price)?;
            }
        }
        Ok(())
    }
    fn check_price_of(&self, field: &'static str, price: Decimal) -> Result<(), ValidationError> {
        validate::positive(field, price)?;
        step::check(field, price, self.price_step)
    }
    fn check_size_up_to(&self, size: u64, max: Option<Decimal>) -> Result<(), ValidationError> {
        let size = Decimal::from(size);
        validate::range("size", size, self.min_size, max)?;
        step::check("size", size, self.size_step)
    }
}

#[cfg(test)]
mod tests;
