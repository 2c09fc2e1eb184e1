use bitmart::rest::{self, catalog, endpoint::Method};
use bitmart::{Credentials, Environment};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = rest::Client::builder()
        .environment(Environment::from_env()?)
        .credentials(Credentials::from_env()?)
        .build()?;
    let entry = catalog::find_route(Method::Post, "/spot/v2/submit_order").ok_or("unknown path")?;
    let payload = entry.encode_request(r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001","price":"30000"}"#)?;
    println!("{}", client.send_raw(&entry.metadata, payload).await?.data);
    Ok(())
}
