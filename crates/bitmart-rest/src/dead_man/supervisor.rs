//! The tasks of a switch: a supervisor, and one that renews the timer for each contract.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::builder::Condition;
use super::shared::{EndRequest, ReportOnDrop, Shared};
use super::{Event, MarketReport, Reason, Report, cancel, renewal};

pub(super) fn start(shared: Shared, conditions: Vec<Condition>) -> Arc<Shared> {
    let shared = Arc::new(shared);
    let renewals = (0..shared.contracts.len())
        .map(|index| tokio::spawn(renewal::renew_until_end(shared.clone(), index)))
        .collect();
    let conditions = conditions.into_iter().map(|one| watch(shared.clone(), one)).collect();
    // Created here, so that a runtime that stops at once is reported as well.
    let report_on_drop = ReportOnDrop(shared.clone());
    tokio::spawn(supervise(report_on_drop, renewals, conditions));
    shared
}

/// Trips the switch when a condition has completed or panicked.
fn watch(shared: Arc<Shared>, condition: Condition) -> JoinHandle<()> {
    let condition = tokio::spawn(condition);
    tokio::spawn(async move {
        let mut condition = AbortOnDrop(condition);
        let _ = (&mut condition.0).await;
        shared.request_end(EndRequest::Cancel(Reason::Condition));
    })
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn supervise(
    report_on_drop: ReportOnDrop,
    renewals: Vec<JoinHandle<()>>,
    conditions: Vec<JoinHandle<()>>,
) {
    let shared = &report_on_drop.0;
    let request = end_requested(shared).await;
    let reason = request.reason();
    for condition in conditions {
        condition.abort();
    }
    warn!(?reason, "the switch ends");
    shared.events.push(Event::Tripped(reason));
    let markets = match request {
        EndRequest::Cancel(_) => cancel_everything(shared).await,
        EndRequest::Disarm => {
            // A renewal in flight would set the timer again.
            for renewal in renewals {
                let _ = renewal.await;
            }
            let deadline = shared.deadline();
            let mut reports = Vec::new();
            for market in &shared.markets {
                reports.push(cancel::disarm(shared, market.clone(), deadline).await);
            }
            reports
        }
    };
    shared.publish(Report { reason, markets });
}

/// Waits for a request to end, or makes one if no beat arrives in time.
async fn end_requested(shared: &Shared) -> EndRequest {
    loop {
        let Some(stale_at) = shared.stale_at() else { return shared.end_requested().await };
        match timeout_at(stale_at, shared.end_requested()).await {
            Ok(request) => return request,
            // A beat may have arrived in time.
            Err(_) if shared.stale_at().is_some_and(|at| at <= Instant::now()) => {
                shared.request_end(EndRequest::Cancel(Reason::Stale));
            }
            Err(_) => {}
        }
    }
}

/// Cancels all markets concurrently; the client's limiter keeps the rate limit.
async fn cancel_everything(shared: &Arc<Shared>) -> Vec<MarketReport> {
    let deadline = shared.deadline();
    let cancel = |market| tokio::spawn(cancel::cancel_market(shared.clone(), market, deadline));
    let tasks: Vec<_> = shared.markets.iter().cloned().map(cancel).collect();
    let mut reports = Vec::new();
    for (task, market) in tasks.into_iter().zip(&shared.markets) {
        reports.push(task.await.unwrap_or_else(|_| shared.unknown_report(market)));
    }
    reports
}
