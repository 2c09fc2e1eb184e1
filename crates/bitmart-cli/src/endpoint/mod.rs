//! Commands that are one request.

pub(crate) mod command;
pub(crate) mod parameters;

use bitmart::ClientOrderId;
use bitmart::rest::catalog::{EndpointEntry, RecodeError, Role};
use bitmart::rest::{Client, Detailed, Effect, Payload};
use clap::ArgMatches;
use serde_json::value::RawValue;

use crate::confirm::{self, Sent};
use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::{self, json::Json};
use crate::{dry_run, outcome};

/// Runs the command of one endpoint.
pub(crate) async fn run(
    context: &Context,
    entry: &'static EndpointEntry,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let mut parameters = parameters::of(entry, matches, context.view.zone())?;
    let id = confirm::name_order(entry, &mut parameters);
    let payload = encode(entry, &parameters)?;
    let target = context.target().await?;
    if context.dry_run {
        return dry_run::print(context, &target, &entry.metadata, payload);
    }
    let client = target.client()?;
    if entry.metadata.effect == Effect::Read {
        let response = client.send_raw(&entry.metadata, payload).await?;
        return print(context, entry, &response);
    }
    let is_withdrawal = entry.role == Some(Role::Withdraw);
    if is_withdrawal {
        confirm::withdrawal::choose_network(&client, &mut parameters).await?;
    }
    output::check_columns(&context.view, entry)?;
    let sure = is_withdrawal && matches.get_flag(command::SURE);
    confirm::confirm(context, &target, &client, entry, &parameters, sure).await?;
    let payload = encode(entry, &parameters)?;
    change(context, &client, entry, &parameters, id, payload).await
}

/// Sends a request with an effect, and never ends without saying what became of it.
pub(crate) async fn change(
    context: &Context,
    client: &Client,
    entry: &'static EndpointEntry,
    parameters: &[(String, Json)],
    id: Option<ClientOrderId>,
    payload: Payload,
) -> Result<(), Failure> {
    // An order is asked for by its own id.
    let before = match &id {
        Some(_) => None,
        None => {
            outcome::before(client, entry.metadata.id, parameters).await.unwrap_or_else(|error| {
                eprintln!("should the response get lost, nothing will show it: {}", chain(&error));
                None
            })
        }
    };
    let sent = Sent { entry, parameters, id, before };
    // From here on no signal ends the program.
    let mut interrupts = Interrupts::listen()?;
    let request = client.send_raw(&entry.metadata, payload);
    match outcome::wait(&mut interrupts, entry.title, request).await {
        Some(Ok(response)) => print(context, entry, &response),
        Some(Err(error)) => {
            Err(confirm::lost(context, client, &sent, &mut interrupts, error).await)
        }
        None => Err(confirm::given_up(context, &sent)),
    }
}

pub(crate) fn print(
    context: &Context,
    entry: &EndpointEntry,
    response: &Detailed<Box<RawValue>>,
) -> Result<(), Failure> {
    let data = Json::read(response.data.get())
        .map_err(|error| Failure::machine(format!("the response: {error}")))?;
    output::print(&context.view, entry, &data, &response.raw)
}

/// Checks the parameters as the library does, and writes them as the wire wants them.
pub(crate) fn encode(
    entry: &EndpointEntry,
    parameters: &[(String, Json)],
) -> Result<Payload, Failure> {
    let object = Json::Object(parameters.to_vec()).to_string();
    entry.encode_request(&object).map_err(|error| {
        Failure::usage(match &error {
            RecodeError::Parameters { path, error } if path.is_empty() => error_words(error),
            RecodeError::Parameters { path, error } => format!("{path}: {}", error_words(error)),
            other => chain(other),
        })
    })
}

/// What is wrong, without the place in a text that nobody wrote.
fn error_words(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
