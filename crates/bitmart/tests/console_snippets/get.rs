use bitmart::rest::{self, endpoint::{Auth, Effect, Envelope, Host, Metadata, Method, Payload}};
use bitmart::{Credentials, Environment, types::Service};

static REQUEST: Metadata = Metadata::new("copied", Method::Get, Host::Spot, "/spot/quotation/v3/ticker")
    .auth(Auth::None)
    .effect(Effect::Read)
    .envelope(Envelope::None);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = rest::Client::builder()
        .environment(Environment::from_env()?.with(Service::SpotRest, address()))
        .credentials(Credentials::from_env()?)
        .build()?;
    let mut payload = Payload::new();
    payload.query("symbol", "BTC_USDT");
    println!("{}", client.send_raw(&REQUEST, payload).await?.data);
    Ok(())
}
