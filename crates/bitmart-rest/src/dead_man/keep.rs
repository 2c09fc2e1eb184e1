//! Keeps the exchange's timer of one contract running.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

use super::builder::RENEWALS;
use super::shared::{Contract, Shared};
use super::timer::Moment;
use super::{Event, Timer, Trouble};
use crate::{RetryClass, futures};

/// Time between two renewals of all contracts together: two thirds of the published limit of 4 in 2
/// seconds, so that others have a part of it.
pub(super) const SPACING: Duration = Duration::from_millis(750);

/// Sets the timer of contract number `index` again and again until the switch ends.
pub(super) async fn keep(shared: Arc<Shared>, index: usize) {
    let Some(contract) = shared.contracts.get(index) else { return };
    let number = u32::try_from(index).unwrap_or(u32::MAX);
    // The first renewals are spread, and so are those that follow.
    let mut next = Instant::now() + SPACING.saturating_mul(number);
    loop {
        let wake = contract.with(|timer| timer.untold_end()).map_or(next, |end| end.min(next));
        if timeout_at(wake, shared.ordered()).await.is_ok() {
            return;
        }
        tell_end(&shared, contract);
        if Instant::now() >= next {
            next = renew(&shared, contract).await;
        }
    }
}

/// Sends one renewal, and says when the next one is due.
async fn renew(shared: &Shared, contract: &Contract) -> Instant {
    // Before anything is sent, so that the timer at the exchange ends later than what is counted
    // here.
    let sent = shared.now();
    let timeout = Duration::from_secs(shared.seconds.into());
    let limit = sent.at + timeout / RENEWALS;
    match send(shared, contract, limit).await {
        Ok(timer) => {
            let granted = granted(&timer, timeout);
            tell_end(shared, contract);
            set(shared, contract, sent, granted);
            // With a shorter time than was asked, more often, but not without a pause.
            sent.at + (granted / RENEWALS).max(SPACING)
        }
        Err(trouble) => {
            let next = next_try(shared, &trouble, limit);
            let timer = contract.with(|timer| {
                if trouble.is_unknown() {
                    timer.note_unknown(Instant::now());
                }
                timer.look(shared.now())
            });
            warn!(contract = %contract.symbol, ?trouble, ?timer, "timer not renewed");
            let contract = contract.symbol.clone();
            shared.events.push(Event::RenewalFailed { contract, trouble, timer });
            next
        }
    }
}

async fn send(
    shared: &Shared,
    contract: &Contract,
    limit: Instant,
) -> Result<futures::CancelAllTimer, Trouble> {
    let futures = shared.client.futures();
    let request = futures::CancelAllAfter::new(contract.symbol.clone(), shared.seconds);
    let mut call = pin!(timeout_at(limit, futures.cancel_all_after(request)));
    let response = match contract.with(|timer| timer.untold_end()) {
        // The user learns that the timer may have run out when it may, not when the call has ended.
        Some(end) if end < limit => {
            if let Ok(response) = timeout_at(end, &mut call).await {
                response
            } else {
                tell_end(shared, contract);
                call.await
            }
        }
        _ => call.await,
    };
    match response {
        Ok(Ok(timer)) if timer.accepted => Ok(timer),
        Ok(Ok(_)) => Err(Trouble::NotAccepted),
        Ok(Err(error)) => Err(Trouble::Request(Arc::new(error))),
        Err(_) => Err(Trouble::TimedOut),
    }
}

/// What the exchange says that it set, if that is less than what was asked.
fn granted(timer: &futures::CancelAllTimer, asked: Duration) -> Duration {
    match (timer.set_time, timer.cancel_time) {
        (Some(set), Some(cancel)) => {
            let millis = cancel.as_millis().saturating_sub(set.as_millis());
            asked.min(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
        }
        _ => asked,
    }
}

fn set(shared: &Shared, contract: &Contract, sent: Moment, granted: Duration) {
    let before = contract.with(|timer| {
        let before = timer.look(shared.now());
        timer.set(sent, granted);
        before
    });
    debug!(contract = %contract.symbol, ?granted, "timer renewed");
    match before {
        Timer::NotSet => shared.events.push(Event::Armed(contract.symbol.clone())),
        Timer::MayHaveFired => shared.events.push(Event::Rearmed(contract.symbol.clone())),
        Timer::Armed { .. } => {}
    }
    shared.changes.send_replace(());
}

/// When a renewal that failed is followed by another one: a new request, for which nothing needs to
/// be known of the one before.
fn next_try(shared: &Shared, trouble: &Trouble, usual: Instant) -> Instant {
    let now = Instant::now();
    let contracts = u32::try_from(shared.contracts.len()).unwrap_or(u32::MAX);
    let interval = Duration::from_secs(shared.seconds.into()) / RENEWALS;
    // All contracts together stay below the limit even if all of them fail.
    let pause = (interval / 4).max(SPACING.saturating_mul(contracts));
    let class = match trouble {
        Trouble::Request(error) => error.retry_class(),
        Trouble::TimedOut => RetryClass::AfterQuery,
        Trouble::NotAccepted => RetryClass::Never,
    };
    match class {
        RetryClass::Never => usual.max(now + pause),
        RetryClass::AfterQuery => now + pause,
        RetryClass::AfterTime { wait } | RetryClass::Banned { wait, .. } => now + pause.max(wait),
    }
}

fn tell_end(shared: &Shared, contract: &Contract) {
    if contract.with(|timer| timer.tell(shared.now())) {
        warn!(contract = %contract.symbol, "the timer may have run out");
        shared.events.push(Event::MayHaveFired(contract.symbol.clone()));
        shared.changes.send_replace(());
    }
}
