//! `doctor`: what stands between this machine and the exchange, and what to do about it.

mod key;
mod network;

use bitmart::rest::Client;
use bitmart::types::Service;
use clap::Command;

use crate::completions::VERSION;
use crate::context::Context;
use crate::failure::{Exit, Failure, chain};
use crate::output::{self, Format, json::Json};

/// Differences of the clock up to this are no trouble: `recvWindow` allows a second ahead.
const GOOD_CLOCK_MS: i64 = 500;

/// What one check found.
pub(super) struct Finding {
    check: String,
    /// The exit code that it leads to; `None` when all is well.
    trouble: Option<Exit>,
    text: String,
    advice: Option<String>,
}

impl Finding {
    fn good(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self { check: check.into(), trouble: None, text: text.into(), advice: None }
    }

    fn bad(
        check: impl Into<String>,
        exit: Exit,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { check: check.into(), trouble: Some(exit), text: text.into(), advice }
    }

    fn row(&self) -> Json {
        let text = |text: &str| Json::Text(text.to_owned());
        Json::Object(vec![
            ("check".to_owned(), text(&self.check)),
            ("ok".to_owned(), Json::Bool(self.trouble.is_none())),
            ("found".to_owned(), text(&self.text)),
            ("advice".to_owned(), self.advice.as_deref().map_or(Json::Null, text)),
        ])
    }
}

pub(crate) fn command() -> Command {
    Command::new("doctor").about("Check network, clock, key and signature, with advice").after_help(
        "Only reads. Exit code: 0 if all is well, else that of the first trouble: 3 a host is not reached, \
         5 clock or key.",
    )
}

pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    let target = context.target().await?;
    let version = format!("bitmart {}", VERSION.replace('\n', ", "));
    let mut findings = vec![Finding::good("version", version)];
    findings.extend(network::check(&target, context.timeout).await);
    let client = target.client()?;
    if target.environment.address(Service::SpotRest).is_ok() {
        findings.push(clock(&client).await);
    }
    findings.extend(key::check(&target).await);
    print(context, &findings)?;
    let Some(first) = findings.iter().find_map(|finding| finding.trouble) else { return Ok(()) };
    let count = findings.iter().filter(|finding| finding.trouble.is_some()).count();
    Err(Failure::new(first, format!("{count} of {} checks found trouble", findings.len())))
}

fn print(context: &Context, findings: &[Finding]) -> Result<(), Failure> {
    if context.format != Format::Table || context.view.is_chosen() {
        let rows = findings.iter().map(Finding::row).collect();
        return output::print_rows(&context.view, &Json::List(rows));
    }
    let mut text = String::new();
    for finding in findings {
        let mark = if finding.trouble.is_some() { "BAD " } else { "ok  " };
        text += &format!("{mark} {:<26} {}\n", finding.check, finding.text);
        if let Some(advice) = &finding.advice {
            text += &format!("     -> {advice}\n");
        }
    }
    output::write(text.as_bytes())
}

/// How far this machine's clock is from the exchange's.
async fn clock(client: &Client) -> Finding {
    let estimate = match client.sync_clock().await {
        Ok(estimate) => estimate,
        Err(error) => {
            let failure = Failure::from(error);
            return Finding::bad(
                "clock",
                failure.exit,
                format!("the exchange does not tell its time: {failure}"),
                "see the findings on its hosts",
            );
        }
    };
    let (offset, trip) = (estimate.offset_millis, estimate.round_trip.as_millis());
    let way = if offset < 0 { "ahead of" } else { "behind" };
    let text = format!("{} ms {way} the exchange, ±{} ms", offset.abs(), trip.div_ceil(2));
    // Half of the round trip may be an error of the measurement.
    let slack = i64::try_from(trip / 2).unwrap_or(i64::MAX);
    if offset.abs() <= GOOD_CLOCK_MS.saturating_add(slack) {
        return Finding::good("clock", text);
    }
    let effect = if offset.abs() > 60_000 { "signed requests fail" } else { "some requests fail" };
    Finding::bad(
        "clock",
        Exit::Access,
        text,
        format!("{effect} with 30007: let the system keep time (NTP)"),
    )
}

/// The trouble behind an error, and the text of it.
fn trouble(error: bitmart::rest::Error) -> (Exit, String) {
    let text = chain(&error);
    (Failure::from(error).exit, text)
}
