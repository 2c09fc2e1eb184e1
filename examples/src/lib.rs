//! What the examples share.

use bitmart::rest::{Client, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::types::ReadyLine;
use bitmart::{Credentials, Environment, dec};

/// What an example returns.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Where an example connects, and with which keys.
#[derive(Debug)]
pub struct Venue {
    /// The addresses.
    pub environment: Environment,
    /// The keys.
    pub credentials: Credentials,
    /// The sandbox inside this program, if it is one.
    embedded: Option<Sandbox>,
}

/// What `BITMART_ENVIRONMENT` names: the ready line of a sandbox, whose key is taken as well, or `live` or
/// `demo` with the keys of `BITMART_API_KEY`, `BITMART_API_SECRET` and `BITMART_API_MEMO`. Where it is not set,
/// a sandbox is started inside this program.
///
/// # Errors
/// When the variable names nothing, keys are missing, or the sandbox does not start.
pub async fn venue() -> Result<Venue> {
    let Ok(named) = std::env::var(Environment::VARIABLE) else {
        let exchange = Sandbox::start(Config::new()).await?;
        return Ok(Venue {
            environment: sandbox::environment(&exchange)?,
            credentials: sandbox::credentials(&exchange)?,
            embedded: Some(exchange),
        });
    };
    let line = named.trim().trim_start_matches("sandbox:");
    let credentials = match ReadyLine::parse(line) {
        Ok(ready) => Credentials::new(ready.key(), ready.secret(), ready.memo())?,
        Err(_) => Credentials::from_env()?,
    };
    Ok(Venue { environment: named.parse()?, credentials, embedded: None })
}

impl Venue {
    /// Whether the exchange is inside this program, where nobody else trades with these keys.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Places a small order on the exchange inside this program, and on no other.
    ///
    /// # Errors
    /// When the order is refused.
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
