//! `cargo xtask soak [--orders N] [--minutes M]`: follows an account while network, exchange and consumer
//! misbehave. In the end the sandbox's ledger, the account tracker and the history must agree.

use std::process::Command;

use crate::TaskResult;
use crate::run::{cargo, cargo_workspace, run as run_command};

const USAGE: &str = "usage: cargo xtask soak [--orders N] [--minutes M]";

/// Orders of a run without `--orders`.
const ORDERS: u64 = 100_000;

/// The soak test in an optimized build.
pub(crate) fn command(orders: u64, minutes: Option<u64>) -> Command {
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--release", "--package", "bitmart", "--all-features"])
        .args(["--test", "facade", "--", "--nocapture", "account::soak::"])
        .env("BITMART_SOAK_ORDERS", orders.to_string());
    if let Some(minutes) = minutes {
        command.env("BITMART_SOAK_MINUTES", minutes.to_string());
    }
    command
}

pub(crate) fn run(arguments: &[&str]) -> TaskResult {
    let (orders, minutes) = parse(arguments)?;
    run_command(&mut command(orders, minutes))
}

fn parse(arguments: &[&str]) -> Result<(u64, Option<u64>), String> {
    let (mut orders, mut minutes) = (ORDERS, None);
    for pair in arguments.chunks(2) {
        let value = pair.get(1).and_then(|text| text.parse().ok()).filter(|value| *value > 0);
        match (pair[0], value) {
            ("--orders", Some(value)) => orders = value,
            ("--minutes", Some(value)) => minutes = Some(value),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok((orders, minutes))
}

/// The soak test of one minute, in the build of the other tests.
pub(crate) fn short() -> TaskResult {
    run_command(
        cargo_workspace("test")
            .args(["--test", "facade", "--", "--nocapture", "account::soak::"])
            .envs([("BITMART_SOAK_ORDERS", "1000000"), ("BITMART_SOAK_MINUTES", "1")]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_any_order_and_invalid_ones_rejected() {
        assert_eq!(parse(&[]), Ok((ORDERS, None)));
        assert_eq!(parse(&["--minutes", "3", "--orders", "7"]), Ok((7, Some(3))));
        for invalid in [&["--orders"][..], &["--orders", "0"], &["--hours", "1"], &["7", "8"]] {
            assert!(parse(invalid).is_err(), "{invalid:?}");
        }
    }
}
