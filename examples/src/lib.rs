//! Shared code of the examples.

use bitmart::rest::{Client, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::ReadyLine;
use bitmart::{Credentials, Environment, dec};

/// The result type of the examples.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The exchange that an example uses.
#[derive(Debug)]
pub struct Exchange {
    /// The addresses.
    pub environment: Environment,
    /// The credentials.
    pub credentials: Credentials,
    /// The embedded sandbox, if the example runs on one.
    embedded: Option<Sandbox>,
}

/// Returns the exchange of `BITMART_ENVIRONMENT`: the ready line of a sandbox, including its key, or `live` or
/// `demo` with credentials from `BITMART_API_KEY`, `BITMART_API_SECRET` and `BITMART_API_MEMO`. If it is not
/// set, starts an embedded sandbox.
///
/// # Errors
/// The variable is invalid, credentials are missing, or the sandbox does not start.
pub async fn exchange() -> Result<Exchange> {
    let Ok(name) = std::env::var(Environment::VARIABLE) else {
        let sandbox = Sandbox::start(Config::new()).await?;
        return Ok(Exchange {
            environment: sandbox::environment(&sandbox),
            credentials: sandbox::credentials(&sandbox)?,
            embedded: Some(sandbox),
        });
    };
    let line = name.trim().trim_start_matches("sandbox:");
    let credentials = match ReadyLine::parse(line) {
        Ok(ready) => Credentials::new(ready.key(), ready.secret(), ready.memo())?,
        Err(_) => Credentials::from_env()?,
    };
    Ok(Exchange { environment: name.parse()?, credentials, embedded: None })
}

impl Exchange {
    /// Returns whether the exchange is an embedded sandbox.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Places a small order on an embedded sandbox. Does nothing on other exchanges.
    ///
    /// # Errors
    /// The order is rejected.
    pub async fn place_order_if_embedded(&self) -> Result {
        if self.is_embedded() {
            let client = Client::builder()
                .environment(self.environment.clone())
                .credentials(self.credentials.clone())
                .build()?;
            client.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(50))).await?;
        }
        Ok(())
    }
}
