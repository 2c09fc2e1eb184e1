//! Preview and confirmation of requests with an effect. What may lose the money of a withdrawal is confirmed apart from
//! the request itself.

pub(crate) mod address;
mod preview;
pub(crate) mod prompt;
pub(crate) mod withdrawal;

use bitmart::ClientOrderId;
use bitmart::rest::Client;
use bitmart::rest::catalog::{EndpointEntry, Role};
use bitmart::rest::endpoint::{Effect, Host};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::json::Json;
use crate::target::Target;

/// The parameters of a request by name.
pub(crate) type Parameters = [(String, Json)];

/// The text of a parameter, if it was given.
pub(crate) fn parameter_text(parameters: &Parameters, name: &str) -> Option<String> {
    let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
    Some(value.cell())
}

/// The market of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Market {
    Spot,
    Futures,
}

/// The market of an endpoint that places an order; `None` for other endpoints.
pub(crate) fn order_market(entry: &EndpointEntry) -> Option<Market> {
    match (entry.role?, entry.metadata.host) {
        (Role::PlaceOrder, Host::Futures) => Some(Market::Futures),
        (Role::PlaceOrder, _) => Some(Market::Spot),
        _ => None,
    }
}

/// Adds a client order id to an order without one, so that the order can be queried if its response is lost.
pub(crate) fn ensure_client_order_id(
    entry: &EndpointEntry,
    parameters: &mut Vec<(String, Json)>,
) -> Option<ClientOrderId> {
    order_market(entry)?;
    let names = ["client_order_id", "clientOrderId"];
    let name = entry.parameters.iter().find(|one| names.contains(&one.name))?.name;
    if let Some(given) = parameter_text(parameters, name) {
        return ClientOrderId::new(given).ok();
    }
    let id = ClientOrderId::random();
    parameters.push((name.to_owned(), Json::Text(id.as_str().to_owned())));
    Some(id)
}

/// Prints a preview and asks for confirmation. `sure` is the option `--sure`, which accepts the risks of a withdrawal.
pub(crate) async fn confirm(
    context: &Context,
    target: &Target,
    client: &Client,
    entry: &EndpointEntry,
    parameters: &Parameters,
    sure: bool,
) -> Result<(), Failure> {
    eprintln!("{} on {}:", entry.title, target.environment.name);
    for (name, value) in parameters {
        eprintln!("  {name:<24}{}", value.cell());
    }
    for line in preview::lines(client, entry, parameters).await {
        eprintln!("  {line}");
    }
    let is_withdrawal = entry.role == Some(Role::Withdraw);
    if is_withdrawal {
        let preview = withdrawal::preview(client, parameters).await;
        for line in preview.lines {
            eprintln!("  {line}");
        }
        confirm_risks(context, &preview.risks, sure)?;
    }
    if context.yes {
        return Ok(());
    }
    // A withdrawal cannot be reversed, so its amount is typed again.
    if is_withdrawal {
        let amount = parameter_text(parameters, "amount").unwrap_or_default();
        return prompt::retype("amount", &amount);
    }
    prompt::confirm(match entry.metadata.effect {
        Effect::Transfer => "move it?",
        _ => "send it?",
    })
}

/// Risks need a confirmation of their own: `--yes` does not cover what may lose the money.
fn confirm_risks(context: &Context, risks: &[String], sure: bool) -> Result<(), Failure> {
    for risk in risks {
        eprintln!("  RISK: {risk}");
    }
    if risks.is_empty() || sure {
        return Ok(());
    }
    if context.yes || !prompt::is_interactive() {
        let text = format!("nothing was sent: {}", risks.join("; "));
        return Err(Failure::new(Exit::NotConfirmed, text).with_advice(
            "add --sure to send it anyway; a transfer on a blockchain cannot be reversed",
        ));
    }
    prompt::retype("word sure, to send it anyway,", "sure")
}
