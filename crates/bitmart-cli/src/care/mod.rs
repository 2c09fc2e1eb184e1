//! Care with what has an effect: show it, ask, and find out what became of it.

mod preview;
pub(crate) mod prompt;

use bitmart::ClientOrderId;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::reconcile::Reconciled;
use bitmart::rest::{Client, Effect, Error, Outcome};

use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output::json::Json;
use crate::target::Target;

/// The parameters of a request, by name.
pub(crate) type Parameters = [(String, Json)];

/// The parameter's text; absent where it was not given.
fn text(parameters: &Parameters, name: &str) -> Option<String> {
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
    match entry.metadata.id {
        "spot_submit_order" | "margin_submit_order" => Some(Market::Spot),
        "futures_submit_order" => Some(Market::Futures),
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

/// Shows what will happen, and asks.
pub(crate) async fn confirm(
    context: &Context,
    target: &Target,
    client: &Client,
    entry: &EndpointEntry,
    parameters: &Parameters,
) -> Result<(), Failure> {
    let place = &target.environment.name;
    eprintln!("{} on {place}:", entry.title);
    for (name, value) in parameters {
        eprintln!("  {name:<24}{}", value.cell());
    }
    for line in preview::lines(client, entry, parameters).await {
        eprintln!("  {line}");
    }
    if context.yes {
        return Ok(());
    }
    // The amount of a withdrawal is typed again: it cannot be taken back.
    if entry.metadata.id == "account_withdraw" {
        let amount = text(parameters, "amount").unwrap_or_default();
        return prompt::again("amount", &amount);
    }
    prompt::yes(match entry.metadata.effect {
        Effect::Transfer => "move it?",
        _ => "send it?",
    })
}

/// What to tell of a request that failed: if it may have taken effect, what became of it.
pub(crate) async fn explain(
    client: &Client,
    entry: &EndpointEntry,
    parameters: &Parameters,
    id: Option<ClientOrderId>,
    error: Error,
) -> Failure {
    let unknown = error.outcome() == Outcome::Unknown && !error.is_without_effect();
    let (Some(market), Some(id), true) = (market(entry), id, unknown) else {
        return Failure::from(error);
    };
    let text_of = chain(&error);
    eprintln!("{text_of}\nasks the exchange what became of it; this takes up to 75 s ...");
    let fate = match market {
        Market::Spot => client.spot().reconcile(&id).await.map(|found| match found {
            Reconciled::Placed(order) => {
                Some(format!("order {} is {}", order.order_id, order.state))
            }
            Reconciled::NotPlaced => Some(String::new()),
            _ => None,
        }),
        Market::Futures => {
            let symbol = text(parameters, "symbol").unwrap_or_default();
            client.futures().reconcile(symbol, &id).await.map(|found| match found {
                Reconciled::Placed(order) => {
                    Some(format!("order {} is {}", order.order_id, order.state))
                }
                Reconciled::NotPlaced => Some(String::new()),
                _ => None,
            })
        }
    };
    match fate {
        Ok(Some(nothing)) if nothing.is_empty() => Failure::new(
            Exit::NotSent,
            "the exchange does not have the order and will not take it any more",
        )
        .with_advice("it is safe to place it again"),
        Ok(Some(placed)) => Failure::new(
            Exit::Refused,
            format!("the answer was lost, but the order was placed: {placed}"),
        )
        .with_advice(format!("its client order id is {}; do not place it again", id.as_str())),
        Ok(None) | Err(_) => Failure::new(
            Exit::Unknown,
            format!("the outcome of order {} is still unknown", id.as_str()),
        )
        .with_advice("look at your open orders and history before you place it again"),
    }
}
