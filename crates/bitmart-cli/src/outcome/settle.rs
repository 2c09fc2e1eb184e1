//! Asking the exchange what became of a request, until the answer is proof.

use std::time::Duration;

use bitmart::rest::{Client, Error};
use tokio::time::{Instant, sleep};

use super::evidence::{self, Before, Found};
use crate::confirm::Parameters;

/// The exchange takes a signature for 60 seconds; some more for clocks that differ and for rows that show
/// late. By its own clock, so that it also holds across a restart of this machine.
const SETTLED_MS: i64 = 75_000;
/// Questions that go on failing are given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(105);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It took effect; the exchange's id of what it made, or what shows it.
    Done(String),
    /// It did not, and never will.
    NotDone,
    /// What the exchange tells does not decide it; why.
    Unclear(String),
}

/// Finds out what became of the request to endpoint `id`, of which `before` was noted.
///
/// *Not there* is proof only once the exchange would refuse the request's signature: until then this goes on
/// asking.
pub(crate) async fn settle(
    client: &Client,
    id: &str,
    parameters: &Parameters,
    before: &Before,
) -> Result<Fate, Error> {
    decide(
        before.at_ms,
        async || client.time().await,
        async || evidence::look(client, id, parameters, before).await,
    )
    .await
}

async fn decide(
    sent_ms: i64,
    now: impl AsyncFn() -> Result<i64, Error>,
    look: impl AsyncFn() -> Result<Found, Error>,
) -> Result<Fate, Error> {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        // What is not there counts only if it was looked for late enough.
        let question = async {
            let now_ms = now().await?;
            Ok::<_, Error>((now_ms >= sent_ms.saturating_add(SETTLED_MS), look().await?))
        };
        let mut asked = Duration::ZERO;
        match question.await {
            Ok((_, Found::Done(what))) => return Ok(Fate::Done(what)),
            Ok((true, Found::Nothing)) => return Ok(Fate::NotDone),
            Ok((true, Found::Unclear(why))) => return Ok(Fate::Unclear(why)),
            Ok(_) => {}
            // Nothing is sent to a host that has banned this machine before the ban ends.
            Err(error) => match error.retry_class().wait() {
                Some(wait) if begin.elapsed() + wait < GIVEN_UP_AFTER => asked = wait,
                _ => return Err(error),
            },
        }
        sleep(pause.max(asked)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The exchange's time.
trait Time {
    async fn time(&self) -> Result<i64, Error>;
}

impl Time for Client {
    async fn time(&self) -> Result<i64, Error> {
        Ok(self.system().time().await?.server_time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Fate, Found, SETTLED_MS, decide};

    /// Looks at times that are `step` ms apart; what is found at each.
    async fn fate(step: i64, found: impl Fn(i64) -> Found) -> (Fate, i64) {
        let now = Cell::new(-step);
        let fate = decide(
            0,
            async || {
                now.set(now.get() + step);
                Ok(now.get())
            },
            async || Ok(found(now.get())),
        )
        .await;
        (fate.expect("no question fails"), now.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_there_is_proof_only_after_the_signature_has_expired() {
        let (fate_of, at) = fate(10_000, |_| Found::Nothing).await;
        assert_eq!(fate_of, Fate::NotDone);
        assert!((SETTLED_MS..SETTLED_MS + 10_000).contains(&at), "{at}");
        // It showed late.
        let late = |now| if now < 60_000 { Found::Nothing } else { Found::Done("7".into()) };
        assert_eq!(fate(10_000, late).await.0, Fate::Done("7".into()));
        let unclear = |_| Found::Unclear("two".into());
        assert_eq!(fate(10_000, unclear).await.0, Fate::Unclear("two".into()));
    }
}
