use bitmart::rest::{self, catalog, endpoint::Method};
use bitmart::{Credentials, Environment};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = rest::Client::builder()
        .environment(Environment::from_env()?)
        .credentials(Credentials::from_env()?)
        .build()?;
    let entry = catalog::find_route(Method::Post, "/contract/private/submit-order").ok_or("unknown path")?;
    let payload = entry.encode_request(r#"{"symbol":"BTCUSDT","type":"limit","side":1,"leverage":"10","open_type":"cross","price":"30000","size":1}"#)?;
    println!("{}", client.send_raw(&entry.metadata, payload).await?.data);
    Ok(())
}
