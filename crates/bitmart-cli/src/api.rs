//! `api`: sends any request, documented or not.

use bitmart::rest::catalog::Role;
use bitmart::rest::endpoint::{Effect, Payload};
use bitmart::rest::{Client, Detailed, Outcome};
use clap::{ArgMatches, Command};
use serde_json::value::RawValue;

use crate::confirm::{self, prompt};
use crate::context::Context;
use crate::endpoint::{self, command};
use crate::failure::{Exit, Failure};
use crate::interrupts::Interrupts;
use crate::output::{self, Format, json::Json};
use crate::request::{self, Request};
use crate::{dry_run, reconcile};

pub(crate) fn command() -> Command {
    Command::new("api")
        .about("Send any request by method and path")
        .after_help(
            "The parameters are sent without validation. For a documented path, host, signature, rate limit \
             and form of the parameters are those of its own command, and a request with an effect asks for \
             confirmation. For other paths a GET counts as a read and a POST as a request with an effect; both \
             are signed if there is a key.\n\n\
             bitmart api GET /spot/quotation/v3/ticker symbol=btc_usdt\n\
             bitmart api POST /spot/v4/query/open-orders symbol=BTC_USDT limit:=10",
        )
        .args(request::arguments())
        .arg(command::sure())
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let target = context.target().await?;
    let request = Request::from_matches(matches, target.credentials.is_some())?;
    let mut parameters = request.parameters(matches, context.output.times.zone())?;
    let id =
        request.entry.and_then(|entry| confirm::ensure_client_order_id(entry, &mut parameters));
    let client = target.client()?;
    if request.entry.is_some_and(|entry| entry.role == Some(Role::Withdraw)) {
        request.check_body_only(&parameters)?;
        confirm::withdrawal::choose_network(&client, &mut parameters).await?;
    }
    let payload = request.payload(&parameters)?;
    if context.dry_run {
        return dry_run::print(context, &target, request.metadata, payload);
    }
    let is_read = request.metadata.effect == Effect::Read;
    match request.entry {
        Some(entry) if is_read => {
            endpoint::print(context, entry, &client.send_raw(request.metadata, payload).await?)
        }
        Some(entry) => {
            let sure = matches.get_flag(command::SURE);
            confirm::confirm(context, &target, &client, entry, &parameters, sure).await?;
            endpoint::send_change(context, &client, entry, &parameters, id, payload).await
        }
        None if is_read => print(context, &client.send_raw(request.metadata, payload).await?),
        None => {
            eprintln!("POST {} on {}:", request.metadata.path, target.environment.name);
            for (name, value) in &parameters {
                eprintln!("  {name:<24}{}", value.cell());
            }
            if !context.yes {
                prompt::confirm("send it?")?;
            }
            let response = send_undocumented(&client, &request, payload).await?;
            print(context, &response).map_err(|failure| endpoint::not_printed(&failure, &response))
        }
    }
}

/// Sends an undocumented request that may have an effect. Its outcome cannot be queried.
async fn send_undocumented(
    client: &Client,
    request: &Request,
    payload: Payload,
) -> Result<Detailed<Box<RawValue>>, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let path = request.metadata.path;
    let sent = client.send_raw(request.metadata, payload);
    let failure = match reconcile::wait(&mut interrupts, path, sent).await {
        Some(Ok(response)) => return Ok(response),
        Some(Err(error)) if error.outcome() != Outcome::Unknown || error.is_without_effect() => {
            return Err(Failure::from(error));
        }
        Some(Err(error)) => Failure::from(error),
        None => Failure::new(
            Exit::Unknown,
            "interrupted before the response arrived. Whether it took effect is NOT KNOWN",
        ),
    };
    Err(failure.with_advice("check the account before you send it again"))
}

fn print(context: &Context, response: &Detailed<Box<RawValue>>) -> Result<(), Failure> {
    if context.format() == Format::Raw {
        return output::write(&response.raw);
    }
    let data = Json::parse(response.data.get())
        .map_err(|error| Failure::io(format!("the response: {error}")))?;
    output::print_rows(&context.output, &data)
}
