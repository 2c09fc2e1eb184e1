//! Executes the plan step by step: confirms, records and sends each request, then plans again.

use std::collections::BTreeMap;
use std::time::Duration;

use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};
use bitmart::rest::code::Category;
use bitmart::rest::{Client, Error, Outcome};
use bitmart::types::{EarnRequestNo, RequestNo};
use bitmart::{ClientOrderId, Decimal};

use super::collect::WithdrawalRoutes;
use super::facts::Facts;
use super::journal::{Journal, Request};
use super::plan::{Skipped, Step, plan};
use super::print;
use crate::confirm::prompt;
use crate::context::Context;
use crate::endpoint::{self, parameters};
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::output::json::Json;
use crate::output::note;
use crate::reconcile::{self, Resolution, how_to_find_out};
use crate::target::Target;

/// Number and interval of queries for the effect of a step.
const MAX_QUERIES: u32 = 10;
const QUERY_INTERVAL: Duration = Duration::from_secs(1);
/// Number of requests that the clock prevented after which the run ends.
const MAX_CLOCK_ERRORS: u32 = 5;
/// A request is signed within this time after its line in the journal, or not sent.
const SIGN_WITHIN: Duration = Duration::from_secs(10);

/// How long after the signature of a request the balances may lack its effect. Resolving it takes up to 85 s, and the
/// user may have run the command again a moment later; the exchange shows effects within seconds. Older effects are in
/// the balances already, so that an equal step of today is another one, such as a withdrawal of the daily quota.
const SHOWN_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Requests that may be repeated safely. Other requests without evidence stay unresolved.
const IDEMPOTENT: [&str; 6] = [
    "spot_cancel_all_orders",
    "spot_cancel_all_algo_orders",
    "futures_cancel_all_orders",
    "futures_cancel_plan_order",
    "futures_cancel_trailing_order",
    "earn_set_auto_saving",
];

struct Run<'a> {
    context: &'a Context,
    client: &'a Client,
    journal: Journal,
    interrupts: Interrupts,
    skipped: Skipped,
    /// Amounts of the executed steps by key.
    executed: BTreeMap<String, Option<Decimal>>,
    /// The request that the last run left unresolved, if it took effect and the balances may lack that.
    executed_before: Option<Request>,
    /// Number of steps that were skipped.
    skipped_count: usize,
    /// Requests that were rejected because of the clock, or not sent in time. Their steps are in the next plan again.
    clock_errors: u32,
}

pub(super) async fn run(
    context: &Context,
    target: &Target,
    client: &Client,
    routes: &mut WithdrawalRoutes,
    journal: Journal,
    outcome: Option<&str>,
) -> Result<(), Failure> {
    let mut run = Run {
        context,
        client,
        journal,
        interrupts: Interrupts::listen()?,
        skipped: Skipped::new(),
        executed: BTreeMap::new(),
        executed_before: None,
        skipped_count: 0,
        clock_errors: 0,
    };
    run.resume(outcome).await?;
    let mut is_checked = false;
    let facts = loop {
        let (facts, step) = run.next(target, routes).await?;
        if !is_checked {
            routes.check_named(&facts, &run.journal.withdrawn)?;
            is_checked = true;
        }
        let Some(step) = step else { break facts };
        run.execute(step).await?;
        if run.interrupts.received() {
            return Err(stopped());
        }
    };
    print::print(context, &facts, &plan(&facts, &run.skipped))?;
    let incomplete = |text: String| Failure::new(Exit::Incomplete, text);
    if run.skipped_count > 0 {
        return Err(incomplete(format!("{} steps were not executed", run.skipped_count))
            .with_advice("run the command again to be asked again"));
    }
    if !facts.unread.is_empty() {
        let text = "all known steps are done, but some queries failed: ";
        return Err(incomplete(format!("{text}{}", facts.unread.join("; "))));
    }
    Ok(())
}

impl Run<'_> {
    /// Resolves the request that the last run left unresolved.
    async fn resume(&mut self, outcome: Option<&str>) -> Result<(), Failure> {
        let Some(request) = self.journal.unresolved.clone() else {
            return match outcome {
                None => Ok(()),
                Some(_) => Err(Failure::usage("the outcome of every request is known")),
            };
        };
        let number = request.number;
        note(format_args!(
            "the outcome of step {number} of the last run is unknown: {}",
            request.text
        ));
        match outcome {
            Some("done") => {
                self.journal.end(number, "done", "as given by --outcome")?;
                self.set_executed_before(request);
            }
            Some(_) => self.journal.end(number, "not done", "as given by --outcome")?,
            None => match self.resolve(&request).await? {
                Resolved::Done => self.set_executed_before(request),
                Resolved::NotDone => {}
                Resolved::Failed(why) => note(format_args!("it had no effect: {why}")),
            },
        }
        Ok(())
    }

    fn set_executed_before(&mut self, request: Request) {
        let shown_after = request.signed_by() + SHOWN_WITHIN;
        self.executed_before = Some(request).filter(|_| self.client.now() < shown_after);
    }

    /// Whether a step was executed, by this run or as the last request of the one before.
    fn is_executed(&self, step: &Step) -> bool {
        self.executed.get(&step.key) == Some(&step.amount)
            || self.executed_before.as_ref().is_some_and(|request| is_same_request(request, step))
    }

    /// The facts and the next step. Waits while the plan still contains an executed step.
    async fn next(
        &mut self,
        target: &Target,
        routes: &mut WithdrawalRoutes,
    ) -> Result<(Facts, Option<Step>), Failure> {
        let mut queries = 0;
        loop {
            let facts = tokio::select! {
                facts = super::facts(target, self.client, routes) => facts,
                () = self.interrupts.recv() => return Err(stopped()),
            };
            let step = plan(&facts, &self.skipped).steps.into_iter().next();
            let Some(repeated) = step.as_ref().filter(|step| self.is_executed(step)) else {
                return Ok((facts, step));
            };
            queries += 1;
            if queries < MAX_QUERIES {
                tokio::select! {
                    () = tokio::time::sleep(QUERY_INTERVAL) => continue,
                    () = self.interrupts.recv() => return Err(stopped()),
                }
            }
            let why = "it was executed, but the exchange does not show its effect";
            self.skipped.insert(repeated.key.clone(), why.to_owned());
            self.skipped_count += 1;
            queries = 0;
        }
    }

    /// Asks for confirmation of a step and executes it.
    async fn execute(&mut self, step: Step) -> Result<(), Failure> {
        eprintln!("\n{}", print::line(&step));
        if !self.context.yes {
            let confirmed = prompt::confirm_unless("execute it?", self.interrupts.recv()).await;
            match confirmed {
                Ok(()) => {}
                Err(failure) if !prompt::is_interactive() => return Err(failure),
                Err(_) if self.interrupts.received() => return Err(stopped()),
                Err(_) => {
                    self.skip(&step, "declined");
                    return Ok(());
                }
            }
        }
        let entry = entry(step.endpoint)?;
        let sent = with_generated_id(entry, &step);
        let typed = parameters::typed(entry, &sent)?;
        let mut payload = endpoint::encode(entry, &typed)?;
        let baseline = reconcile::baseline(self.client, entry.metadata.id, &typed).await?;
        // The clock may have drifted while the question was open.
        self.client.sync_clock().await?;
        // Recorded, so that a later run knows when the request can no longer take effect.
        let signed_by = self.client.now() + SIGN_WITHIN;
        payload.sign_until(signed_by);
        let request = Request {
            number: 0,
            text: step.text.clone(),
            endpoint: step.endpoint.to_owned(),
            parameters: sent,
            baseline,
            signed_by_ms: Some(signed_by.as_millis()),
        };
        let request = self.journal.begin(request)?;
        let send = self.client.send_raw(&entry.metadata, payload);
        let result = reconcile::wait(&mut self.interrupts, &step.text, send).await;
        match result {
            Some(Ok(response)) if response.data.get().trim() == "false" => {
                self.journal.end(request.number, "refused", "the response is false")?;
                self.skip(&step, "the response is false, without a reason");
                Ok(())
            }
            Some(Ok(response)) => {
                self.journal.end(request.number, "done", response.data.get())?;
                note(format_args!("done"));
                self.executed.insert(step.key, step.amount);
                Ok(())
            }
            Some(Err(error)) => self.failed(step, &request, error).await,
            None => Err(unknown(entry, &typed, "interrupted before the response arrived")),
        }
    }

    async fn failed(&mut self, step: Step, request: &Request, error: Error) -> Result<(), Failure> {
        let why = chain(&error);
        match error.outcome() {
            Outcome::Unknown => {
                note(format_args!("{why}"));
                match self.resolve(request).await? {
                    Resolved::Done => {
                        self.executed.insert(step.key, step.amount);
                    }
                    Resolved::NotDone => {}
                    Resolved::Failed(why) => self.skip(&step, &why),
                }
                Ok(())
            }
            Outcome::Rejected => {
                self.journal.end(request.number, "refused", &why)?;
                if error.is_clock() && self.clock_errors < MAX_CLOCK_ERRORS {
                    self.clock_errors += 1;
                    note(format_args!("not done: {why}"));
                    return Ok(());
                }
                // These errors affect every further step. A missing permission affects some steps only.
                let is_key = error.category() == Some(Category::Authentication);
                if is_key || error.is_clock() || error.is_rate_limited() {
                    return Err(Failure::from(error).with_context(&step.text));
                }
                self.skip(&step, &why);
                Ok(())
            }
            _ => {
                self.journal.end(request.number, "not sent", &why)?;
                let is_late = self.client.now().as_millis() > request.signed_by().as_millis();
                if is_late && self.clock_errors < MAX_CLOCK_ERRORS {
                    self.clock_errors += 1;
                    note(format_args!("not sent: {why}"));
                    return Ok(());
                }
                Err(Failure::from(error).with_context(&step.text))
            }
        }
    }

    fn skip(&mut self, step: &Step, why: &str) {
        note(format_args!("not done: {why}"));
        self.skipped.insert(step.key.clone(), why.to_owned());
        self.skipped_count += 1;
    }

    /// Queries and records the outcome of a request.
    async fn resolve(&mut self, request: &Request) -> Result<Resolved, Failure> {
        note(format_args!(
            "querying the exchange for the outcome; this takes about 85 s. Interrupt to stop."
        ));
        let entry = entry(&request.endpoint)?;
        let typed = parameters::typed(entry, &request.parameters)?;
        let resolution = tokio::select! {
            resolution = resolution(self.client, request, &typed) => resolution,
            () = self.interrupts.recv() => return Err(unknown(entry, &typed, "interrupted")),
        };
        let number = request.number;
        match resolution {
            Ok(Resolution::Done(evidence)) => {
                note(format_args!("it took effect ({evidence})"));
                self.journal.end(number, "done", &evidence)?;
                Ok(Resolved::Done)
            }
            Ok(Resolution::NotDone) => {
                note(format_args!("it had no effect"));
                self.journal.end(number, "not done", "the exchange does not have it")?;
                Ok(Resolved::NotDone)
            }
            Ok(Resolution::Failed(id)) => {
                let why =
                    format!("the exchange accepted it as {id}, and it failed or was canceled");
                self.journal.end(number, "failed", &why)?;
                Ok(Resolved::Failed(why))
            }
            Ok(Resolution::Undetermined(why)) => Err(unknown(entry, &typed, &why)),
            Err(error) => Err(unknown(entry, &typed, &chain(&error))),
        }
    }
}

/// The outcome of a request, as recorded in the journal.
enum Resolved {
    Done,
    NotDone,
    /// It failed at the exchange, for this reason.
    Failed(String),
}

/// The outcome of a request.
async fn resolution(
    client: &Client,
    request: &Request,
    typed: &[(String, Json)],
) -> Result<Resolution, Error> {
    if let Some(baseline) = &request.baseline {
        return reconcile::settle(client, &request.endpoint, typed, baseline, request.signed_by())
            .await;
    }
    // The next plan shows the effect, and repeating it is harmless.
    if IDEMPOTENT.contains(&request.endpoint.as_str()) {
        return Ok(Resolution::NotDone);
    }
    Ok(Resolution::Undetermined("the journal has no data that would show its effect".to_owned()))
}

fn entry(id: &str) -> Result<&'static EndpointEntry, Failure> {
    ENDPOINTS
        .iter()
        .find(|entry| entry.metadata.id == id)
        .ok_or_else(|| Failure::usage(format!("the journal contains an unknown endpoint {id:?}")))
}

/// Whether a request has the parameters of a step, apart from ids that were generated for it.
fn is_same_request(request: &Request, step: &Step) -> bool {
    let has = |(name, value): &(&str, String)| {
        request.parameters.iter().any(|(known, sent)| known == name && sent == value)
    };
    request.endpoint == step.endpoint && step.parameters.iter().all(has)
}

/// The parameters, with a generated id if the endpoint takes one.
fn with_generated_id(entry: &EndpointEntry, step: &Step) -> Vec<(String, String)> {
    let given = step.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut parameters: Vec<_> = given.collect();
    let takes = |name: &str| entry.parameters.iter().any(|one| one.name == name);
    if takes("client_order_id") && entry.metadata.id == "futures_submit_order" {
        parameters.push(("client_order_id".to_owned(), ClientOrderId::random().to_string()));
    }
    if takes("requestNo") {
        let number = match entry.group {
            "earn" => EarnRequestNo::random().to_string(),
            _ => RequestNo::random().to_string(),
        };
        parameters.push(("requestNo".to_owned(), number));
    }
    parameters
}

fn stopped() -> Failure {
    Failure::new(Exit::Incomplete, "stopped between two steps; no outcome is unknown")
        .with_advice("run the command again to continue")
}

fn unknown(entry: &EndpointEntry, typed: &[(String, Json)], why: &str) -> Failure {
    let advice = format!(
        "run the command again to repeat the query. Or {}; then give the outcome: bitmart wind-down --run \
         --outcome done|not-done",
        how_to_find_out(entry, typed)
    );
    let text = format!("{}: {why}. Whether it took effect is NOT KNOWN", entry.title);
    Failure::new(Exit::Unknown, text).with_advice(advice)
}

#[cfg(test)]
mod tests;
