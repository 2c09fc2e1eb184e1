use bitmart::rest::{self, catalog, endpoint::Method};
use bitmart::{Credentials, Environment};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = rest::Client::builder()
        .environment(Environment::from_env()?)
        .credentials(Credentials::from_env()?)
        .build()?;
    let entry = catalog::find_route(Method::Get, "/spot/quotation/v3/ticker").ok_or("unknown path")?;
    let payload = entry.encode_request(r#"{"symbol":"BTC_USDT"}"#)?;
    println!("{}", client.send_raw(&entry.metadata, payload).await?.data);
    Ok(())
}
