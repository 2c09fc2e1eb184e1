//! Renews the exchange's timer of one contract.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

use super::builder::RENEWALS_PER_TIMEOUT;
use super::shared::{Contract, Shared};
use super::timer::Moment;
use super::{Event, RenewalError, Timer};
use crate::{RetryClass, futures};

/// Interval between two renewals of all contracts together: two thirds of the published limit of 4 in 2
/// seconds, so that other programs of the user get a part of it.
pub(super) const SPACING: Duration = Duration::from_millis(750);

/// Renews the timer of contract number `index` until the switch ends.
pub(super) async fn renew_until_end(shared: Arc<Shared>, index: usize) {
    let Some(contract) = shared.contracts.get(index) else { return };
    let number = u32::try_from(index).unwrap_or(u32::MAX);
    // Spreads the renewals of all contracts.
    let mut next = Instant::now() + SPACING.saturating_mul(number);
    loop {
        let wake =
            contract.with(|timer| timer.unreported_expiry()).map_or(next, |end| end.min(next));
        if timeout_at(wake, shared.end_requested()).await.is_ok() {
            return;
        }
        report_expiry(&shared, contract);
        if Instant::now() >= next {
            next = renew(&shared, contract).await;
        }
    }
}

/// Sends one renewal and returns when the next one is due.
async fn renew(shared: &Shared, contract: &Contract) -> Instant {
    // Taken before sending, so that the exchange's timer expires later than the local countdown.
    let sent = shared.now();
    let timeout = shared.timeout;
    let limit = sent.at + timeout / RENEWALS_PER_TIMEOUT;
    match send(shared, contract, limit).await {
        Ok(timer) => {
            let granted = granted(&timer, timeout);
            report_expiry(shared, contract);
            set(shared, contract, sent, granted);
            // More often if the exchange granted less than requested, but not without a pause.
            sent.at + (granted / RENEWALS_PER_TIMEOUT).max(SPACING)
        }
        Err(error) => {
            let next = next_attempt(shared, &error, limit);
            let timer = contract.with(|timer| {
                if error.is_unknown() {
                    timer.record_unknown(Instant::now());
                }
                timer.state(shared.now())
            });
            warn!(contract = %contract.symbol, ?error, ?timer, "timer not renewed");
            let contract = contract.symbol.clone();
            shared.events.push(Event::RenewalFailed { contract, error, timer });
            next
        }
    }
}

async fn send(
    shared: &Shared,
    contract: &Contract,
    limit: Instant,
) -> Result<futures::CancelAllTimer, RenewalError> {
    let futures = shared.client.futures();
    let request = futures::CancelAllAfter::new(contract.symbol.clone(), shared.timeout);
    let mut call = pin!(timeout_at(limit, futures.cancel_all_after(request)));
    let response = match contract.with(|timer| timer.unreported_expiry()) {
        // The expiry is reported in time, not only after the call.
        Some(end) if end < limit => {
            if let Ok(response) = timeout_at(end, &mut call).await {
                response
            } else {
                report_expiry(shared, contract);
                call.await
            }
        }
        _ => call.await,
    };
    match response {
        // The times say as much as the flag. One alone may be that of an older timer.
        Ok(Ok(timer))
            if timer
                .accepted
                .unwrap_or(timer.set_time.is_some() && timer.cancel_time.is_some()) =>
        {
            Ok(timer)
        }
        Ok(Ok(_)) => Err(RenewalError::NotAccepted),
        Ok(Err(error)) => Err(RenewalError::Request(Arc::new(error))),
        Err(_) => Err(RenewalError::TimedOut),
    }
}

/// The timeout that the exchange reports to have set, at most the requested one.
fn granted(timer: &futures::CancelAllTimer, requested: Duration) -> Duration {
    match (timer.set_time, timer.cancel_time) {
        (Some(set), Some(cancel)) => {
            let millis = cancel.as_millis().saturating_sub(set.as_millis());
            requested.min(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
        }
        _ => requested,
    }
}

fn set(shared: &Shared, contract: &Contract, sent: Moment, granted: Duration) {
    let before = contract.with(|timer| {
        let before = timer.state(shared.now());
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

/// When to renew after a failure. Renewing is idempotent, so the outcome of the failed request does not
/// matter.
fn next_attempt(shared: &Shared, error: &RenewalError, regular: Instant) -> Instant {
    let now = Instant::now();
    let contracts = u32::try_from(shared.contracts.len()).unwrap_or(u32::MAX);
    let interval = shared.timeout / RENEWALS_PER_TIMEOUT;
    // Within the rate limit even if the renewals of all contracts fail.
    let pause = (interval / 4).max(SPACING.saturating_mul(contracts));
    let class = match error {
        RenewalError::Request(error) => error.retry_class(),
        RenewalError::TimedOut => RetryClass::AfterQuery,
        RenewalError::NotAccepted => RetryClass::Never,
    };
    match class {
        RetryClass::Never => regular.max(now + pause),
        RetryClass::AfterQuery => now + pause,
        RetryClass::AfterTime { wait } | RetryClass::Banned { wait, .. } => now + pause.max(wait),
    }
}

fn report_expiry(shared: &Shared, contract: &Contract) {
    if contract.with(|timer| timer.take_expiry(shared.now())) {
        warn!(contract = %contract.symbol, "the timer may have expired");
        shared.events.push(Event::MayHaveFired(contract.symbol.clone()));
        shared.changes.send_replace(());
    }
}
