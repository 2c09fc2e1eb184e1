//! `api`: any request, also one that no document names.

use bitmart::rest::{Effect, Outcome};
use clap::{ArgMatches, Command};

use crate::care::{self, prompt};
use crate::context::Context;
use crate::dry_run;
use crate::failure::Failure;
use crate::output::{self, Format, json::Json};
use crate::request::{self, Request};

pub(crate) fn command() -> Command {
    Command::new("api")
        .about("Send any request by method and path")
        .after_help(
            "Nothing is checked: what is given is sent. Where the path is documented, host, key, limit and \
             form of the parameters are known, and what has an effect is asked for as in its own command. \
             Of other paths a GET counts as a read and a POST as something with an effect; they are signed \
             if there is a key.\n\n\
             bitmart api GET /spot/quotation/v3/ticker symbol=btc_usdt\n\
             bitmart api POST /spot/v4/query/open-orders symbol=BTC_USDT limit:=10",
        )
        .args(request::arguments())
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    let target = context.target().await?;
    let request = Request::read(matches, target.credentials.is_some())?;
    let mut parameters = request.parameters(matches)?;
    let id = request.entry.and_then(|entry| care::name_order(entry, &mut parameters));
    let payload = request.payload(&parameters)?;
    if context.dry_run {
        return dry_run::print(context, &target, request.metadata, payload);
    }
    let client = target.client()?;
    if request.metadata.effect != Effect::Read {
        if let Some(entry) = request.entry {
            care::confirm(context, &target, &client, entry, &parameters).await?;
        } else {
            eprintln!("POST {} on {}:", request.metadata.path, target.environment.name);
            for (name, value) in &parameters {
                eprintln!("  {name:<24}{}", value.cell());
            }
            if !context.yes {
                prompt::yes("send it?")?;
            }
        }
    }
    let answer = match (client.send_raw(request.metadata, payload).await, request.entry) {
        (Ok(answer), _) => answer,
        (Err(error), Some(entry)) => {
            return Err(care::explain(&client, entry, &parameters, id, error).await);
        }
        (Err(error), None) => {
            let unknown = error.outcome() == Outcome::Unknown && !error.is_without_effect();
            let failure = Failure::from(error);
            return Err(if unknown {
                failure.with_advice("look at the account before you send it again")
            } else {
                failure
            });
        }
    };
    let data = Json::read(answer.data.get())
        .map_err(|error| Failure::machine(format!("the answer: {error}")))?;
    match request.entry {
        Some(entry) => output::print(context.format, entry, &data, &answer.raw),
        None if context.format == Format::Raw => output::write(&answer.raw),
        None => output::print_value(context.format, &data),
    }
}
