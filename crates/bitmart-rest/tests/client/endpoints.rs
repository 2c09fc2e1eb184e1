//! Endpoints and a client for tests.

use bitmart_rest::endpoint::{
    Auth, Effect, EncodeError, Endpoint, Host, Metadata, Method, Payload,
};
use bitmart_rest::{Client, ClientBuilder};
use bitmart_types::{Environment, Service};

/// Places an order.
#[derive(Clone, serde::Serialize)]
pub(crate) struct PlaceOrder {
    pub(crate) symbol: &'static str,
}

/// A request with an effect, a write.
pub(crate) const PLACE_ORDER: PlaceOrder = PlaceOrder { symbol: "BTC_USDT" };

#[derive(Debug, serde::Deserialize)]
pub(crate) struct PlacedOrder {
    pub(crate) order_id: String,
}

impl Endpoint for PlaceOrder {
    type Response = PlacedOrder;
    const METADATA: Metadata = Metadata::new("place_order", Method::Post, Host::Spot, "/place")
        .auth(Auth::Signed)
        .effect(Effect::Trade);
    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
        payload.json(self)
    }
}

/// Reads an order, without credentials.
pub(crate) struct ReadOrder;

impl Endpoint for ReadOrder {
    type Response = PlacedOrder;
    const METADATA: Metadata = Metadata::new("read_order", Method::Get, Host::Spot, "/order");
    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
        payload.query("id", 7);
        Ok(())
    }
}

/// Reads an order with a signed `POST`, as version 4 of the API does.
pub(crate) struct SignedRead;

impl Endpoint for SignedRead {
    type Response = PlacedOrder;
    const METADATA: Metadata =
        Metadata::new("signed_read", Method::Post, Host::Spot, "/signed_read").auth(Auth::Signed);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// A successful response to all of these endpoints.
pub(crate) const ORDER_RESPONSE: &str =
    r#"{"code":1000,"message":"OK","trace":"t1","data":{"order_id":"7"}}"#;

/// A client builder with dummy credentials and the spot host at `address`.
pub(crate) fn client(address: &str) -> ClientBuilder {
    let credentials = bitmart_auth::Credentials::new("key", "secret", "memo").unwrap();
    Client::builder()
        .environment(Environment::custom("test").with(Service::SpotRest, address))
        .credentials(credentials)
}
