//! The tasks of a switch: one that waits for its end, and one for each contract.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::builder::Condition;
use super::shared::{LastWord, Order, Shared};
use super::{Event, MarketReport, Reason, Report, cancel, keep};

pub(super) fn start(shared: Shared, conditions: Vec<Condition>) -> Arc<Shared> {
    let shared = Arc::new(shared);
    let keepers =
        (0..shared.contracts.len()).map(|index| tokio::spawn(keep::keep(shared.clone(), index)));
    let keepers = keepers.collect();
    let conditions = conditions.into_iter().map(|one| watch(shared.clone(), one)).collect();
    // Made here, so that a runtime that stops at once is noticed as well.
    let last_word = LastWord(shared.clone());
    tokio::spawn(supervise(last_word, keepers, conditions));
    shared
}

/// Trips the switch when a condition has ended, however it did.
fn watch(shared: Arc<Shared>, condition: Condition) -> JoinHandle<()> {
    let condition = tokio::spawn(condition);
    tokio::spawn(async move {
        let mut stop = StopOnDrop(condition);
        let _ = (&mut stop.0).await;
        shared.order(Order::Cancel(Reason::Condition));
    })
}

struct StopOnDrop(JoinHandle<()>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn supervise(
    last_word: LastWord,
    keepers: Vec<JoinHandle<()>>,
    conditions: Vec<JoinHandle<()>>,
) {
    let shared = &last_word.0;
    let order = ordered(shared).await;
    let reason = order.reason();
    for condition in conditions {
        condition.abort();
    }
    warn!(?reason, "the switch ends");
    shared.events.push(Event::Tripped(reason));
    let markets = match order {
        Order::Cancel(_) => cancel_everything(shared).await,
        Order::Disarm => {
            // A renewal that is on its way would set a timer again.
            for keeper in keepers {
                let _ = keeper.await;
            }
            let deadline = shared.deadline();
            let mut reports = Vec::new();
            for market in &shared.markets {
                reports.push(cancel::disarm(shared, market.clone(), deadline).await);
            }
            reports
        }
    };
    shared.end(Report { reason, markets });
}

/// Waits for an order to end, or gives one when no beat comes.
async fn ordered(shared: &Shared) -> Order {
    loop {
        let Some(stale_at) = shared.stale_at() else { return shared.ordered().await };
        match timeout_at(stale_at, shared.ordered()).await {
            Ok(order) => return order,
            // A beat may have come in time.
            Err(_) if shared.stale_at().is_some_and(|at| at <= Instant::now()) => {
                shared.order(Order::Cancel(Reason::Stale));
            }
            Err(_) => {}
        }
    }
}

/// All markets at the same time; the client's limiter puts them in a row.
async fn cancel_everything(shared: &Arc<Shared>) -> Vec<MarketReport> {
    let deadline = shared.deadline();
    let clear = |market| tokio::spawn(cancel::clear(shared.clone(), market, deadline));
    let tasks: Vec<_> = shared.markets.iter().cloned().map(clear).collect();
    let mut reports = Vec::new();
    for (task, market) in tasks.into_iter().zip(&shared.markets) {
        reports.push(task.await.unwrap_or_else(|_| shared.unknown(market)));
    }
    reports
}
