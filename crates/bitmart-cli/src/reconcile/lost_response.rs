//! A request with an effect that failed, or whose response was not awaited.

use bitmart::rest::catalog::{EndpointEntry, Role};
use bitmart::rest::reconcile::Reconciled;
use bitmart::rest::{Client, Error, Outcome};
use bitmart::{ClientOrderId, Timestamp};

use super::{Baseline, Resolution, how_to_find_out, settle};
use crate::confirm::{Market, Parameters, order_market, parameter_text};
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::{self, json::Json};

/// A request that was sent, and what identifies it at the exchange.
pub(crate) struct SentRequest<'a> {
    pub(crate) entry: &'static EndpointEntry,
    pub(crate) parameters: &'a Parameters,
    pub(crate) id: Option<ClientOrderId>,
    /// The state before the request; `None` if no query would show its effect.
    pub(crate) baseline: Option<Baseline>,
}

/// The result of querying a request.
enum Queried {
    /// It took effect: its ids, and a description.
    TookEffect(Vec<(&'static str, String)>, String),
    NoEffect,
    /// The exchange accepted it, and then it failed: a description.
    Failed(String),
    Undetermined(String),
}

/// The failure of a request. If the request may have taken effect, queries the exchange first and prints what
/// identifies the request to standard output.
pub(crate) async fn resolve_failure(
    context: &Context,
    client: &Client,
    sent: &SentRequest<'_>,
    interrupts: &mut Interrupts,
    error: Error,
) -> Failure {
    if error.outcome() != Outcome::Unknown || error.is_without_effect() {
        return Failure::from(error);
    }
    // Read right after the request, so it is hardly later than its signature, and not earlier.
    let signed_by = client.last_signature_time();
    let why = chain(&error);
    if !sent.can_be_queried() {
        return unknown(context, sent, &why);
    }
    output::note(format_args!(
        "{why}\nquerying the exchange for the outcome; this takes about 75 s. Interrupt to stop."
    ));
    let queried = tokio::select! {
        queried = sent.query(client, signed_by) => queried,
        () = interrupts.recv() => return unknown(context, sent, "interrupted"),
    };
    match queried {
        Ok(Queried::TookEffect(data, text)) => {
            let failure =
                Failure::new(Exit::TookEffect, format!("the response was lost, but {text}"));
            print(context, "done", data, failure.with_advice("do not send it again"))
        }
        Ok(Queried::NoEffect) => Failure::new(
            Exit::NotSent,
            "the exchange does not have the request and will not accept it any more",
        )
        .with_advice("it is safe to send it again"),
        Ok(Queried::Failed(text)) => Failure::new(Exit::Rejected, text)
            .with_advice("check the balance before you send it again"),
        Ok(Queried::Undetermined(why)) => unknown(context, sent, &why),
        Err(error) => unknown(context, sent, &chain(&error)),
    }
}

/// The failure of a request that was interrupted before its response arrived.
pub(crate) fn interrupted(context: &Context, sent: &SentRequest<'_>) -> Failure {
    unknown(context, sent, "interrupted before the response arrived")
}

fn unknown(context: &Context, sent: &SentRequest<'_>, why: &str) -> Failure {
    let failure =
        Failure::new(Exit::Unknown, format!("{why}. Whether it took effect is NOT KNOWN"))
            .with_advice(how_to_find_out(sent.entry, sent.parameters));
    print(context, "unknown", sent.own_id(), failure)
}

/// Prints the data that a script needs to continue, and returns the failure.
fn print(
    context: &Context,
    outcome: &str,
    data: Vec<(&'static str, String)>,
    failure: Failure,
) -> Failure {
    if outcome == "unknown" && data.is_empty() {
        return failure;
    }
    let members = [("outcome", outcome.to_owned())].into_iter().chain(data);
    let row = members.map(|(name, value)| (name.to_owned(), Json::Text(value))).collect();
    match output::print_value(context.format(), &Json::Object(row)) {
        // If the reader is gone, the exit code still has the outcome.
        Ok(()) | Err(_) => failure,
    }
}

impl SentRequest<'_> {
    fn can_be_queried(&self) -> bool {
        self.baseline.is_some() || self.order().is_some()
    }

    /// The market and id of an order.
    fn order(&self) -> Option<(Market, &ClientOrderId)> {
        Some((order_market(self.entry)?, self.id.as_ref()?))
    }

    fn own_id(&self) -> Vec<(&'static str, String)> {
        let id = self.id.iter();
        id.map(|id| ("client_order_id", id.as_str().to_owned())).collect()
    }

    async fn query(&self, client: &Client, signed_by: Timestamp) -> Result<Queried, Error> {
        match self.order() {
            Some((Market::Spot, id)) => {
                let reconciled = client.spot().reconcile(id).await?;
                Ok(self.queried_order(reconciled, |order| {
                    (order.order_id.to_string(), order.state.to_string())
                }))
            }
            Some((Market::Futures, id)) => {
                let symbol = parameter_text(self.parameters, "symbol").unwrap_or_default();
                let reconciled = client.futures().reconcile(symbol, id).await?;
                Ok(self.queried_order(reconciled, |order| {
                    (order.order_id.to_string(), order.state.to_string())
                }))
            }
            None => self.query_history(client, signed_by).await,
        }
    }

    fn queried_order<T>(
        &self,
        reconciled: Reconciled<T>,
        id_and_state: impl Fn(&T) -> (String, String),
    ) -> Queried {
        match reconciled {
            Reconciled::Placed(order) => {
                let (order_id, state) = id_and_state(&order);
                let text = format!("the order was placed: order {order_id} is {state}");
                let mut data = vec![("order_id", order_id), ("state", state)];
                data.extend(self.own_id());
                Queried::TookEffect(data, text)
            }
            Reconciled::NotPlaced => Queried::NoEffect,
            _ => Queried::Undetermined("the exchange does not list enough orders".to_owned()),
        }
    }

    async fn query_history(&self, client: &Client, signed_by: Timestamp) -> Result<Queried, Error> {
        let id = self.entry.metadata.id;
        let Some(baseline) = &self.baseline else {
            return Ok(Queried::Undetermined("no query shows its effect".to_owned()));
        };
        Ok(match settle(client, id, self.parameters, baseline, signed_by).await? {
            Resolution::Done(evidence) if self.entry.role == Some(Role::Withdraw) => {
                let text = format!("the withdrawal was accepted with the id {evidence}");
                Queried::TookEffect(vec![("withdraw_id", evidence)], text)
            }
            Resolution::Done(evidence) => {
                let text = format!("it took effect: {evidence}");
                Queried::TookEffect(vec![("shown", evidence)], text)
            }
            Resolution::NotDone => Queried::NoEffect,
            Resolution::Failed(id) => Queried::Failed(format!(
                "the exchange accepted it as {id}, and it failed or was canceled"
            )),
            Resolution::Undetermined(why) => Queried::Undetermined(why),
        })
    }
}
