//! Queries the exchange for the outcome of a request until it is proven.

use std::time::Duration;

use bitmart::rest::reconcile::{ABANDONED_AFTER, SETTLED_AFTER};
use bitmart::rest::{Client, Error};
use bitmart::types::Timestamp;
use tokio::time::{Instant, sleep};

use super::evidence::{self, Baseline, Evidence};
use crate::confirm::Parameters;

/// Longest time from the baseline to the signature of the request, which waits for a permit and for a
/// connection in between.
const MAX_SENDING: Duration = Duration::from_secs(600);
const MIN_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// It took effect. Contains the id that the exchange assigned, or a description of the evidence.
    Done(String),
    /// It did not take effect and never will.
    NotDone,
    /// The data of the exchange does not prove either, for this reason.
    Undetermined(String),
}

/// Determines the outcome of a request to endpoint `id` by comparison with the `baseline` before it.
///
/// That the request is missing is proof only once its signature has expired, by the exchange's clock, so that
/// it also holds across a restart of this machine. Queries are repeated until then.
pub(crate) async fn settle(
    client: &Client,
    id: &str,
    parameters: &Parameters,
    baseline: &Baseline,
) -> Result<Resolution, Error> {
    poll(
        settled(Timestamp::from_millis(baseline.at_ms), client.latest_signature()),
        async || Ok(client.system().time().await?.server_time),
        async || evidence::query(client, id, parameters, baseline).await,
    )
    .await
}

/// When the signature of a request has certainly expired that was signed after the baseline, and not after
/// `latest`. After a restart this is all that is known.
fn settled(baseline: Timestamp, latest: Timestamp) -> Timestamp {
    latest.clamp(baseline, baseline + MAX_SENDING) + SETTLED_AFTER
}

async fn poll(
    settled: Timestamp,
    now: impl AsyncFn() -> Result<Timestamp, Error>,
    query: impl AsyncFn() -> Result<Evidence, Error>,
) -> Result<Resolution, Error> {
    let begin = Instant::now();
    let mut backoff = MIN_BACKOFF;
    loop {
        // The clock is read first: the query must be later than the time it is judged by.
        let attempt = async {
            let is_settled = now().await? >= settled;
            Ok::<_, Error>((is_settled, query().await?))
        };
        let mut retry_after = Duration::ZERO;
        match attempt.await {
            Ok((_, Evidence::Found(what))) => return Ok(Resolution::Done(what)),
            Ok((true, Evidence::NotFound)) => return Ok(Resolution::NotDone),
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Evidence, MAX_SENDING, Resolution, SETTLED_AFTER, Timestamp, poll, settled};

    /// In milliseconds.
    const SETTLED: i64 = SETTLED_AFTER.as_secs().cast_signed() * 1000;

    /// Polls every `step` ms with the given evidence. Returns the resolution and its time.
    async fn resolve(step: i64, evidence: impl Fn(i64) -> Evidence) -> (Resolution, i64) {
        let now = Cell::new(-step);
        let resolution = poll(
            Timestamp::from_millis(SETTLED),
            async || {
                now.set(now.get() + step);
                Ok(Timestamp::from_millis(now.get()))
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
        assert!((SETTLED..SETTLED + 10_000).contains(&at), "{at}");
        let late = |now| {
            if now < 60_000 { Evidence::NotFound } else { Evidence::Found("7".into()) }
        };
        assert_eq!(resolve(10_000, late).await.0, Resolution::Done("7".into()));
        let unclear = |_| Evidence::Inconclusive("two".into());
        let (resolution, _) = resolve(10_000, unclear).await;
        assert_eq!(resolution, Resolution::Undetermined("two".into()));
    }
    #[test]
    fn a_signature_expires_by_its_own_time_and_not_by_the_baseline() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        // It waited for a permit for half a minute.
        assert_eq!(settled(at(0), at(30)), at(105));
        // The clock was set back.
        assert_eq!(settled(at(60), at(30)), at(135));
        // The program was started again a day later.
        assert_eq!(settled(at(0), at(86_400)), at(0) + MAX_SENDING + SETTLED_AFTER);
    }
}
