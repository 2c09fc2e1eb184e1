//! `doctor`: checks the connection to the exchange, the clock and the key.

mod key;
mod network;

use bitmart::rest::Client;
use bitmart::types::Service;
use clap::Command;

use crate::completions::VERSION;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output::{self, Format, json::Json};

/// Maximum clock difference that passes. The exchange accepts timestamps up to one second ahead.
const MAX_CLOCK_OFFSET_MS: i64 = 500;

/// The result of a check.
pub(super) struct Finding {
    check: String,
    /// The exit code of a failed check; `None` if it passed.
    problem: Option<Exit>,
    text: String,
    advice: Option<String>,
}

impl Finding {
    fn ok(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self { check: check.into(), problem: None, text: text.into(), advice: None }
    }

    fn failed(
        check: impl Into<String>,
        exit: Exit,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { check: check.into(), problem: Some(exit), text: text.into(), advice }
    }

    fn row(&self) -> Json {
        let text = |text: &str| Json::Text(text.to_owned());
        Json::Object(vec![
            ("check".to_owned(), text(&self.check)),
            ("ok".to_owned(), Json::Bool(self.problem.is_none())),
            ("found".to_owned(), text(&self.text)),
            ("advice".to_owned(), self.advice.as_deref().map_or(Json::Null, text)),
        ])
    }
}

pub(crate) fn command() -> Command {
    Command::new("doctor").about("Check network, clock, key and signature, and give advice").after_help(
        "Only reads. The exit code is 0 if all checks pass, else that of the first failed check: 3 for a host \
         that cannot be reached, 5 for clock or key.",
    )
}

pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    let target = context.target().await?;
    let version = format!("bitmart {}", VERSION.replace('\n', ", "));
    let mut findings = vec![Finding::ok("version", version)];
    findings.extend(network::check(&target, context.timeout).await);
    let client = target.client()?;
    if target.environment.address(Service::SpotRest).is_ok() {
        findings.push(clock(&client).await);
    }
    findings.extend(key::check(&target).await);
    print(context, &findings)?;
    let Some(first) = findings.iter().find_map(|finding| finding.problem) else { return Ok(()) };
    let count = findings.iter().filter(|finding| finding.problem.is_some()).count();
    Err(Failure::new(first, format!("{count} of {} checks failed", findings.len())))
}

fn print(context: &Context, findings: &[Finding]) -> Result<(), Failure> {
    if context.format() != Format::Table || context.output.names_columns() {
        let rows = findings.iter().map(Finding::row).collect();
        return output::print_rows(&context.output, &Json::List(rows));
    }
    let mut text = String::new();
    for finding in findings {
        let mark = if finding.problem.is_some() { "FAIL" } else { "ok  " };
        text += &format!("{mark} {:<26} {}\n", finding.check, finding.text);
        if let Some(advice) = &finding.advice {
            text += &format!("     -> {advice}\n");
        }
    }
    output::write(text.as_bytes())
}

/// Compares this machine's clock with that of the exchange.
async fn clock(client: &Client) -> Finding {
    let estimate = match client.sync_clock().await {
        Ok(estimate) => estimate,
        Err(error) => {
            let failure = Failure::from(error);
            return Finding::failed(
                "clock",
                failure.exit,
                format!("the time of the exchange is unknown: {failure}"),
                "see the checks of the hosts",
            );
        }
    };
    let (offset, trip) = (estimate.offset_millis, estimate.round_trip.as_millis());
    let direction = if offset < 0 { "ahead of" } else { "behind" };
    let text = format!("{} ms {direction} the exchange, ±{} ms", offset.abs(), trip.div_ceil(2));
    // The measurement may be off by half of the round trip.
    let slack = i64::try_from(trip / 2).unwrap_or(i64::MAX);
    if offset.abs() <= MAX_CLOCK_OFFSET_MS.saturating_add(slack) {
        return Finding::ok("clock", text);
    }
    let effect = if offset.abs() > 60_000 { "signed requests fail" } else { "some requests fail" };
    Finding::failed(
        "clock",
        Exit::Access,
        text,
        format!("{effect} with error 30007: synchronize the clock with NTP"),
    )
}

/// The exit code and text of an error.
fn exit_and_text(error: bitmart::rest::Error) -> (Exit, String) {
    let text = chain(&error);
    (Failure::from(error).exit, text)
}
