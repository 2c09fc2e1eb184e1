//! `sandbox` in a program that was built without the feature `sandbox`.

#![allow(clippy::unused_async, reason = "the same signatures as with the sandbox")]

use std::time::Duration;

use bitmart::rest::recording::frames::Entry;
use bitmart::{Credentials, Environment};
use clap::{Arg, ArgMatches, Command};

use crate::context::Context;
use crate::failure::Failure;

pub(crate) const FAULTS: [&[&str]; 0] = [];

/// A hidden command, so that it fails with the reason and not as unknown.
pub(crate) fn command() -> Command {
    Command::new("sandbox")
        .hide(true)
        .arg(Arg::new("rest").num_args(0..).allow_hyphen_values(true).trailing_var_arg(true))
}

pub(crate) async fn run(_: &Context, _: &ArgMatches) -> Result<(), Failure> {
    Err(absent())
}

#[derive(Debug, Default)]
pub(crate) struct InProcess;

impl InProcess {
    pub(crate) async fn connect(&self, _: Duration) -> Result<(Environment, Credentials), Failure> {
        Err(absent())
    }

    pub(crate) fn is_running(&self) -> bool {
        false
    }

    pub(crate) async fn shutdown(self) {}
}

pub(crate) fn listed_symbols() -> Vec<String> {
    Vec::new()
}

pub(crate) async fn serve_recording(_: Vec<Entry>, _: u32) -> Result<(), Failure> {
    Err(absent())
}

fn absent() -> Failure {
    Failure::usage("this program was built without the sandbox").with_advice(
        "name an environment with --env, or install it with its default features: cargo install bitmart-cli",
    )
}
