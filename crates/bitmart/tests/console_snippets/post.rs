use bitmart::rest::{self, endpoint::{Auth, Effect, Envelope, Host, Metadata, Method, Payload}};
use bitmart::{Credentials, Environment, types::Service};

static REQUEST: Metadata = Metadata::new("copied", Method::Post, Host::Spot, "/spot/v2/submit_order")
    .auth(Auth::Signed)
    .effect(Effect::Account)
    .envelope(Envelope::None);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = rest::Client::builder()
        .environment(Environment::from_env()?.with(Service::SpotRest, address()))
        .credentials(Credentials::from_env()?)
        .build()?;
    let mut payload = Payload::new();
    payload.raw_body(r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001","price":"30000"}"#);
    println!("{}", client.send_raw(&REQUEST, payload).await?.data);
    Ok(())
}
