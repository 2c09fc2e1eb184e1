//! Every read endpoint, once or twice.

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry, Presence};
use bitmart::rest::http::StatusCode;
use bitmart::rest::testing::Recording;
use bitmart::rest::{Auth, Category, Client, Effect, ErrorKind, Host, Payload};
use bitmart::types::Service;

use super::share::Share;
use super::values::Values;
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::target::Target;

/// An endpoint waits for the answers of others so often.
const ROUNDS: usize = 4;

/// Asks all, those first that need nothing, and keeps what comes.
pub(super) async fn all(
    target: &Target,
    client: &Client,
    share: &mut Share,
) -> Result<Values, Failure> {
    let mut values = Values::default();
    let mut open: Vec<&'static EndpointEntry> = Vec::new();
    for entry in ENDPOINTS.iter().filter(|entry| entry.metadata.effect == Effect::Read) {
        match out_of_reach(target, entry) {
            Some(reason) => share.not_asked(entry.metadata.id, reason),
            None => open.push(entry),
        }
    }
    // A stable order: what needs a value after what may give it.
    open.sort_by_key(|entry| {
        entry.parameters.iter().filter(|one| one.presence == Presence::Required).count()
    });
    for round in 0..ROUNDS {
        let mut waiting = Vec::new();
        for entry in std::mem::take(&mut open) {
            match endpoint(client, entry, &mut values, share).await? {
                None => {}
                Some(name) if round + 1 == ROUNDS => {
                    let reason = format!("no answer before it held a value for `{name}`");
                    share.not_asked(entry.metadata.id, &reason);
                }
                Some(_) => waiting.push(entry),
            }
        }
        open = waiting;
    }
    Ok(values)
}

fn out_of_reach(target: &Target, entry: &EndpointEntry) -> Option<&'static str> {
    let host = match entry.metadata.host {
        Host::Futures => Service::FuturesRest,
        _ => Service::SpotRest,
    };
    if target.environment.address(host).is_err() {
        return Some("this environment has no such host");
    }
    (entry.metadata.auth != Auth::None && target.credentials.is_none()).then_some("there is no key")
}

/// Asks one endpoint; the name of a parameter that has no value yet.
async fn endpoint(
    client: &Client,
    entry: &'static EndpointEntry,
    values: &mut Values,
    share: &mut Share,
) -> Result<Option<&'static str>, Failure> {
    use Presence::{Conditional, Optional, Required};

    let now = client.now();
    let mut requests: Vec<(Json, Payload)> = Vec::new();
    let mut refused = None;
    // With what has to be there, and with what else is known: another question where it differs.
    for wanted in [&[Required][..], &[Required, Conditional], &[Required, Optional]] {
        let parameters = match values.parameters(entry, wanted, now) {
            Ok(parameters) => Json::Object(parameters),
            Err(name) => return Ok(Some(name)),
        };
        if requests.len() == 2 || requests.iter().any(|(known, _)| *known == parameters) {
            continue;
        }
        match entry.encode_request(&parameters.to_string()) {
            Ok(payload) => requests.push((parameters, payload)),
            Err(error) => refused = Some(chain(&error)),
        }
    }
    if requests.is_empty() {
        let reason = refused.unwrap_or_else(|| "its parameters are not known".to_owned());
        share.not_asked(entry.metadata.id, &reason);
    }
    for (parameters, payload) in requests {
        let (status, body) = match client.send_raw(&entry.metadata, payload).await {
            Ok(answer) => (answer.status, answer.raw),
            // Going on would make it worse.
            Err(error) if error.category() == Some(Category::Banned) => return Err(error.into()),
            Err(error) => {
                let answer = error.status().zip(error.body().map(Bytes::copy_from_slice));
                if matches!(error.kind(), ErrorKind::Unexpected(_)) || answer.is_none() {
                    // The text of such an error holds nothing of the body.
                    share.differs(entry.metadata.id, &chain(&error));
                }
                let Some(answer) = answer else { continue };
                answer
            }
        };
        keep(entry, parameters, status, &body, values, share)?;
    }
    Ok(None)
}

fn keep(
    entry: &'static EndpointEntry,
    parameters: Json,
    status: StatusCode,
    body: &Bytes,
    values: &mut Values,
    share: &mut Share,
) -> Result<(), Failure> {
    let Some(answer) = std::str::from_utf8(body).ok().and_then(|text| Json::read(text).ok()) else {
        share.differs(entry.metadata.id, "an answer that is no JSON is not kept");
        return Ok(());
    };
    values.learn(entry, &answer);
    let recording = Recording::new("bitmart probe", entry, parameters, status.as_u16(), answer);
    share.rest(entry, recording)
}
