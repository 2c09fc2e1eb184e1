//! `auth check`: checks that a key works, and prints its permissions.

use bitmart::Environment;
use bitmart::rest::{Client, Error, account, futures, spot};
use bitmart::types::Service;

use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::output::{self, json::Json};

/// What a successful read proves about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyCheck {
    /// Key, secret, memo and clock are correct.
    Signature,
    /// The key exists. The futures demo has no signed read.
    KeyOnly,
}

/// Sends the read that checks the most of a key in this environment.
pub(crate) async fn check_key(
    client: &Client,
    environment: &Environment,
) -> Result<KeyCheck, Error> {
    if environment.address(Service::SpotRest).is_ok() {
        client.send(spot::ListOpenOrders::new()).await?;
        return Ok(KeyCheck::Signature);
    }
    client.send(futures::ListBalances::new()).await?;
    Ok(KeyCheck::KeyOnly)
}

/// Checks the key, then prints what the exchange sends about it.
pub(super) async fn run(context: &Context, profile: Option<&str>) -> Result<(), Failure> {
    let target = context.target_with_profile(profile).await?;
    let client = target.client()?;
    match check_key(&client, &target.environment).await? {
        KeyCheck::Signature => eprintln!("key, secret, memo and clock are correct"),
        KeyCheck::KeyOnly => {
            eprintln!("the key exists; no read in this environment checks secret and memo");
            return Ok(());
        }
    }
    match client.send(account::QueryAccountInfo::new()).await {
        // The response contains masked keys only.
        Ok(info) => {
            let data = Json::parse(info.raw())
                .map_err(|error| Failure::io(format!("the response: {error}")))?;
            output::print_rows(&context.output, &data)
        }
        // BitMart does not document this endpoint, so an error proves nothing about the key.
        Err(error) => {
            eprintln!("the exchange does not send its permissions: {}", chain(&error));
            Ok(())
        }
    }
}
