//! Doing the plan: one step at a time, asked for, written down, sent, and looked at again.

use std::collections::BTreeMap;
use std::time::Duration;

use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};
use bitmart::rest::{Category, Client, Error, Outcome};
use bitmart::types::{EarnRequestNo, RequestNo};
use bitmart::{ClientOrderId, Decimal};

use super::facts::Facts;
use super::journal::{Journal, Request};
use super::look::Ways;
use super::plan::{Left, Step, plan};
use super::show;
use crate::confirm::prompt;
use crate::context::Context;
use crate::endpoint::{self, parameters};
use crate::failure::{Exit, Failure, chain};
use crate::interrupts::Interrupts;
use crate::outcome::{self, Fate, how_to_find_out};
use crate::output::json::Json;
use crate::target::Target;

/// How often what was done is looked for again, and how long between.
const LOOKS: u32 = 10;
const CLOCK_FAULTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// Cancellations and a switch. Of any other request without evidence it stays unknown what became of it.
const HARMLESS: [&str; 6] = [
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
    left: Left,
    /// The amounts that steps were done with.
    done: BTreeMap<String, Option<Decimal>>,
    /// Steps that were to be done and were not.
    missed: usize,
    /// Steps that came too late, and are in the next plan again.
    clock_faults: u32,
}

pub(super) async fn run(
    context: &Context,
    target: &Target,
    client: &Client,
    ways: &mut Ways,
    journal: Journal,
    told: Option<&str>,
) -> Result<(), Failure> {
    let mut run = Run {
        context,
        client,
        journal,
        interrupts: Interrupts::listen()?,
        left: Left::new(),
        done: BTreeMap::new(),
        missed: 0,
        clock_faults: 0,
    };
    run.resume(told).await?;
    let facts = loop {
        let (facts, step) = run.next(target, ways).await?;
        let Some(step) = step else { break facts };
        run.step(step).await?;
        if run.interrupts.seen() {
            return Err(stopped());
        }
    };
    show::print(context, &facts, &plan(&facts, &run.left))?;
    let incomplete = |text: String| Failure::new(Exit::Incomplete, text);
    if run.missed > 0 {
        return Err(incomplete(format!("{} steps were not done", run.missed))
            .with_advice("run it again to be asked again"));
    }
    if !facts.unread.is_empty() {
        let text = "everything that could be read is done, but not everything could be read: ";
        return Err(incomplete(format!("{text}{}", facts.unread.join("; "))));
    }
    Ok(())
}

impl Run<'_> {
    /// Finds out what became of the request that the last run left behind.
    async fn resume(&mut self, told: Option<&str>) -> Result<(), Failure> {
        let Some(request) = self.journal.open.clone() else {
            return match told {
                None => Ok(()),
                Some(_) => Err(Failure::usage("the outcome of every request is known")),
            };
        };
        let number = request.number;
        eprintln!("of the last run it is not known what became of step {number}: {}", request.text);
        match told {
            Some("done") => self.journal.end(number, "done", "as its owner says"),
            Some(_) => self.journal.end(number, "not done", "as its owner says"),
            None => self.find_out(&request).await.map(drop),
        }
    }

    /// What there is, and the next step. A step that was just done and is still in the plan is waited for.
    async fn next(
        &mut self,
        target: &Target,
        ways: &mut Ways,
    ) -> Result<(Facts, Option<Step>), Failure> {
        let mut looks = 0;
        loop {
            let facts = tokio::select! {
                facts = super::facts(target, self.client, ways) => facts,
                () = self.interrupts.recv() => return Err(stopped()),
            };
            let step = plan(&facts, &self.left).steps.into_iter().next();
            let again = step.as_ref().filter(|step| self.done.get(&step.key) == Some(&step.amount));
            let Some(again) = again else { return Ok((facts, step)) };
            looks += 1;
            if looks < LOOKS {
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => continue,
                    () = self.interrupts.recv() => return Err(stopped()),
                }
            }
            let why = "it was done, and the exchange still shows what it was about";
            self.left.insert(again.key.clone(), why.to_owned());
            self.missed += 1;
            looks = 0;
        }
    }

    /// Asks for a step and does it.
    async fn step(&mut self, step: Step) -> Result<(), Failure> {
        eprintln!("\n{}", show::line(&step));
        if !self.context.yes {
            let asked = prompt::yes_unless("do it?", self.interrupts.recv()).await;
            match asked {
                Ok(()) => {}
                // Nobody is there, or nobody wants to go on.
                Err(failure) if !prompt::is_somebody_there() => return Err(failure),
                Err(_) if self.interrupts.seen() => return Err(stopped()),
                Err(_) => {
                    self.leave(&step, "you said no");
                    return Ok(());
                }
            }
        }
        let entry = entry(step.endpoint)?;
        let sent = named(entry, &step);
        let typed = parameters::typed(entry, &sent)?;
        let payload = endpoint::encode(entry, &typed)?;
        let before = outcome::before(self.client, entry.metadata.id, &typed).await?;
        // However long the question stood: by the exchange's clock a request of now is of now.
        self.client.sync_clock().await?;
        let request = Request {
            number: 0,
            text: step.text.clone(),
            endpoint: step.endpoint.to_owned(),
            parameters: sent,
            before,
        };
        let request = self.journal.begin(request)?;
        let send = self.client.send_raw(&entry.metadata, payload);
        let answer = outcome::wait(&mut self.interrupts, &step.text, send).await;
        match answer {
            Some(Ok(response)) if response.data.get().trim() == "false" => {
                self.journal.end(request.number, "refused", "the exchange answered false")?;
                self.leave(&step, "the exchange answered false, without a reason");
                Ok(())
            }
            Some(Ok(response)) => {
                self.journal.end(request.number, "done", response.data.get())?;
                eprintln!("done");
                self.done.insert(step.key, step.amount);
                Ok(())
            }
            Some(Err(error)) => self.failed(step, &request, error).await,
            None => Err(unknown(entry, &typed, "interrupted before the response came")),
        }
    }

    async fn failed(&mut self, step: Step, request: &Request, error: Error) -> Result<(), Failure> {
        let why = chain(&error);
        match error.outcome() {
            Outcome::Unknown => {
                eprintln!("{why}");
                if self.find_out(request).await? {
                    self.done.insert(step.key, step.amount);
                }
                Ok(())
            }
            Outcome::Rejected => {
                self.journal.end(request.number, "refused", &why)?;
                if error.is_clock() && self.clock_faults < CLOCK_FAULTS {
                    self.clock_faults += 1;
                    eprintln!("not done: {why}");
                    return Ok(());
                }
                // Nothing else will be taken either. A permission is one for some steps only.
                let all = error.category() == Some(Category::Authentication);
                if all || error.is_clock() || error.is_rate_limited() {
                    return Err(Failure::from(error).about(&step.text));
                }
                self.leave(&step, &why);
                Ok(())
            }
            _ => {
                self.journal.end(request.number, "not sent", &why)?;
                Err(Failure::from(error).about(&step.text))
            }
        }
    }

    fn leave(&mut self, step: &Step, why: &str) {
        eprintln!("not done: {why}");
        self.left.insert(step.key.clone(), why.to_owned());
        self.missed += 1;
    }

    /// Asks the exchange what became of a request and writes it down; whether it was done.
    async fn find_out(&mut self, request: &Request) -> Result<bool, Failure> {
        eprintln!(
            "asking the exchange what became of it; this takes up to 75 s. Interrupt to stop asking."
        );
        let entry = entry(&request.endpoint)?;
        let typed = parameters::typed(entry, &request.parameters)?;
        let fate = tokio::select! {
            fate = fate(self.client, request, &typed) => fate,
            () = self.interrupts.recv() => return Err(unknown(entry, &typed, "interrupted")),
        };
        let number = request.number;
        match fate {
            Ok(Fate::Done(what)) => {
                eprintln!("it was done ({what})");
                self.journal.end(number, "done", &what)?;
                Ok(true)
            }
            Ok(Fate::NotDone) => {
                eprintln!("it was not done");
                self.journal.end(number, "not done", "the exchange does not have it")?;
                Ok(false)
            }
            Ok(Fate::Unclear(why)) => Err(unknown(entry, &typed, &why)),
            Err(error) => Err(unknown(entry, &typed, &chain(&error))),
        }
    }
}

/// What became of a request.
async fn fate(client: &Client, request: &Request, typed: &[(String, Json)]) -> Result<Fate, Error> {
    if let Some(before) = &request.before {
        return outcome::settle(client, &request.endpoint, typed, before).await;
    }
    // What is there now tells, and once more does no harm.
    if HARMLESS.contains(&request.endpoint.as_str()) {
        return Ok(Fate::NotDone);
    }
    Ok(Fate::Unclear("nothing was noted that would show it".to_owned()))
}

fn entry(id: &str) -> Result<&'static EndpointEntry, Failure> {
    ENDPOINTS.iter().find(|entry| entry.metadata.id == id).ok_or_else(|| {
        Failure::usage(format!("the journal names an endpoint {id:?} that there is not"))
    })
}

/// The parameters with an id that the request can be known by, where it takes one.
fn named(entry: &EndpointEntry, step: &Step) -> Vec<(String, String)> {
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
    Failure::new(Exit::Incomplete, "stopped between two steps; nothing is open")
        .with_advice("run it again to go on")
}

fn unknown(entry: &EndpointEntry, typed: &[(String, Json)], why: &str) -> Failure {
    let advice = format!(
        "run it again to ask the exchange again. Or {}; then tell what you found: bitmart wind-down --run \
         --outcome done|not-done",
        how_to_find_out(entry, typed)
    );
    let text = format!("{}: {why}. Whether it took effect is NOT KNOWN", entry.title);
    Failure::new(Exit::Unknown, text).with_advice(advice)
}
