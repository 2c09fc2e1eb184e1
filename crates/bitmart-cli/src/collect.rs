//! `collect`: publishes market data over NATS.

mod config;
mod history;
mod http;
mod log;

use std::path::Path;

use bitmart_fleet::collector::Collector;
use clap::{Arg, ArgMatches, Command};
use serde_json::json;
use tokio::net::TcpListener;

use self::config::Config;
use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::interrupts::Interrupts;
use crate::output;

pub(crate) fn command() -> Command {
    Command::new("collect")
        .about("Collect market data once and publish it over NATS, for programs on any number of machines")
        .after_help(
            "The file is TOML: [nats] with servers, prefix, user and password_file or token_file, \
             root_certificates; [collector] with id, shards, replicas, lease_timeout_ms, snapshot_interval_s, \
             history_minutes, history_bytes, stored_copies; [topics] with lists spot and futures of names on the \
             wire; and optionally [http] with the address of /healthz and /metrics. Passwords and tokens are read from \
             files, so that no argument and no list of processes contains them. Prints one line of JSON when it \
             is ready, and warnings and errors on stderr. Ctrl-c or SIGTERM ends it and hands its topics over to \
             other collectors; a second one ends it at once.",
        )
        .arg(
            Arg::new("config")
                .long("config")
                .required(true)
                .value_name("FILE")
                .help("The configuration"),
        )
        .subcommand_negates_reqs(true)
        .args_conflicts_with_subcommands(true)
        .subcommand(history::command())
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    log::start();
    if let Some(("history", matches)) = matches.subcommand() {
        return history::run(matches).await;
    }
    let path = matches.get_one::<String>("config").map_or("", String::as_str);
    let config = Config::read(Path::new(path))?;
    let exchange = context.target().await?.stream_client()?;
    let builder = config.collector_builder(exchange)?;
    // Before anything is published: an address in use is an error of the configuration.
    let listener = match config.http_address() {
        Some(address) => {
            let bound = TcpListener::bind(address).await;
            Some(bound.map_err(|error| Failure::io(format!("{address}: {error}")))?)
        }
        None => None,
    };
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let mut interrupts = Interrupts::listen()?;
    let collector = builder.start().await.map_err(|error| failure(&error))?;
    let ready = json!({
        "ready": true,
        "id": collector.id(),
        "http": address.map(|address| format!("http://{address}")),
    });
    output::write(format!("{ready}\n").as_bytes())?;
    serve(&collector, listener, &mut interrupts).await;
    tokio::select! {
        () = collector.stop() => Ok(()),
        () = interrupts.recv() => {
            Err(Failure::io("ended before its topics were handed over: others take them later"))
        }
    }
}

/// Responds to requests until a signal arrives.
async fn serve(collector: &Collector, listener: Option<TcpListener>, interrupts: &mut Interrupts) {
    let Some(listener) = listener else { return interrupts.recv().await };
    tokio::select! {
        () = http::serve(&listener, || collector.status()) => {}
        () = interrupts.recv() => {}
    }
}

fn failure(error: &bitmart_fleet::nats::Error) -> Failure {
    match error.kind() {
        bitmart_fleet::nats::ErrorKind::Config => Failure::usage(chain(error)),
        _ => Failure::io(chain(error)),
    }
}
