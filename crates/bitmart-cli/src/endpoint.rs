//! Commands that send one request.

pub(crate) mod command;
pub(crate) mod former;
pub(crate) mod parameters;

use bitmart::ClientOrderId;
use bitmart::rest::catalog::{EndpointEntry, RecodeError, Role};
use bitmart::rest::endpoint::{Effect, Payload};
use bitmart::rest::{Client, Detailed};
use clap::ArgMatches;
use serde_json::value::RawValue;

use crate::confirm;
use crate::context::Context;
use crate::dry_run;
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::{self, json::Json};
use crate::reconcile::{self, SentRequest};

/// Runs the command of one endpoint.
pub(crate) async fn run(
    context: &Context,
    entry: &'static EndpointEntry,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let mut parameters = parameters::from_matches(entry, matches, context.output.times.zone())?;
    let id = confirm::ensure_client_order_id(entry, &mut parameters);
    // Invalid parameters are rejected before anything is queried.
    let mut payload = encode(entry, &parameters)?;
    let target = context.target().await?;
    let client = target.client()?;
    let is_withdrawal = entry.role == Some(Role::Withdraw);
    if is_withdrawal {
        confirm::withdrawal::choose_network(&client, &mut parameters).await?;
        payload = encode(entry, &parameters)?;
    }
    if context.dry_run {
        return dry_run::print(context, &target, &entry.metadata, payload);
    }
    if entry.metadata.effect == Effect::Read {
        let response = client.send_raw(&entry.metadata, payload).await?;
        return print(context, entry, &response);
    }
    output::check_columns(&context.output, entry)?;
    let sure = is_withdrawal && matches.get_flag(command::SURE);
    confirm::confirm(context, &target, &client, entry, &parameters, sure).await?;
    send_change(context, &client, entry, &parameters, id, payload).await
}

/// Sends a request with an effect. Every failure reports the outcome of the request.
pub(crate) async fn send_change(
    context: &Context,
    client: &Client,
    entry: &'static EndpointEntry,
    parameters: &[(String, Json)],
    id: Option<ClientOrderId>,
    payload: Payload,
) -> Result<(), Failure> {
    // An order is queried by its own id.
    let baseline = match &id {
        Some(_) => None,
        None => reconcile::baseline(client, entry.metadata.id, parameters).await.unwrap_or_else(
            |error| {
                eprintln!(
                    "if the response is lost, the outcome cannot be queried: {}",
                    chain(&error)
                );
                None
            },
        ),
    };
    let sent = SentRequest { entry, parameters, id, baseline };
    // From here on a signal does not end the program.
    let mut interrupts = Interrupts::listen()?;
    let request = client.send_raw(&entry.metadata, payload);
    match reconcile::wait(&mut interrupts, entry.title, request).await {
        Some(Ok(response)) => {
            print(context, entry, &response).map_err(|failure| not_printed(&failure, &response))
        }
        Some(Err(error)) => {
            Err(reconcile::resolve_failure(context, client, &sent, &mut interrupts, error).await)
        }
        None => Err(reconcile::interrupted(context, &sent)),
    }
}

/// The failure of a request that took effect, but whose response cannot be printed. Writes the data to standard
/// error: a script that repeats the command would repeat the effect.
pub(crate) fn not_printed(failure: &Failure, response: &Detailed<Box<RawValue>>) -> Failure {
    output::note(format_args!("{}", response.data.get()));
    let text = format!("the request took effect, but its response cannot be printed: {failure}");
    Failure::new(Exit::TookEffect, text)
        .with_advice("do not send it again; the data of the response is above")
}

pub(crate) fn print(
    context: &Context,
    entry: &'static EndpointEntry,
    response: &Detailed<Box<RawValue>>,
) -> Result<(), Failure> {
    let data = Json::parse(response.data.get())
        .map_err(|error| Failure::io(format!("the response: {error}")))?;
    output::print_response(&context.output, entry, &data, &response.raw)
}

/// Validates the parameters like the library, and encodes them for the wire.
pub(crate) fn encode(
    entry: &EndpointEntry,
    parameters: &[(String, Json)],
) -> Result<Payload, Failure> {
    let object = Json::Object(parameters.to_vec()).to_string();
    entry.encode_request(&object).map_err(|error| {
        Failure::usage(match &error {
            RecodeError::Parameters { path, error } if path.is_empty() => error_text(error),
            RecodeError::Parameters { path, error } => format!("{path}: {}", error_text(error)),
            other => chain(other),
        })
    })
}

/// The text of an error without its position: the user did not write the JSON.
fn error_text(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
