//! Changing open limit orders.

use bitmart_types::{ClientOrderId, ContractSymbol, Decimal, OrderId, codec};
use serde::{Deserialize, Serialize};

use crate::protocol::validate;
use crate::{OrderRef, ValidationError};

/// Changes the price or the size of an open limit order, or both.
///
/// ```
/// use bitmart_rest::futures;
/// use bitmart_types::{OrderId, dec};
///
/// let order = OrderId::from("220906179559421");
/// let higher = futures::ModifyLimitOrder::price("BTCUSDT", &order, dec!(61000));
/// let smaller_too = futures::ModifyLimitOrder::price_and_size("BTCUSDT", &order, dec!(61000), 5);
/// ```
#[doc(alias = "/contract/private/modify-limit-order")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "a request does nothing until it is sent"]
pub struct ModifyLimitOrder {
    symbol: ContractSymbol,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "id_number_opt")]
    order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::text_opt")]
    client_order_id: Option<ClientOrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::decimal_opt")]
    price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "codec::number_opt")]
    size: Option<u64>,
}

impl ModifyLimitOrder {
    /// Sets the limit price, in the quote currency.
    pub fn price(
        symbol: impl Into<ContractSymbol>,
        order: impl Into<OrderRef>,
        price: Decimal,
    ) -> Self {
        Self::new(symbol.into(), order.into(), Some(price), None)
    }
    /// Sets the size, in whole contracts, at least 1.
    pub fn size(symbol: impl Into<ContractSymbol>, order: impl Into<OrderRef>, size: u64) -> Self {
        Self::new(symbol.into(), order.into(), None, Some(size))
    }
    /// Sets the limit price, in the quote currency, and the size, in whole contracts, at least 1.
    pub fn price_and_size(
        symbol: impl Into<ContractSymbol>,
        order: impl Into<OrderRef>,
        price: Decimal,
        size: u64,
    ) -> Self {
        Self::new(symbol.into(), order.into(), Some(price), Some(size))
    }
    fn new(
        symbol: ContractSymbol,
        order: OrderRef,
        price: Option<Decimal>,
        size: Option<u64>,
    ) -> Self {
        let (order_id, client_order_id) = order.split();
        Self { symbol, order_id, client_order_id, price, size }
    }
    pub(super) fn check(&self) -> Result<(), ValidationError> {
        validate::identifier("symbol", Some(&self.symbol))?;
        validate::named(self.order_id.as_ref(), self.client_order_id.as_ref())?;
        validate::positive("price", self.price)?;
        validate::range("size", self.size, Some(1), None)?;
        validate::required(
            "price",
            self.price.is_some() || self.size.is_some(),
            "or size must be set",
        )
    }
}

/// An optional order id as a number, which only this request has.
mod id_number_opt {
    use bitmart_types::{OrderId, codec};
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes fields this way")]
    pub(super) fn serialize<S: Serializer>(
        id: &Option<OrderId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => codec::id_number::serialize(id, serializer),
            None => serializer.serialize_none(),
        }
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OrderId>, D::Error> {
        codec::text_opt::deserialize(deserializer)
    }
}
