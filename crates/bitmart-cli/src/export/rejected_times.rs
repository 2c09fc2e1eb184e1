//! Lists that reject times too far in the past. What came before is skipped and recorded as a gap, so that the rest
//! of the list is not lost with it.

use bitmart::Timestamp;
use bitmart::rest::history::{History, HistoryError};
use bitmart::rest::{Client, ErrorKind, RetryClass};

use super::fetch::NOT_FOR_ACCOUNT;
use super::outage::rejects_one_list;
use super::store::{Span, Store};
use super::{DAY_MS, Export};
use crate::failure::{Failure, chain};

/// Returns the time at which a span continues whose request from `from` on was rejected; the end of the span if all
/// of it is rejected. `None` if the rejection does not depend on the time.
pub(super) async fn skip<H: History>(
    export: &Export,
    store: &mut Store,
    request: &H,
    error: &HistoryError,
    (span, from): (Span, i64),
) -> Result<Option<i64>, Failure> {
    let newest = export.to.as_millis() - DAY_MS;
    if !may_depend_on_time(error) || from >= newest {
        return Ok(None);
    }
    let Some(begin) = first_accepted(&export.client, request, from, newest).await else {
        return Ok(None);
    };
    let next = begin.min(span.to);
    let [first, last] = [from, next].map(Timestamp::from_millis);
    let why = format!("{first} to {last}: the exchange rejects this time: {}", chain(error));
    eprintln!("{}: {why}", store.name);
    // What was requested before is there, except how rows ended that were not final then.
    let is_open = store.state.pending.values().any(|time| (from..next).contains(time));
    if !span.again || is_open {
        store.state.add_gap(from, why);
    }
    Ok(Some(next))
}

fn may_depend_on_time(error: &HistoryError) -> bool {
    let HistoryError::Request(error) = error else { return false };
    let is_of_account = error.code().is_some_and(|code| NOT_FOR_ACCOUNT.contains(&code));
    // An outage, a rate limit or a ban is over some time.
    let is_final = matches!(error.retry_class(), RetryClass::Never);
    let is_rejected = matches!(error.kind(), ErrorKind::Api(_)) && rejects_one_list(error);
    is_rejected && is_final && !is_of_account
}

/// The earliest time that a list accepts, to a day, between `rejected` and `newest`. `None` if it rejects the newest
/// time as well, or if a request fails for another reason.
async fn first_accepted<H: History>(
    client: &Client,
    request: &H,
    rejected: i64,
    newest: i64,
) -> Option<i64> {
    let (mut rejected, mut accepted) = (rejected, newest);
    // The rejection may have been of something else: it passed, or it was of a later page.
    if is_accepted(client, request, rejected).await? {
        return None;
    }
    if !is_accepted(client, request, accepted).await? {
        return None;
    }
    while accepted - rejected > DAY_MS {
        let middle = rejected + (accepted - rejected) / 2;
        if is_accepted(client, request, middle).await? {
            accepted = middle;
        } else {
            rejected = middle;
        }
    }
    Some(accepted)
}

/// Whether a list accepts a time; `None` if that remains unknown.
async fn is_accepted<H: History>(client: &Client, request: &H, at: i64) -> Option<bool> {
    let [from, to] = [at, at + DAY_MS / 24].map(Timestamp::from_millis);
    match client.history(request.clone(), from, to).next_page().await {
        Some(Err(error)) if may_depend_on_time(&error) => Some(false),
        Some(Err(HistoryError::Request(error)))
            if !matches!(error.kind(), ErrorKind::Decode(_)) =>
        {
            None
        }
        // What cannot be read was accepted.
        _ => Some(true),
    }
}

#[cfg(test)]
mod tests {
    use bitmart::Credentials;
    use bitmart::rest::bytes::Bytes;
    use bitmart::rest::http;
    use bitmart::rest::limit::{LimitPolicy, Limiter};
    use bitmart::rest::spot::ListOrderHistory;
    use bitmart::rest::transport::{Body, from_fn};

    use super::*;

    const FIRST: i64 = 1_700_000_000_000;

    /// A client of an exchange that rejects windows before `begin` with this code.
    fn client(begin: i64, code: i64) -> Client {
        let transport = from_fn(move |request: http::Request<Bytes>| async move {
            let body: serde_json::Value = serde_json::from_slice(request.body()).expect("JSON");
            let start = body["startTime"].as_i64().expect("a time");
            let (status, text) = if start < begin {
                (
                    400,
                    format!(r#"{{"code":{code},"message":"Out of query time range","trace":""}}"#),
                )
            } else {
                (200, r#"{"code":1000,"message":"success","trace":"","data":[]}"#.to_owned())
            };
            let mut response = http::Response::new(Body::from(Bytes::from(text)));
            *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
            Ok(response)
        });
        let credentials = Credentials::new("key", "secret", "memo").expect("credentials");
        Client::builder()
            .transport(transport)
            .credentials(credentials)
            .limiter(Limiter::new(LimitPolicy::Off))
            .build()
            .expect("a client")
    }

    #[tokio::test]
    async fn finds_the_first_day_that_is_accepted() {
        let begin = FIRST + 1_234 * DAY_MS;
        let newest = FIRST + 2_000 * DAY_MS;
        let list = ListOrderHistory::new();
        let found = first_accepted(&client(begin, 50041), &list, FIRST, newest).await;
        let found = found.expect("some time is accepted");
        assert!(found >= begin && found - begin <= DAY_MS + 60_000, "{found}");
    }

    #[tokio::test]
    async fn a_rejection_that_has_passed_skips_nothing() {
        let (list, newest) = (ListOrderHistory::new(), FIRST + DAY_MS * 30);
        assert_eq!(first_accepted(&client(0, 50041), &list, FIRST, newest).await, None);
    }

    #[tokio::test]
    async fn a_rejection_of_any_time_is_not_one_of_the_time() {
        let list = ListOrderHistory::new();
        let newest = FIRST + DAY_MS * 30;
        assert_eq!(first_accepted(&client(i64::MAX, 50041), &list, FIRST, newest).await, None);
        // The account has no such list.
        assert_eq!(first_accepted(&client(i64::MAX, 53005), &list, FIRST, newest).await, None);
    }
}
