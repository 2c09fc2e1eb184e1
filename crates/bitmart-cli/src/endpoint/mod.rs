//! Commands that are one request.

pub(crate) mod command;
pub(crate) mod parameters;

use bitmart::rest::catalog::{EndpointEntry, RecodeError};
use bitmart::rest::{Effect, Payload};
use clap::ArgMatches;

use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::output::{self, json::Json};
use crate::{care, dry_run};

/// Runs the command of one endpoint.
pub(crate) async fn run(
    context: &Context,
    entry: &'static EndpointEntry,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let mut parameters = parameters::of(entry, matches)?;
    let id = care::name_order(entry, &mut parameters);
    let payload = encode(entry, &parameters)?;
    let target = context.target().await?;
    if context.dry_run {
        return dry_run::print(context, &target, &entry.metadata, payload);
    }
    let client = target.client()?;
    if entry.metadata.effect != Effect::Read {
        care::confirm(context, &target, &client, entry, &parameters).await?;
    }
    match client.send_raw(&entry.metadata, payload).await {
        Ok(answer) => {
            let data = Json::read(answer.data.get())
                .map_err(|error| Failure::machine(format!("the answer: {error}")))?;
            output::print(context.format, entry, &data, &answer.raw)
        }
        Err(error) => Err(care::explain(&client, entry, &parameters, id, error).await),
    }
}

/// Checks the parameters as the library does, and writes them as the wire wants them.
fn encode(entry: &EndpointEntry, parameters: &[(String, Json)]) -> Result<Payload, Failure> {
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
