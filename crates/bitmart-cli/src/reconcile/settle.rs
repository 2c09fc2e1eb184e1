//! Queries the exchange for the outcome of a request until it is proven. A request that is found took effect. One that
//! is missing did not only if the exchange cannot accept its signature any more, by the exchange's own clock.

use std::time::Duration;

use bitmart::Timestamp;
use bitmart::rest::reconcile::{ABANDONED_AFTER, SETTLED_AFTER};
use bitmart::rest::{Client, Error};
use tokio::time::{Instant, sleep};

use super::evidence::{self, Baseline, Evidence};
use crate::confirm::Parameters;

/// After this time a missing request is proven to have no effect. Measured by the exchange's clock from the time
/// of the signature, so that it also holds across a restart of this machine.
const SETTLED_MS: i64 = SETTLED_AFTER.as_secs().cast_signed() * 1_000;
const MIN_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// It took effect. Contains the id that the exchange assigned, or a description of the evidence.
    Done(String),
    /// It did not take effect and never will.
    NotDone,
    /// The exchange accepted it, and then it failed. Contains the id.
    Failed(String),
    /// The data of the exchange does not prove either, for this reason.
    Undetermined(String),
}

/// Determines the outcome of a request to endpoint `id` by comparison with the `baseline` before it. It was not
/// signed with a time after `signed_by`.
///
/// That the request is missing is proof only once its signature has expired. Queries are repeated until then.
pub(crate) async fn settle(
    client: &Client,
    id: &str,
    parameters: &Parameters,
    baseline: &Baseline,
    signed_by: Timestamp,
) -> Result<Resolution, Error> {
    poll(
        signed_by.as_millis().max(baseline.at_ms),
        async || client.time().await,
        async || evidence::query(client, id, parameters, baseline).await,
    )
    .await
}

async fn poll(
    signed_ms: i64,
    now: impl AsyncFn() -> Result<i64, Error>,
    query: impl AsyncFn() -> Result<Evidence, Error>,
) -> Result<Resolution, Error> {
    let begin = Instant::now();
    let mut backoff = MIN_BACKOFF;
    loop {
        // The clock is read first: the query must be later than the time it is judged by.
        let attempt = async {
            let now_ms = now().await?;
            Ok::<_, Error>((now_ms >= signed_ms.saturating_add(SETTLED_MS), query().await?))
        };
        let mut retry_after = Duration::ZERO;
        match attempt.await {
            Ok((_, Evidence::Found(what))) => return Ok(Resolution::Done(what)),
            Ok((true, Evidence::NotFound)) => return Ok(Resolution::NotDone),
            // Another equal request may have failed, so this is proof only at the end, too.
            Ok((true, Evidence::Failed(id))) => return Ok(Resolution::Failed(id)),
            Ok((true, Evidence::Inconclusive(why))) => {
                return Ok(Resolution::Undetermined(why));
            }
            Ok(_) => {}
            // The wait includes the time of a ban.
            Err(error) => match error.retry_class().wait() {
                Some(wait) if begin.elapsed() + wait < ABANDONED_AFTER => retry_after = wait,
                _ => return Err(error),
            },
        }
        sleep(backoff.max(retry_after)).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// Reads the exchange's clock in milliseconds since 1970.
trait ServerTime {
    async fn time(&self) -> Result<i64, Error>;
}

impl ServerTime for Client {
    async fn time(&self) -> Result<i64, Error> {
        Ok(self.system().time().await?.server_time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Evidence, Resolution, SETTLED_MS, poll};

    /// Polls every `step` ms with the given evidence. Returns the resolution and its time.
    async fn resolve(step: i64, evidence: impl Fn(i64) -> Evidence) -> (Resolution, i64) {
        let now = Cell::new(-step);
        let resolution = poll(
            0,
            async || {
                now.set(now.get() + step);
                Ok(now.get())
            },
            async || Ok(evidence(now.get())),
        )
        .await;
        (resolution.expect("no query fails"), now.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_request_is_proof_only_after_its_signature_has_expired() {
        let (resolution, at) = resolve(10_000, |_| Evidence::NotFound).await;
        assert_eq!(resolution, Resolution::NotDone);
        assert!((SETTLED_MS..SETTLED_MS + 10_000).contains(&at), "{at}");
        let late = |now| {
            if now < 60_000 { Evidence::NotFound } else { Evidence::Found("7".into()) }
        };
        assert_eq!(resolve(10_000, late).await.0, Resolution::Done("7".into()));
        let failed = |now| {
            if now < 60_000 { Evidence::Failed("6".into()) } else { Evidence::Found("7".into()) }
        };
        assert_eq!(resolve(10_000, failed).await.0, Resolution::Done("7".into()));
        let (resolution, at) = resolve(10_000, |_| Evidence::Failed("6".into())).await;
        assert_eq!(resolution, Resolution::Failed("6".into()));
        assert!(at >= SETTLED_MS, "{at}");
        let unclear = |_| Evidence::Inconclusive("two".into());
        let (resolution, _) = resolve(10_000, unclear).await;
        assert_eq!(resolution, Resolution::Undetermined("two".into()));
    }
}
