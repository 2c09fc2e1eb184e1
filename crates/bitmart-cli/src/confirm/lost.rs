//! A request with an effect that failed, or whose response nobody waited for.

use bitmart::ClientOrderId;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::reconcile::Reconciled;
use bitmart::rest::{Client, Error, Outcome};

use super::{Market, Parameters, market, text};
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::outcome::{Before, Fate, how_to_find_out, settle};
use crate::output::{self, json::Json};

/// A request that was sent, and what it can be known by.
pub(crate) struct Sent<'a> {
    pub(crate) entry: &'static EndpointEntry,
    pub(crate) parameters: &'a Parameters,
    pub(crate) id: Option<ClientOrderId>,
    /// What there was before; `None` where nothing would show it.
    pub(crate) before: Option<Before>,
}

/// What the exchange tells of it.
enum Answer {
    /// Its data, and the same in words.
    There(Vec<(&'static str, String)>, String),
    NotThere,
    Unclear(String),
}

/// What to tell of a request that failed: if it may have taken effect, what became of it. Data about it goes
/// to standard output.
pub(crate) async fn lost(
    context: &Context,
    client: &Client,
    sent: &Sent<'_>,
    interrupts: &mut Interrupts,
    error: Error,
) -> Failure {
    if error.outcome() != Outcome::Unknown || error.is_without_effect() {
        return Failure::from(error);
    }
    let why = chain(&error);
    if !sent.can_be_asked_for() {
        return unknown(context, sent, &why);
    }
    eprintln!(
        "{why}\nasking the exchange what became of it; this takes up to 75 s. Interrupt to stop asking."
    );
    let answer = tokio::select! {
        answer = sent.ask(client) => answer,
        () = interrupts.recv() => return unknown(context, sent, "interrupted"),
    };
    match answer {
        Ok(Answer::There(data, words)) => {
            let failure =
                Failure::new(Exit::TookEffect, format!("the response was lost, but {words}"));
            print(context, "done", data, failure.with_advice("do not send it again"))
        }
        Ok(Answer::NotThere) => Failure::new(
            Exit::NotSent,
            "the exchange does not have it and will not take it any more",
        )
        .with_advice("it is safe to send it again"),
        Ok(Answer::Unclear(why)) => unknown(context, sent, &why),
        Err(error) => unknown(context, sent, &chain(&error)),
    }
}

/// What to tell of a request whose response nobody waited for.
pub(crate) fn given_up(context: &Context, sent: &Sent<'_>) -> Failure {
    unknown(context, sent, "interrupted before the response came")
}

fn unknown(context: &Context, sent: &Sent<'_>, why: &str) -> Failure {
    let failure =
        Failure::new(Exit::Unknown, format!("{why}. Whether it took effect is NOT KNOWN"))
            .with_advice(how_to_find_out(sent.entry, sent.parameters));
    print(context, "unknown", sent.own_id(), failure)
}

/// Prints what a script needs to go on. When that fails, that is the failure.
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
    match output::print_value(context.format, &Json::Object(row)) {
        // Whoever read the data has gone; the code still tells.
        Ok(()) | Err(_) => failure,
    }
}

impl Sent<'_> {
    fn can_be_asked_for(&self) -> bool {
        self.before.is_some() || self.market().is_some()
    }

    fn market(&self) -> Option<(Market, &ClientOrderId)> {
        Some((market(self.entry)?, self.id.as_ref()?))
    }

    fn own_id(&self) -> Vec<(&'static str, String)> {
        let id = self.id.iter();
        id.map(|id| ("client_order_id", id.as_str().to_owned())).collect()
    }

    async fn ask(&self, client: &Client) -> Result<Answer, Error> {
        let found = match self.market() {
            Some((Market::Spot, id)) => client.spot().reconcile(id).await?.into(),
            Some((Market::Futures, id)) => {
                let symbol = text(self.parameters, "symbol").unwrap_or_default();
                client.futures().reconcile(symbol, id).await?.into()
            }
            None => return self.ask_history(client).await,
        };
        Ok(match found {
            Found::Placed { order_id, state } => {
                let words = format!("the order was placed: order {order_id} is {state}");
                let mut data = vec![("order_id", order_id), ("state", state)];
                data.extend(self.own_id());
                Answer::There(data, words)
            }
            Found::NotPlaced => Answer::NotThere,
            Found::Unclear => {
                Answer::Unclear("the exchange does not list enough orders to tell".to_owned())
            }
        })
    }

    async fn ask_history(&self, client: &Client) -> Result<Answer, Error> {
        let id = self.entry.metadata.id;
        let Some(before) = &self.before else {
            return Ok(Answer::Unclear("nothing would show it".to_owned()));
        };
        Ok(match settle(client, id, self.parameters, before).await? {
            Fate::Done(what) if id == "account_withdraw" => {
                let words = format!("the withdrawal was taken: it is number {what}");
                Answer::There(vec![("withdraw_id", what)], words)
            }
            Fate::Done(what) => {
                let words = format!("it was done: the exchange lists it, {what}");
                Answer::There(vec![("shown", what)], words)
            }
            Fate::NotDone => Answer::NotThere,
            Fate::Unclear(why) => Answer::Unclear(why),
        })
    }
}

/// What became of an order, of either market.
enum Found {
    Placed { order_id: String, state: String },
    NotPlaced,
    Unclear,
}

impl From<Reconciled<bitmart::rest::spot::Order>> for Found {
    fn from(found: Reconciled<bitmart::rest::spot::Order>) -> Self {
        match found {
            Reconciled::Placed(order) => Self::Placed {
                order_id: order.order_id.to_string(),
                state: order.state.to_string(),
            },
            Reconciled::NotPlaced => Self::NotPlaced,
            _ => Self::Unclear,
        }
    }
}

impl From<Reconciled<bitmart::rest::futures::Order>> for Found {
    fn from(found: Reconciled<bitmart::rest::futures::Order>) -> Self {
        match found {
            Reconciled::Placed(order) => Self::Placed {
                order_id: order.order_id.to_string(),
                state: order.state.to_string(),
            },
            Reconciled::NotPlaced => Self::NotPlaced,
            _ => Self::Unclear,
        }
    }
}
