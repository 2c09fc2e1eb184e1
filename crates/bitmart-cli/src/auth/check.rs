//! `auth check`: does the key work, and what may it do?

use bitmart::Environment;
use bitmart::rest::{Client, Error, account, futures, spot};
use bitmart::types::Service;

use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::output::{self, json::Json};

/// What a read proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Key, secret, memo and clock are right.
    Signature,
    /// The key is known. The futures demo has no signed read.
    Key,
}

/// A read that needs as much of the key as the environment lets a read need.
pub(crate) async fn prove(client: &Client, environment: &Environment) -> Result<Proof, Error> {
    if environment.address(Service::SpotRest).is_ok() {
        client.send(spot::ListOpenOrders::new()).await?;
        return Ok(Proof::Signature);
    }
    client.send(futures::ListAssets::new()).await?;
    Ok(Proof::Key)
}

/// Proves the key, then shows what the exchange knows of it.
pub(super) async fn run(context: &Context, profile: Option<&str>) -> Result<(), Failure> {
    let target = context.target_of(profile).await?;
    let client = target.client()?;
    match prove(&client, &target.environment).await? {
        Proof::Signature => eprintln!("key, secret and memo are right, and so is the clock"),
        Proof::Key => {
            eprintln!("the key is known; nothing that only reads needs secret and memo here");
            return Ok(());
        }
    }
    match client.send(account::QueryAccountInfo::new()).await {
        // The answer has masked keys only.
        Ok(info) => {
            let data = Json::read(info.raw())
                .map_err(|error| Failure::machine(format!("the answer: {error}")))?;
            output::print_rows(&context.view, &data)
        }
        // BitMart does not document this call, so a refusal says nothing about the key.
        Err(error) => {
            eprintln!("the exchange does not tell what it may do: {}", chain(&error));
            Ok(())
        }
    }
}
