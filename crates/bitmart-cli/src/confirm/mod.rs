//! What has an effect is shown and asked for; and when its response is lost, what became of it is found out.

pub(crate) mod address;
mod lost;
mod preview;
pub(crate) mod prompt;
pub(crate) mod withdrawal;

use bitmart::ClientOrderId;
use bitmart::rest::catalog::{EndpointEntry, Role};
use bitmart::rest::{Client, Effect, Host};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::json::Json;
use crate::target::Target;

pub(crate) use lost::{Sent, given_up, lost};

/// The parameters of a request, by name.
pub(crate) type Parameters = [(String, Json)];

/// The parameter's text; absent where it was not given.
pub(crate) fn text(parameters: &Parameters, name: &str) -> Option<String> {
    let (_, value) = parameters.iter().find(|(known, _)| known == name)?;
    Some(value.cell())
}

/// The market whose orders can be asked for by client order id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Market {
    Spot,
    Futures,
}

fn market(entry: &EndpointEntry) -> Option<Market> {
    match (entry.role?, entry.metadata.host) {
        (Role::PlaceOrder, Host::Futures) => Some(Market::Futures),
        (Role::PlaceOrder, _) => Some(Market::Spot),
        _ => None,
    }
}

/// Gives an order a client order id unless it has one, so that it can be asked for whatever happens.
pub(crate) fn name_order(
    entry: &EndpointEntry,
    parameters: &mut Vec<(String, Json)>,
) -> Option<ClientOrderId> {
    market(entry)?;
    let names = ["client_order_id", "clientOrderId"];
    let name = entry.parameters.iter().find(|one| names.contains(&one.name))?.name;
    if let Some(given) = text(parameters, name) {
        return ClientOrderId::new(given).ok();
    }
    let id = ClientOrderId::random();
    parameters.push((name.to_owned(), Json::Text(id.as_str().to_owned())));
    Some(id)
}

/// Shows what will happen, and asks. `sure` is for what looks wrong.
pub(crate) async fn confirm(
    context: &Context,
    target: &Target,
    client: &Client,
    entry: &EndpointEntry,
    parameters: &Parameters,
    sure: bool,
) -> Result<(), Failure> {
    let place = &target.environment.name;
    eprintln!("{} on {place}:", entry.title);
    for (name, value) in parameters {
        eprintln!("  {name:<24}{}", value.cell());
    }
    for line in preview::lines(client, entry, parameters).await {
        eprintln!("  {line}");
    }
    let is_withdrawal = entry.role == Some(Role::Withdraw);
    if is_withdrawal {
        let checked = withdrawal::check(client, parameters).await;
        for line in checked.lines {
            eprintln!("  {line}");
        }
        confirm_doubts(context, &checked.doubts, sure)?;
    }
    if context.yes {
        return Ok(());
    }
    // The amount of a withdrawal is typed again: it cannot be taken back.
    if is_withdrawal {
        let amount = text(parameters, "amount").unwrap_or_default();
        return prompt::again("amount", &amount);
    }
    prompt::yes(match entry.metadata.effect {
        Effect::Transfer => "move it?",
        _ => "send it?",
    })
}

/// `--yes` does not cover what may lose the money.
fn confirm_doubts(context: &Context, doubts: &[String], sure: bool) -> Result<(), Failure> {
    for doubt in doubts {
        eprintln!("  DOUBT: {doubt}");
    }
    if doubts.is_empty() || sure {
        return Ok(());
    }
    if context.yes || !prompt::is_somebody_there() {
        let text = format!("nothing was sent: {}", doubts.join("; "));
        return Err(Failure::new(Exit::NotConfirmed, text)
            .with_advice("add --sure to send it all the same; on a chain nothing comes back"));
    }
    prompt::again("word sure, if it is right all the same,", "sure")
}
